"""Keys are dense, sorted the first time, and never change."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from hmgpu.data.ingest.keys import CODES, Keys, encode

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
    coded, codes = encode(first, ["colour", "club"], CODES.to_frame())
    assert coded.schema == {"colour": pl.Int32, "club": pl.Int32}
    assert coded["colour"].to_list() == [1, None, 0, 1]
    assert coded["club"].to_list() == [0, 0, 0, None]
    later, grown = encode(pl.DataFrame({"colour": ["amber", "red", "white"]}), ["colour"], codes)
    assert later["colour"].to_list() == [2, 1, 3]
    assert grown[: codes.height].equals(codes)
    assert grown[codes.height :].rows() == [("colour", 2, "amber"), ("colour", 3, "white")]
    assert dict(grown.schema) == dict(CODES)
