"""Map ids and codes to dense integers: sorted at first, later ones at the end, and none ever changes."""

import polars as pl

from hmgpu.core.words import counted

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


def encode(
    table: str, frame: pl.DataFrame, columns: list[str], codes: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, list[str]]:
    """Replace the text `columns` of `frame` by codes (Int32), and append new codes to `codes` (schema CODES).

    A new value that writes the number of one known value in another way (`1`, `1.0` or ` 01` for `01`) gets its code.
    Also returns warnings about such values, and about values of one file that differ in nothing else.
    """
    warnings = list[str]()
    for column in columns:
        known = codes.filter(pl.col("column") == column)
        new = frame.select(value=pl.col(column)).drop_nulls().unique().join(known, on="value", how="anti").sort("value")
        same = respelled(new["value"], known["value"]).join(known, left_on="was", right_on="value")
        new = new.join(same, on="value", how="anti")
        if same.height:
            example = f"'{same['value'][0]}' for '{same['was'][0]}'"
            warnings.append(
                f"{table}.{column} is written in another way than before, such as {example} "
                f"({counted(same.height, 'value')}): taken as the same."
            )
        spelled = new.group_by(spelling=plain(pl.col("value"))).agg(pl.col("value").sort())
        twice = spelled.filter(pl.col("value").list.len() > 1)
        if twice.height:
            example = " and ".join(f"'{value}'" for value in twice.sort("spelling")["value"][0])
            warnings.append(f"{table}.{column} has {example}, which were taken as different codes: write them alike.")
        new = new.select(
            column=pl.lit(column),
            code=pl.int_range(known.height, known.height + pl.len(), dtype=pl.Int32),
            value="value",
        )
        codes = pl.concat([codes, new])
        mapping = pl.concat([codes.filter(pl.col("column") == column), same.select(codes.columns)])
        mapping = mapping.select("code", pl.col("value").alias(column))
        frame = frame.join(mapping, on=column, how="left", maintain_order="left").with_columns(
            pl.col("code").alias(column)
        )
        frame = frame.drop("code")
    return frame, codes, warnings


def plain(text: pl.Expr) -> pl.Expr:
    """Return `text` without blanks around it, and a number also without leading zeros and `.0`."""
    return text.str.strip_chars().str.replace(r"^0*(\d+?)(?:\.0+)?$", "${1}")


def respelled(new: pl.Series, known: pl.Series) -> pl.DataFrame:
    """Return the values of `new` that write one of `known` in another way (value, was), in the order of value.

    A value that could be several of the known ones is none of them.
    """
    if new.is_empty() or known.is_empty():
        return pl.DataFrame(schema={"value": pl.String, "was": pl.String})
    was = pl.DataFrame({"was": known}).with_columns(spelling=plain(pl.col("was"))).unique("spelling", keep="none")
    spelled = pl.DataFrame({"value": new}).with_columns(spelling=plain(pl.col("value")))
    return spelled.join(was, on="spelling").select("value", "was").sort("value")
