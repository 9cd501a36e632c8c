"""Map ids and codes to dense integers: sorted at first, later ones at the end, and none ever changes."""

import polars as pl

CODES = pl.Schema({"column": pl.String, "code": pl.Int32, "value": pl.String})


class Keys:
    """Dense keys of text ids, extended while rows stream past.

    >>> keys = Keys(pl.Series(["a", "c"]))
    >>> keys.of(pl.Series(["c", "z", "b"])).to_list()  # new ids are numbered in order of arrival, until `settle`
    [1, 2, 3]
    >>> [series.to_list() for series in keys.settle()]  # the key of each number, and the ids in key order
    [[0, 1, 3, 2], ['a', 'c', 'b', 'z']]
    """

    def __init__(self, known: pl.Series) -> None:
        """`known`: distinct ids (String) in key order."""
        # Polars keeps the hash table of a set of categories between casts, so looking up an id takes only 100 ns.
        self._dtype = pl.Categorical(pl.Categories.random())
        self._alive = known.cast(pl.String).cast(self._dtype)  # the table lives as long as some series uses it
        self.known = self.total = len(known)
        assert self._alive.to_physical().equals(
            pl.int_range(self.known, dtype=pl.UInt32, eager=True), check_names=False
        )

    def of(self, ids: pl.Series) -> pl.Series:
        """Number each id (Int32): a known id by its key, a new one by the next free number (>= `known`)."""
        numbers = ids.cast(self._dtype).to_physical().cast(pl.Int32)
        if len(numbers):
            self.total = max(self.total, int(numbers.to_numpy().max()) + 1)
        return numbers

    def settle(self) -> tuple[pl.Series, pl.Series]:
        """Return the key of each number (Int32), and all ids (String) in key order: new ids come last, sorted."""
        ids = pl.int_range(self.total, dtype=pl.UInt32, eager=True).cast(self._dtype).cast(pl.String)
        order = pl.concat([_count(self.known), ids[self.known :].arg_sort().cast(pl.Int32) + self.known])
        return order.arg_sort().cast(pl.Int32), ids.gather(order)


def _count(length: int) -> pl.Series:
    return pl.int_range(length, dtype=pl.Int32, eager=True)


def encode(frame: pl.DataFrame, columns: list[str], codes: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Replace the text `columns` of `frame` by codes (Int32), and append new codes to `codes` (schema CODES)."""
    for column in columns:
        known = codes.filter(pl.col("column") == column)
        new = frame.select(value=pl.col(column)).drop_nulls().unique().join(known, on="value", how="anti").sort("value")
        new = new.select(
            column=pl.lit(column),
            code=pl.int_range(known.height, known.height + pl.len(), dtype=pl.Int32),
            value="value",
        )
        codes = pl.concat([codes, new])
        mapping = codes.filter(pl.col("column") == column).select("code", pl.col("value").alias(column))
        frame = frame.join(mapping, on=column, how="left", maintain_order="left").with_columns(
            pl.col("code").alias(column)
        )
        frame = frame.drop("code")
    return frame, codes
