"""Untrusted YAML gives its content, or one sentence about what is wrong."""

import pytest

from hmgpu.core.yaml_text import MOST, parse

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
        ("[" * 5000, "nested too deeply"),
        ("day: 2020-13-01", "month must be in 1..12"),
        ("n: " + "9" * 5000, "Exceeds the limit"),
        ("a: !!python/object:os.system x", "could not determine a constructor"),
        ("a: [", "line 1, column 5"),
        ('a: 1\nb: "\\0"', "line 2: text with a NUL or half a character"),
        ('b: "\\ud800"', "line 1: text with a NUL or half a character"),
    ],
    ids=["self", "self below", "deep", "no day", "digits", "object", "open", "nul", "half"],
)
def test_anything_but_plain_values_is_refused_in_one_sentence(text, message):
    with pytest.raises(ValueError, match=message.replace("[", r"\[").replace("(", r"\(")) as raised:
        parse(text)
    assert "\n" not in str(raised.value)
