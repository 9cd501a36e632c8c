# ruff: noqa: E501 (a case a line)
"""Whatever stands in a config file: a Config, or a sentence about what is wrong."""

import copy
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hmgpu.core.errors import ConfigError
from hmgpu.pipeline.config import load_config

BUSY = [HealthCheck.too_slow]  # how long examples take to draw says how busy the machine is
BASE = (Path(__file__).parents[2] / "configs" / "base.yaml").read_text()
LAUGHS = "\n".join(
    [
        "a: &a [lol, lol]",
        *(
            f"{name}: &{name} [{','.join(f'*{before}' for _ in range(9))}]"
            for before, name in zip("abcdefghijk", "bcdefghijkl", strict=True)
        ),
    ]
)
NASTY = {
    "an alias that multiplies": LAUGHS,
    "an alias that holds itself": "data: &x [*x]",
    "a mapping that holds itself": "retrievers: &x {popular: *x}",
    "deep nesting": "[" * 3000,
    "deep nesting, closed": "data: " + "[" * 400 + "]" * 400,
    "a month of no year": "weeks: {validation: 2020-13-45}",
    "a number of five thousand digits": f"seed: {'9' * 5000}",
    "a hexadecimal of five thousand digits": f"seed: 0x{'f' * 5000}",
    "no bool": "seed: !!bool maybe",
    "no number": "seed: !!int ''",
    "no float": "seed: !!float ''",
    "no time": "seed: !!timestamp soon",
    "no base64": "seed: !!binary 'é'",
    "Python's own": "seed: !!python/object/apply:os.system [id]",
    "a key that is a list": "? [a, b]\n: 1",
    "a key that is a mapping": "? {a: b}\n: 1",
    "a merge of nothing": "<<: 3",
    "a merge of itself": "a: &a\n  <<: *a",
    "a NUL": 'runs: "a\\0b"',
    "half a character": 'runs: "\\ud800"',
    "an unknown key under what may be null": "quotas: {kep: 3}",
    "two documents": "a: 1\n---\nb: 2",
    "nothing": "",
    "a byte order mark": "\ufeffdata: {}",
    "a tab": "data:\n\traw: x",
}
PATCHES = {
    "data.price_unit": ["1e999999999", "1/0", "nan", "-1", "1e-400", 10**400, [], {}],
    "data.article_pattern": ["a{99999999999}", "(", "(?<=a)b", "(?i)a", "\\N{DIGIT ONE}", "(" * 300 + ")" * 300, "((a{1,900}){1,900}){1,900}"],
    "data.date_format": ["%", "%Q", "%Y", "", "%Y-%m-%d\n", "%" * 500, "%9999999999Y-%m-%d", "\u00e9%Y-%m-%d"],
    "data.channels": [[[1]], [None], {"a": 1}, [1, 1], [1.5], ["x" * 10**5]],
    "weeks.train": [10**30, -1, True, 1.5, math.nan],
    "memory_gb": [math.inf, math.nan, -0.0, 10**400, "12"],
    "ranker": [None, [], {"kind": ["xgboost"]}, {"kind": {}}, {"kind": "../popular"}, {"kind": "cascade", "then": {"kind": "cascade", "then": 3}}],
    "retrievers": [{}, {"popular": {"kind": 3}}, {1: {}}, {"Popular": {}}, {"popular": {"n": 10**30}}, {"popular": [1]}, {None: None}],
    "quotas": [{"kep": 1}, {"keep": None}, [], {"keep": {"a": 1}}],
    "retrain": [{"limits": {"volume": [2]}}, {"limits": {"volume": {"a": 1}}}, {"limits": {"vol": 1}}, {"notify": {"command": 3}}],
    "runs": ["~nobody-of-this-name/x", "", 3, ["a"]],
}  # fmt: skip


PARSED = yaml.safe_load(BASE)


def accepts(file: Path, overrides: list[str] | None = None) -> bool:
    """Return whether the config is valid, with settings that can be written; otherwise it is refused in sentences."""
    said = "a config"
    try:
        json.dumps(load_config(file, overrides).settings())
    except ConfigError as error:
        said = str(error)
    assert said.strip()
    return said == "a config"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "config.yaml"


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY.keys())
def test_what_yaml_can_do_to_a_reader(file, count, text):
    file.write_text(f"{BASE}\n{text}\n")
    accepts(file)
    file.write_text(text)
    assert not accepts(file)
    count("refused inputs")


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in PATCHES.items() for value in values])
def test_a_wrong_value(file, count, key, value):
    content = copy.deepcopy(PARSED)
    place = content
    *parents, last = key.split(".")
    for parent in parents:
        place = place.setdefault(parent, {})
    place[last] = value
    file.write_text(yaml.dump(content, Dumper=yaml.CSafeDumper))
    if not accepts(file):
        count("refused inputs")


@given(content=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")))
@settings(max_examples=150, suppress_health_check=BUSY)
def test_any_bytes(file, content):
    file.write_bytes(content)
    assert not accepts(file)


PIECES = ["&a ", "*a", "<<: *a", "null", ".nan", "-.inf", "1e999", "- ", "[", "]", "{", "}", ": ", "\n", "  ", "#", "'"]
PIECES += [
    "!!int ",
    "!!set ",
    "!!timestamp ",
    "? ",
    "|",
    ">",
    "%",
    "@",
    "`",
    "\t",
    "2020-99-99",
    "0x",
    "1_000",
    "~",
    "é",
]


@given(data=st.data())
@settings(max_examples=80, suppress_health_check=BUSY)
def test_a_config_with_pieces_lost_doubled_and_put_in(file, data):
    text = BASE
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 40))
        piece = data.draw(st.sampled_from(PIECES) | st.just("") | st.just(text[at : at + length] * 2))
        text = text[:at] + piece + text[at + length :]
    file.write_text(text)
    accepts(file)


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(2**63), 2**31, 2**64])
    | st.floats()
    | st.text(max_size=5)
    | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=4,
)


def _places(content: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, value in content.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from _places(value, (*above, key))


PLACES = list(_places(PARSED))


@given(changes=st.lists(st.tuples(st.sampled_from(PLACES), ODD), min_size=1, max_size=3))
@settings(max_examples=120, suppress_health_check=BUSY)
def test_a_value_of_any_type_at_any_place(file, changes):
    content = copy.deepcopy(PARSED)
    for place, value in changes:
        inner = content
        for key in place[:-1]:
            inner = inner.get(key) if isinstance(inner, dict) else None
        if isinstance(inner, dict):
            inner[place[-1]] = value
    file.write_text(yaml.dump(content, Dumper=yaml.CSafeDumper))
    accepts(file)


@given(overrides=st.lists(st.text(max_size=20) | st.tuples(st.sampled_from(PLACES), st.text(max_size=12)), max_size=3))
@settings(max_examples=60, suppress_health_check=BUSY)
def test_any_setting_on_the_command_line(file, overrides):
    file.write_text(BASE)
    given = [each if isinstance(each, str) else f"{'.'.join(map(str, each[0]))}={each[1]}" for each in overrides]
    accepts(file, given)
