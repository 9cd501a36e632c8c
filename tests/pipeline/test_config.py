"""The YAML config: what it holds, and what it says about mistakes."""

from pathlib import Path

import pytest
import yaml
from kit import CONFIGS
from pydantic import BaseModel

from hmgpu.core.errors import ConfigError
from hmgpu.core.explained import explanation
from hmgpu.data.settings import ColumnNames, DataSettings, Files
from hmgpu.parts.feature import Feature
from hmgpu.parts.features.affinity import Affinity
from hmgpu.parts.part import kinds
from hmgpu.parts.ranker import Ranker
from hmgpu.parts.rankers.xgboost import XGBoost
from hmgpu.parts.retriever import Retriever
from hmgpu.parts.retrievers.popular import Popular
from hmgpu.parts.retrievers.popular_by import PopularBy
from hmgpu.pipeline.config import Config, WeekSettings, load_config

SMALL = """\
data:
  raw: some/raw
  root: some/data
runs: some/runs
retrievers:
  popular: {n: 30}
  popular_age:
    kind: popular_by
    by: age_band
features:
  affinity: {}
  bought_product: {kind: affinity, by: product}
ranker:
  kind: xgboost
  depth: 5
"""


@pytest.fixture
def written(tmp_path: Path):
    """Write a config, with replacements in SMALL, and return its path."""

    def write(*changes: tuple[str, str], text: str = SMALL) -> Path:
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "config.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def message(path: Path, *settings: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(path, list(settings))
    return str(caught.value).replace(str(path), "config.yaml")


def test_parts_are_built_by_kind_in_the_order_of_the_file(written):
    config = load_config(written())
    assert config.retrievers == {"popular": Popular(n=30), "popular_age": PopularBy(by="age_band")}
    assert list(config.retrievers) == ["popular", "popular_age"]
    assert config.features == {"affinity": Affinity(), "bought_product": Affinity(by="product")}
    assert config.ranker == XGBoost(depth=5)
    assert config.data.raw == Path("some/raw")
    assert config.weeks == WeekSettings(train=4, validation=None)


@pytest.mark.parametrize("name", ["base", "demo"])
def test_the_configs_we_ship_load(name):
    load_config(CONFIGS / f"{name}.yaml")


def test_settings_say_all_that_was_decided_and_read_back_the_same(written, tmp_path):
    config = load_config(written(), ["weeks.train=2", "negatives={hard: {kind: same_category, n: 3}}"])
    again = tmp_path / "again.yaml"
    again.write_text(yaml.safe_dump(config.settings(), sort_keys=False))
    assert load_config(again) == config
    assert config.settings()["retrievers"]["popular"] == {"kind": "popular", "n": 30, "days": 28, "half_life": 4.0}


def test_set_is_put_over_the_file(written):
    settings = [
        "seed=7",
        "weeks.train=2",
        "retrievers.popular.n=9",
        "features.catalogue={}",
        "ranker.objective=rank:map",
    ]
    config = load_config(written(), settings)
    assert (config.seed, config.weeks.train, config.retrievers["popular"].n) == (7, 2, 9)
    assert list(config.features) == ["affinity", "bought_product", "catalogue"]
    assert config.ranker == XGBoost(depth=5, objective="rank:map")


def test_a_day_may_be_written_as_yaml_writes_days(written):
    quoted = load_config(written(("runs:", "weeks: {validation: '2020-09-16'}\nruns:")))
    bare = load_config(written(("runs:", "weeks: {validation: 2020-09-16}\nruns:")))
    over = load_config(written(), ["weeks.validation=2020-09-16"])
    assert quoted.weeks.validation == bare.weeks.validation == over.weeks.validation == "2020-09-16"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("runs:", "sede: 3\nruns:"), "config.yaml, line 4: unknown key 'sede'; did you mean 'seed'?"),
        (("  root:", "  rooot:"), "config.yaml, line 3: unknown key 'data.rooot'; did you mean 'root'?"),
        (
            ("  root:", "  files: {article: a}\n  root:"),
            "config.yaml, line 3: unknown key 'data.files.article'; did you mean 'articles'?",
        ),
        (
            ("popular: {n: 30}", "popular: {dayz: 30}"),
            "config.yaml, line 6: unknown key 'retrievers.popular.dayz'; did you mean 'days'?",
        ),
        (
            ("    by: age_band", "    bye: age_band"),
            "config.yaml, line 9: unknown key 'retrievers.popular_age.bye'; did you mean 'by'?",
        ),
        (("  depth: 5", "  dept: 5"), "config.yaml, line 15: unknown key 'ranker.dept'; did you mean 'depth'?"),
    ],
)
def test_an_unknown_key_is_named_with_its_line_and_the_nearest_known_one(written, change, said):
    assert said in message(written(change)).splitlines()


