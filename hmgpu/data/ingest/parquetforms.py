"""Convert a Parquet column of any physical form that common writers choose to the text that a CSV file would have."""

import uuid

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from hmgpu.data.date_formats import DateFormat

_EXACT = 2.0**53  # below this, floats hold whole numbers exactly
_FIRST, _LAST = -719_162, 2_932_896  # days of the years 1 to 9999


class FormError(ValueError):
    """A column's form has no meaning as text; the message ends a sentence that begins with the column."""


def as_text(array: pa.Array, dates: DateFormat, *, price: bool) -> pl.Series:
    """Return the values of `array` as text (String), null where they are missing.

    Whole numbers have no point (unless of a `price`), truth values are 0 and 1, NaN is missing, and a day or a time is
    written in the format of `dates`: a time with a time zone as a day of that zone, or of `dates.zone`. Raises
    FormError for lists, records, spans of time, and bytes that are not text.
    """
    array = _plain(array)
    kind = array.type
    if pa.types.is_null(kind):
        return pl.Series([None] * len(array), dtype=pl.String)
    if pa.types.is_large_string(kind):
        return pl.Series(array, dtype=pl.String)
    if pa.types.is_boolean(kind):
        return pl.Series(array.cast(pa.int8())).cast(pl.String)
    if pa.types.is_integer(kind):
        return pl.Series(array).cast(pl.String)
    if pa.types.is_floating(kind):
        return _of_floats(pl.Series(array).fill_nan(None), price=price)
    if pa.types.is_decimal(kind):
        text = pl.Series(array.cast(pa.large_string()))
        return text if price else text.str.replace(r"^(-?[0-9]+)\.0+$", "${1}").str.replace(r"^-?0E[+-]?[0-9]+$", "0")
    if pa.types.is_date(kind):
        return _of_days(pl.Series(array.cast(pa.date32()).cast(pa.int32())), dates)
    if pa.types.is_timestamp(kind):
        if kind.tz is not None:
            array = pc.local_timestamp(array.cast(pa.timestamp(kind.unit, dates.zone or kind.tz)))
        return _of_days(pl.Series(array).dt.date().to_physical(), dates)
    raise FormError(f"is of the type {kind}, which can't be read as text")


def holds_numbers(kind: pa.DataType) -> bool:
    """Whether an array of this type holds numbers, so that leading zeros of ids are lost."""
    if pa.types.is_dictionary(kind):
        return holds_numbers(kind.value_type)
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _plain(array: pa.Array) -> pa.Array:
    """Undo what only stores values in another way; text becomes large_string, and half floats wider."""
    kind = array.type
    if isinstance(kind, pa.UuidType):
        values = [None if value is None else str(uuid.UUID(bytes=value)) for value in array.storage.to_pylist()]
        return pa.array(values, pa.large_string())
    if isinstance(kind, pa.BaseExtensionType):
        return _plain(array.storage)
    if pa.types.is_dictionary(kind):
        return _plain(array.dictionary_decode())
    if pa.types.is_float16(kind):
        return array.cast(pa.float32())
    if pa.types.is_string(kind) or pa.types.is_string_view(kind):
        return array.cast(pa.large_string())
    if pa.types.is_fixed_size_binary(kind):  # shorter values are filled up with NULs
        array = pa.array([value and value.rstrip(b"\0") for value in array.to_pylist()], pa.large_binary())
    elif not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind)):
        return array
    try:
        return array.cast(pa.large_string())
    except pa.ArrowInvalid:
        raise FormError("holds bytes that are not UTF-8 text: write it as text") from None


def _of_floats(values: pl.Series, *, price: bool) -> pl.Series:
    """Write floats: shortest text that gives the same float, whole ones without a point."""
    text = values.cast(pl.String)
    if price:
        return text
    wide = values.cast(pl.Float64)
    whole = ((wide == wide.floor()) & (wide.abs() < _EXACT)).fill_null(False)
    return wide.set(~whole, None).cast(pl.Int64).cast(pl.String).zip_with(whole, text)


def _of_days(days: pl.Series, dates: DateFormat) -> pl.Series:
    """Write days since 1970-01-01; those that no calendar has, as that number."""
    known = days.is_between(_FIRST, _LAST)
    text = dates.write(days.set(~known, None).cast(pl.Int32).cast(pl.Date))
    return text.zip_with(known.fill_null(True), days.cast(pl.String))
