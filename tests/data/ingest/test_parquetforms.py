"""Whatever physical form a writer of Parquet chooses, a value is read as what it means, or refused in a sentence."""

import datetime
import io
import uuid
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_world import SmallShop

from hmgpu.core.errors import DataError
from hmgpu.data.date_formats import DateFormat
from hmgpu.data.ingest import ingest
from hmgpu.data.ingest.parquetforms import FormError, as_text
from hmgpu.data.ingest.parquetrows import Part, read_rows
from hmgpu.data.settings import DataSettings
from hmgpu.data.tables import TRANSACTIONS

DATES = DateFormat("%Y-%m-%d")
DAY = datetime.date(2020, 9, 7)
NUMBERS = {"Int8": pa.int8(), "Int16": pa.int16(), "Int32": pa.int32(), "Int64": pa.int64(),
           "UInt8": pa.uint8(), "UInt16": pa.uint16(), "UInt32": pa.uint32(), "UInt64": pa.uint64()}  # fmt: skip
TEXTS = {"string": pa.string(), "large string": pa.large_string(), "view": pa.string_view(), "binary": pa.binary(),
         "large binary": pa.large_binary(), "binary view": pa.binary_view()}  # fmt: skip


def decimals(kind: pa.DataType, *values: str | None) -> pa.Array:
    return pa.array([value and Decimal(value) for value in values], kind)


# a column as a writer stores it, and the text that a CSV would have
FORMS: dict[str, tuple[pa.Array, list[str | None]]] = {
    **{name: (pa.array([7, None, 120], kind), ["7", None, "120"]) for name, kind in NUMBERS.items()},
    **{name: (pa.array(["a", None, "ü"], kind), ["a", None, "ü"]) for name, kind in TEXTS.items()},
    "fixed binary, filled with NULs": (pa.array([b"ab\0\0", None, b"abcd"], pa.binary(4)), ["ab", None, "abcd"]),
    "float": (pa.array([7.0, None, 1.5], pa.float32()), ["7", None, "1.5"]),
    "double": (pa.array([7.0, None, 1.5], pa.float64()), ["7", None, "1.5"]),
    "half float": (pa.array([7.0, None, 1.5], pa.float16()), ["7", None, "1.5"]),
    "NaN for missing": (pa.array([7.0, float("nan"), None], pa.float64()), ["7", None, None]),
    "ids as doubles": (pa.array([108775015.0], pa.float64()), ["108775015"]),
    "nulls": (pa.nulls(3), [None, None, None]),
    "truth values": (pa.array([True, None, False]), ["1", None, "0"]),
    "dictionary of text": (pa.array(["a", None, "b"]).dictionary_encode(), ["a", None, "b"]),
    "dictionary of numbers": (pa.array([7, None, 8]).dictionary_encode(), ["7", None, "8"]),
    "dictionary of bytes": (pa.array([b"a", None, b"b"]).dictionary_encode(), ["a", None, "b"]),
    "decimal of 32 bits": (decimals(pa.decimal32(6, 2), "7.00", None, "1.50"), ["7", None, "1.50"]),
    "decimal of 64 bits": (decimals(pa.decimal64(12, 2), "7.00", None, "1.50"), ["7", None, "1.50"]),
    "decimal of 128 bits": (decimals(pa.decimal128(38, 10), "7", None, "0"), ["7", None, "0"]),
    "decimal of 256 bits": (decimals(pa.decimal256(60, 10), "7", None, "1.5"), ["7", None, "1.5000000000"]),
    "decimal without places": (decimals(pa.decimal128(38, 0), "7", None, "108775015"), ["7", None, "108775015"]),
    "days": (pa.array([DAY, None], pa.date32()), ["2020-09-07", None]),
    "days in milliseconds": (pa.array([DAY, None], pa.date64()), ["2020-09-07", None]),
    "a day of no calendar": (pa.array([2**31 - 1, -(2**31), 0], pa.int32()).cast(pa.date32()),
                             ["2147483647", "-2147483648", "1970-01-01"]),
    **{f"times in {unit}": (pa.array([datetime.datetime(2020, 9, 7, 23, 59), None], pa.timestamp(unit)),
                            ["2020-09-07", None]) for unit in ("s", "ms", "us", "ns")},
    "times before 1970": (pa.array([datetime.datetime(1969, 12, 31, 23)], pa.timestamp("us")), ["1969-12-31"]),
    "a uuid": (pa.array([uuid.UUID(int=7).bytes, None], pa.binary(16)).cast(pa.uuid()),
               ["00000000-0000-0000-0000-000000000007", None]),
    "JSON's own type": (pa.array(["a", None]).cast(pa.json_()), ["a", None]),
}  # fmt: skip


def through_a_file(array: pa.Array, folder: Path, **options: object) -> pa.Array:
    """The column as Parquet gives it back: with the writer's hints about types, and without."""
    pq.write_table(pa.table({"x": array}), folder / "x.parquet", **options)
    return pq.read_table(folder / "x.parquet")["x"].combine_chunks()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("hints", [True, False])
def test_a_value_is_read_as_what_it_means(form: str, hints: bool, tmp_path: Path) -> None:
    array, text = FORMS[form]
    assert as_text(through_a_file(array, tmp_path, store_schema=hints), DATES, price=False).to_list() == text