def test_an_unknown_key_like_no_other_comes_with_those_there_are(written):
    said = message(written(("popular: {n: 30}", "popular: {zzz: 30}")))
    assert said == "config.yaml, line 6: unknown key 'retrievers.popular.zzz'; known here: n, days, half_life."


@pytest.mark.parametrize(
    ("change", "place", "what"),
    [
        (("runs:", "seed: many\nruns:"), "line 4: 'seed'", 'must be a whole number, not "many"'),
        (("runs:", "seed: -1\nruns:"), "line 4: 'seed'", "must be 0 or more, not -1"),
        (("runs:", "memory_gb: 0\nruns:"), "line 4: 'memory_gb'", "must be more than 0, not 0"),
        (("runs:", "engine: tpu\nruns:"), "line 4: 'engine'", "'auto', 'cpu' or 'gpu'"),
        (("runs:", "weeks: {train: 2.5}\nruns:"), "line 4: 'weeks.train'", "must be a whole number, not 2.5"),
        (("{n: 30}", "{n: 0}"), "line 6: 'retrievers.popular.n'", "must be 1 or more, not 0"),
        (("{n: 30}", "30"), "line 6: 'retrievers.popular'", "mapping of settings"),
        (("    by: age_band", "    by: height"), "line 9: 'retrievers.popular_age.by'", "'height' is not an attribute"),
        (("{n: 30}", "{kind: populr}"), "line 6: 'retrievers.popular.kind'", "'populr' is not a kind of retriever"),
        (
            ("kind: xgboost", "kind: svm"),
            "line 14: 'ranker.kind'",
            "choose from automl, bagged, blend, cascade, catboost, din, dlrm, dnn, guard, lightgbm, logistic, order, ",
        ),
        (("  depth: 5", "  objective: rank"), "line 15: 'ranker.objective'", "'rank:ndcg'"),
        (
            ("  kind: xgboost\n  depth: 5", "  kind: order\n  retrievers: [popular, gone]"),
            "line 13: 'ranker'",
            "retrievers names the unknown 'gone'; this config has popular, popular_age",
        ),
        (("  depth: 5", "  from_worth: true"), "line 13: 'ranker'", "add `quotas`"),
        (("  kind: xgboost\n  depth: 5", "  kind: dlrm"), "line 13: 'ranker'", "add `encoded: {}` under features"),
    ],
)
def test_a_wrong_value_is_named_with_its_line_and_what_is_wanted(written, change, place, what):
    said = message(written(change))
    assert said.startswith(f"config.yaml, {place}: ")
    assert what in said


def test_all_that_is_wrong_is_said_at_once(written):
    said = message(written(("runs:", "seed: many\nsede: 3\nruns:"), ("  root: some/data\n", "")))
    assert {line.partition(": ")[2] for line in said.splitlines()} == {
        "key 'data.root' is missing.",
        "'seed': must be a whole number, not \"many\".",
        "unknown key 'sede'; did you mean 'seed'?",
    }


def test_a_set_value_that_is_no_yaml_is_text(written):
    assert load_config(written(), ["data.date_format=%d.%m.%Y"]).data.date_format == "%d.%m.%Y"


