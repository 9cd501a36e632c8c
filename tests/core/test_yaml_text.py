"""Untrusted YAML gives its content, or one sentence about what is wrong."""

import pytest
import yaml

from hmgpu.core.yaml_text import MOST, dump, dump_line, parse

DOUBLED = "\n".join(["a0: &a0 [x, x]", *(f"a{k}: &a{k} [*a{k - 1}, *a{k - 1}]" for k in range(1, 40))])


def test_content_and_line_numbers():
    tree, content = parse("a: 1\nb:\n  c: 2020-09-01\n")
    assert content["a"] == 1
    assert str(content["b"]["c"]) == "2020-09-01"
    key, _ = tree.value[1]
    assert (key.value, key.start_mark.line) == ("b", 1)


def test_text_without_content_is_none():
    assert parse("# only a comment\n") == (None, None)


def test_an_alias_counts_each_time_it_is_used():
    few = "a: &a [1, 2]\nb: [*a, *a]\n"
    assert parse(few)[1] == {"a": [1, 2], "b": [[1, 2], [1, 2]]}
    many = f"a: &a [{', '.join('1' * 1000)}]\nb: [{', '.join(['*a'] * (MOST // 1000))}]\n"
    with pytest.raises(ValueError, match=f"line .: more than {MOST:,} values, with aliases expanded"):
        parse(many)
    with pytest.raises(ValueError, match="more than"):
        parse(DOUBLED)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &a [*a]", "line 1: an alias that contains itself"),
        ("x: 1\na: &a {b: *a}", "line 2: an alias that contains itself"),
        ("[" * 200_000, "nested too deeply"),
        ("- " * 100_000, "nested too deeply"),
        ("a: " + "{b: " * 101, "nested too deeply"),
        ("n: " + "9" * 5000, "Exceeds the limit"),
        ("a: !!python/object:os.system x", "could not determine a constructor"),
        ("a: [", "did not find expected node content, line 2, column 1"),
        ('a: 1\nb: "\\0"', "line 2: text with a NUL or half a character"),
        ('b: "\\ud800"', "invalid Unicode character escape code, line 1"),
    ],
    ids=["self", "self below", "lists", "blocks", "mappings", "digits", "object", "open", "nul", "half"],
)
def test_anything_but_plain_values_is_refused_in_one_sentence(text, message):
    with pytest.raises(ValueError, match=message.replace("[", r"\[").replace("(", r"\(")) as raised:
        parse(text)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "written",
    ["NO", "no", "on", "Off", "yes", "y", "01", "0000108775", "017", "0o17", "0x1F", "0b1", "1_000", "12:30", "1:30.5",
     "2020-09-16", "2020-13-01", "2020-09-16 10:00:00", "1.2.3", "+-1", "1e", "=", "nulls", "inf", "nan"],
)  # fmt: skip
def test_what_looks_like_text_is_text(written):
    assert parse(f"a: {written}")[1] == {"a": written}
    assert parse(f"- [{written}, x]\n- {{{written}: x}}")[1] == [[written, "x"], {written: "x"}]


@pytest.mark.parametrize(
    ("written", "value"),
    [("true", True), ("False", False), ("0", 0), ("-12", -12), ("+3", 3), ("1.5", 1.5), ("-.5", -0.5), ("1.", 1.0),
     ("1e3", 1000.0), ("1e-3", 0.001), ("2.5E+2", 250.0), (".inf", float("inf")), ("~", None), ("null", None),
     ("", None)],
)  # fmt: skip
def test_truth_values_numbers_and_null(written, value):
    found = parse(f"a: {written}")[1]["a"]
    assert (found, type(found)) == (value, type(value))


def test_mappings_are_merged():
    assert parse("a: &a {x: 1}\nb: {<<: *a, y: 2}")[1]["b"] == {"x": 1, "y": 2}


@pytest.mark.parametrize(
    "value",
    ["NO", "01", "12:30", "1e3", "1.", "true", "null", "", "2020-09-16", "0x1F", "ü", "=", 1e-05, 3, True, None],
)
def test_what_is_written_is_read_again(value):
    written = dump({"b": [value], "a": value})
    assert parse(written)[1] == yaml.safe_load(written) == {"b": [value], "a": value}
    assert written.startswith("b")


@pytest.mark.parametrize(
    "value", ["1e3", "NO", "%d.%m.%Y", "it's: a, [b]", ",", 0.01, None, ["1", "Laden"], {"a": None, "ü": "x" * 200}]
)
def test_a_value_on_one_line_is_read_as_the_same(value):
    line = dump_line(value)
    assert "\n" not in line
    assert parse(f"a: {line}  # note")[1] == {"a": value}