@pytest.mark.parametrize(
    ("array", "why"),
    [
        (pa.array([[1]]), "list<.*can't be read as text"),
        (pa.array([{"a": 1}]), "struct<.*can't be read as text"),
        (pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int8())), "map<.*can't be read as text"),
        (pa.array([5], pa.duration("s")), r"duration\[s\], which can't be read as text"),
        (pa.array([datetime.time(12)]), "time64.*can't be read as text"),
        (pa.array([b"\xff\xfe"]), "bytes that are not UTF-8 text"),
        (pa.array([uuid.UUID(int=2**127).bytes], pa.binary(16)), "bytes that are not UTF-8 text"),
    ],
    ids=["list", "struct", "map", "duration", "time", "bytes", "hash"],
)
def test_a_form_without_a_meaning_is_refused(array: pa.Array, why: str) -> None:
    with pytest.raises(FormError, match=why):
        as_text(array, DATES, price=False)


@pytest.mark.parametrize(
    "array",
    [
        decimals(pa.decimal32(9, 4), "0.0508", "12.3400", None),
        decimals(pa.decimal128(38, 18), "0.0508", "12.34", None),
        decimals(pa.decimal256(70, 4), "0.0508", "12.34", None),
        pa.array([0.0508, 12.34, float("nan")], pa.float64()),
        pa.array([0.0508, 12.34, None], pa.float32()),
        pa.array(["0.0508", "12.34", None]),
        pa.array([b"0.0508", b"12.34", None], pa.binary()),
    ],
)
def test_prices_are_exact(array: pa.Array) -> None:
    text = as_text(array, DATES, price=True)
    assert text.str.to_decimal(scale=4).to_list() == [Decimal("0.0508"), Decimal("12.3400"), None]


MIDNIGHT = datetime.datetime(2020, 9, 7)
LATE = datetime.datetime(2020, 9, 7, 23, 30)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("own", ["Europe/Stockholm", "America/New_York", "UTC", "+05:30", "-08:00"])
def test_a_zoned_time_is_a_day_of_its_own_zone(own: str, unit: str) -> None:
    zone = pa.timestamp(unit, own)
    local = pa.array([MIDNIGHT, LATE, None], pa.timestamp(unit))
    if own[0] in "+-":
        shift = datetime.timedelta(hours=int(own[:3]), minutes=int(own[0] + own[4:]))
        moments = pa.array([MIDNIGHT - shift, LATE - shift, None], pa.timestamp(unit)).cast(zone)
    else:
        moments = pl.Series(local).dt.replace_time_zone(own).to_arrow().cast(zone)
    assert as_text(moments, DATES, price=False).to_list() == ["2020-09-07", "2020-09-07", None]


@pytest.mark.parametrize(("zone", "day"), [("Europe/Stockholm", "2020-09-08"), ("America/New_York", "2020-09-07")])
@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z"])
def test_or_of_the_zone_that_is_set(zone: str, day: str, form: str) -> None:
    moments = pa.array([LATE, None], pa.timestamp("us", "UTC"))
    dates = DateFormat(form, zone)
    text = as_text(moments, dates, price=False).alias("day")
    days = text.to_frame().select(dates.read(pl.col("day"))).to_series().cast(pl.Date)
    assert days.cast(pl.String).to_list() == [day, None]


@pytest.mark.parametrize(("zone", "day"), [(None, "2020-09-07"), ("Europe/Stockholm", "2020-09-08")])
def test_times_of_96_bits_are_in_utc(zone: str | None, day: str, tmp_path: Path) -> None:
    times = pa.array([LATE, datetime.datetime(4000, 1, 1), None], pa.timestamp("us"))
    path = tmp_path / "spark.parquet"
    pq.write_table(pa.table({"t_dat": times}), path, use_deprecated_int96_timestamps=True)
    settings = DataSettings(raw=tmp_path, root=tmp_path / "data", time_zone=zone)
    (rows,) = read_rows(Part(path, {}), [TRANSACTIONS[0]], {"day": 0}, settings, 0, lambda share: None)
    assert rows.frame["day"].to_list() == [day, "4000-01-01", None]


def test_a_whole_shop_with_the_forms_of_several_writers(shop: SmallShop, make_shop) -> None:  # type: ignore[no-untyped-def]
    plain = make_shop("plain")
    ingest(plain.settings())
    bought = pl.read_csv(io.BytesIO(shop.file("transactions").read_bytes()), infer_schema=False)
    zone = "Europe/Stockholm"
    times = bought["t_dat"].str.to_datetime("%Y-%m-%d", time_unit="us").dt.replace_time_zone(zone)
    pq.write_table(
        pa.table(
            {
                "t_dat": times.to_arrow(),
                "customer_id": bought["customer_id"].to_arrow().cast(pa.binary()),
                "article_id": decimals(pa.decimal128(38, 0), *bought["article_id"]),
                "price": bought["price"].cast(pl.Float64).to_arrow(),
                "sales_channel_id": bought["sales_channel_id"].cast(pl.Int8).to_arrow().dictionary_encode(),
            }
        ),
        shop.raw / "transactions_train.parquet",
    )
    shop.file("transactions").unlink()
    assert ingest(shop.settings()).bad_rows == {}
    assert shop.purchases().equals(plain.purchases())


def test_the_refusal_names_file_and_column(shop: SmallShop) -> None:
    frame = pl.read_csv(shop.file("articles"), infer_schema=False).with_columns(section_no=pl.struct("section_no"))
    frame.write_parquet(shop.file("articles").with_suffix(".parquet"))
    shop.file("articles").unlink()
    with pytest.raises(DataError, match=r"articles\.parquet: its column 'section_no' is of the type struct<"):
        ingest(shop.settings())
