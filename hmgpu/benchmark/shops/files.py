"""Write the raw files of the generated shops."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import polars as pl

from hmgpu.benchmark.shops import Shop
from hmgpu.benchmark.shops.giftware import giftware
from hmgpu.data.settings import ColumnNames, DataSettings, Files
from hmgpu.data.synthetic import synthesize
from hmgpu.data.synthetic.span import FIRST_DATE
from hmgpu.data.weeks import DAYS

FILE = "transactions_train.csv"
YOUNG_SCALE, YOUNG_CUSTOMERS, YOUNG_WEEKS = 0.02, 12_000, 8


def _write_giftware(raw: Path, seed: int) -> None:
    """Customers, articles and days of a giftware shop, and nothing else."""
    raw.mkdir(parents=True)
    day = (pl.lit(FIRST_DATE) + pl.duration(days="day")).alias("t_dat")
    names = [pl.col(name).cast(pl.String).str.zfill(5).alias(f"{name}_id") for name in ("customer", "article")]
    giftware(seed).select(day, *names).write_csv(raw / FILE)


def _write_newcomer(raw: Path, seed: int) -> None:
    """The last eight weeks of a small clothing shop, whose earlier sales nobody kept."""
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole"
        synthesize(whole, YOUNG_SCALE, seed, customers=YOUNG_CUSTOMERS)
        raw.mkdir(parents=True)
        sold = pl.read_csv(whole / FILE, infer_schema=False)
        day = pl.col("t_dat").str.to_date()
        recent = sold.filter(day > day.max() - pl.duration(days=DAYS * YOUNG_WEEKS))
        for name, key in (("articles.csv", "article_id"), ("customers.csv", "customer_id")):
            table = pl.read_csv(whole / name, infer_schema=False)
            table.join(recent, on=key, how="semi", maintain_order="left").write_csv(raw / name)
        recent.write_csv(raw / FILE)


SHOPS: dict[Shop, Callable[[Path, int], None]] = {"giftware": _write_giftware, "newcomer": _write_newcomer}


def write_shop(shop: Shop, raw: Path, seed: int) -> None:
    """Write the raw files of `shop` into the new folder `raw`; the same seed gives the same bytes."""
    SHOPS[shop](raw, seed)


def shop_settings(shop: Shop, place: Path) -> DataSettings:
    """Return the settings of the data set in `place`, with what the shop's files lack."""
    if shop == "newcomer":
        return DataSettings(raw=place / "raw", root=place / "data")
    return DataSettings(
        raw=place / "raw",
        root=place / "data",
        files=Files(articles=None, customers=None),
        columns=ColumnNames(transactions={"price": None, "channel": None}),
        article_pattern=r"\d{5}",
        customer_pattern=r"\d{5}",
        week_starts="thursday",
    )
