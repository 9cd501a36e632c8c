"""Keys are dense, sorted the first time, and never change."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmgpu.data.ingest.keys import CODES, Keys, encode, respelled

ids = st.lists(st.text(st.sampled_from("abcZ09é"), min_size=1, max_size=20), max_size=30)


@given(st.lists(ids, min_size=1, max_size=4))
def test_keys_are_dense_and_stay(batches: list[list[str]]) -> None:
    known: list[str] = []
    for batch in batches:
        keys = Keys(pl.Series(known, dtype=pl.String))
        numbers = keys.of(pl.Series(batch, dtype=pl.String))
        numbers = pl.concat([numbers, keys.of(pl.Series(batch[::-1], dtype=pl.String))])
        order, every = keys.settle()
        expected = known + sorted(set(batch) - set(known))  # code points and UTF-8 bytes sort alike
        assert every.to_list() == expected
        assert order.gather(numbers).to_list() == [expected.index(name) for name in batch + batch[::-1]]
        assert order.dtype == numbers.dtype == pl.Int32
        assert keys.known == len(known)
        known = expected


def test_codes_are_sorted_then_appended() -> None:
    first = pl.DataFrame({"colour": ["red", None, "blue", "red"], "club": ["x", "x", "x", None]})
    coded, codes, _ = encode("articles", first, ["colour", "club"], CODES.to_frame())
    assert coded.schema == {"colour": pl.Int32, "club": pl.Int32}
    assert coded["colour"].to_list() == [1, None, 0, 1]
    assert coded["club"].to_list() == [0, 0, 0, None]
    later, grown, said = encode("articles", pl.DataFrame({"colour": ["amber", "red", "white"]}), ["colour"], codes)
    assert later["colour"].to_list() == [2, 1, 3]
    assert grown[: codes.height].equals(codes)
    assert grown[codes.height :].rows() == [("colour", 2, "amber"), ("colour", 3, "white")]
    assert dict(grown.schema) == dict(CODES)
    assert said == []


KNOWN = pl.DataFrame({"column": "type", "code": [0, 1, 2], "value": ["01", "0100000", "x"]}, CODES)


@pytest.mark.parametrize(
    ("new", "code"),
    [("1", 0), ("1.0", 0), (" 01", 0), ("001", 0), ("100000", 1), ("100000.0", 1), ("x ", 2), ("X", 3), ("10", 3),
     ("-1", 3), ("1.5", 3), ("0", 3)],
)  # fmt: skip
def test_a_number_in_another_form_has_the_code_that_it_had(new: str, code: int) -> None:
    coded, codes, said = encode("articles", pl.DataFrame({"type": [new, None, new]}), ["type"], KNOWN)
    assert coded["type"].to_list() == [code, None, code]
    assert codes.height == max(3, code + 1)
    was = dict(zip(KNOWN["code"], KNOWN["value"], strict=True)).get(code)
    assert said == ([] if was is None else [
        f"articles.type is written in another way than before, such as '{new}' for '{was}' (1 value): taken "
        "as the same."
    ])  # fmt: skip


def test_values_of_one_file_that_differ_in_form_alone_are_told_and_kept_apart() -> None:
    coded, codes, said = encode("articles", pl.DataFrame({"type": ["1", "01", "2"]}), ["type"], CODES.to_frame())
    assert (coded["type"].to_list(), codes["value"].to_list()) == ([1, 0, 2], ["01", "1", "2"])
    assert said == ["articles.type has '01' and '1', which were taken as different codes: write them alike."]
    _, codes, said = encode("articles", pl.DataFrame({"type": ["001", "1"]}), ["type"], codes)
    assert (codes["value"].to_list(), said) == (["01", "1", "2", "001"], [])  # it could be either


def test_the_same_forms_from_a_file_of_numbers() -> None:
    assert respelled(pl.Series(["1", "7"]), pl.Series(["01", "7.0", "07"])).rows() == [("1", "01")]