def test_every_part_that_is_wrong_is_said_at_once(written):
    said = message(
        written(("{n: 30}", "{n: 0, dayz: 3}"), ("{kind: affinity, by: product}", "{kind: affinity, by: x}"))
    )
    for key in ("retrievers.popular.n", "retrievers.popular.dayz", "features.bought_product.by"):
        assert f"'{key}'" in said


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("weeks.trian=3", "--set weeks.trian: unknown key 'weeks.trian'; did you mean 'train'?"),
        ("weeks.train=true", "--set weeks.train: 'weeks.train': must be a number, not true"),
        ("retrievers.popular.n=true", "'retrievers.popular.n': must be a number, not true"),
        ("ranker.depth=true", "'ranker.depth': must be a number, not true"),
        ("retrain.limits.price=true", "'retrain.limits.price': must be a number, not true"),
        ("data.max_bad_rows=true", "'data.max_bad_rows': must be a number, not true"),
        ("weeks.train=two", "--set weeks.train: 'weeks.train': must be a whole number"),
        ("retrievers.popular.n=-4", "--set retrievers.popular.n: 'retrievers.popular.n': must be 1 or more"),
        ("retrievers.nope={}", "'nope' is not a kind of retriever"),
        ("retrievers.popular={m: 3}", "--set retrievers.popular: unknown key 'retrievers.popular.m'"),
        ("seed.x=3", "--set seed.x=3: 'seed' is a single value and has no keys below it."),
        ("weeks", "--set weeks: write it as key.key=value"),
        ("=3", "--set =3: write it as key.key=value"),
        ("weeks.train=[[", "--set weeks.train: 'weeks.train': must be a whole number"),
    ],
)
def test_a_mistake_in_set_is_said_to_be_there(written, setting, said):
    assert said in message(written(("runs:", "seed: 1\nruns:")), setting)


@pytest.mark.parametrize("text", ["a: [", "a: b: c", "\x01", "key: *nowhere"])
def test_what_is_no_yaml_is_said_to_be_none(written, text):
    assert message(written(text=text)).startswith("config.yaml is not YAML: ")


@pytest.mark.parametrize("text", ["", "# nothing", "- a\n- b", "just words"])
def test_what_is_no_mapping_holds_no_settings(written, text):
    assert message(written(text=text)).startswith("config.yaml holds no settings: ")


def test_a_file_that_is_not_there(tmp_path):
    assert "Can't read the config" in message(tmp_path / "none.yaml")
    assert "Can't read the config" in message(tmp_path)


def test_a_run_needs_a_retriever(written):
    assert "must have 1 or more values" in message(written(), "retrievers={}")


def test_settings_are_frozen(written):
    config = load_config(written())
    for model, field in ((config, "seed"), (config.data, "root"), (config.weeks, "train"), (config.ranker, "depth")):
        with pytest.raises(ValueError, match="frozen"):
            setattr(model, field, 3)


SETTINGS: list[type[BaseModel]] = [
    *(Config, WeekSettings, DataSettings, Files, ColumnNames),
    *(part for base in (Retriever, Feature, Ranker) for part in kinds(base).values()),
]


@pytest.mark.parametrize("model", SETTINGS, ids=lambda model: model.__name__)
def test_every_setting_is_explained_where_it_is_declared(model):
    """A part that only gives another default (`n: Count = 12`) leaves the explanation to its base."""
    assert [name for name in model.model_fields if not explanation(model, name)] == []
    assert model.__doc__


@pytest.mark.parametrize("trap", ["NO", "on", "01", "0000108775", "2020-09-16", "12:30", "0x1F", "~x"])
def test_text_that_yaml_1_1_takes_for_something_else(written, trap):
    data = f"  files: {{transactions: {trap}}}\n  channels: [{trap}, x]\n  columns: {{transactions: {{day: {trap}}}}}\n"
    in_file = load_config(written(("runs:", f"{data}runs:"))).data
    settings = [
        f"data.files.transactions={trap}",
        f"data.channels=[{trap}, x]",
        f"data.columns.transactions.day={trap}",
    ]
    on_command_line = load_config(written(), settings).data
    for found in (in_file, on_command_line):
        assert found.files.transactions == trap
        assert found.channels == (trap, "x")
        assert found.columns.transactions == {"day": trap}


@pytest.mark.parametrize("value", ["true", "1", "1.5", "1e3", "[a]"])
def test_what_is_no_text_is_refused_where_text_must_be(written, value):
    assert "'data.files.transactions'" in message(written(), f"data.files.transactions={value}")
    assert "'data.channels.0'" in message(written(), "data.channels=[true, x]")
