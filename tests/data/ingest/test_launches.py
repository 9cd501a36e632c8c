"""Launch dates: read where the config names them, checked, replaced by later files, and doubted."""

import polars as pl
import pytest
from pydantic import ValidationError
from small_world import SmallShop, article_id, articles, transactions

from hmgpu.core.errors import DataError
from hmgpu.data.ingest import append, ingest
from hmgpu.data.ingest.launches import launches_from_sales
from hmgpu.data.manifest import Manifest
from hmgpu.data.settings import DataSettings
from hmgpu.data.weeks import date_of

NAMED = {"articles": {"launched": "since"}}


def launched(shop: SmallShop, *days: str) -> None:
    """Give the first articles these launch dates, and one that nobody bought the last."""
    rows = articles(range(1, 10))
    for row, day in zip(rows, ["since", *days, *[""] * (9 - len(days))], strict=True):
        row.append(day)
    shop.write("articles", rows)


def dates(shop: SmallShop) -> dict[str, str]:
    table = pl.read_parquet(shop.root / Manifest.read(shop.root).table("articles")).drop_nulls("launched")
    return {row["article_id"]: str(date_of(row["launched"])) for row in table.iter_rows(named=True)}


def test_they_are_read_where_the_config_names_them(shop: SmallShop) -> None:
    launched(shop, "2020-09-01", "2020-10-01")
    assert "articles.launched" not in ingest(shop.settings()).absent
    assert "launched" not in Manifest.read(shop.root).present["articles"]
    with pytest.raises(DataError, match="other files or settings"):
        ingest(shop.settings(columns=NAMED))
    ingest(shop.settings(columns=NAMED), replace=True)
    assert dates(shop) == {article_id(1): "2020-09-01", article_id(2): "2020-10-01"}
    assert Manifest.read(shop.root).present["articles"][-1] == "launched"


def test_a_later_file_moves_them(shop: SmallShop) -> None:
    launched(shop, "2020-09-01", "2020-10-01")
    ingest(shop.settings(columns=NAMED))
    shop.write("transactions", transactions(5, range(1, 3), range(1, 3), days=1, first=date_of(18_600)))
    launched(shop, "2020-09-01", "2020-11-01", "2020-11-02")
    append(shop.settings(columns=NAMED), shop.raw)
    assert dates(shop) == {article_id(n): f"2020-{day}" for n, day in ((1, "09-01"), (2, "11-01"), (3, "11-02"))}


@pytest.mark.parametrize(
    ("day", "reason"), [("1.9.2020", "bad launch date"), ("1900-01-01", "launch date outside 1970..2099")]
)
def test_what_is_not_a_day_is_bad(shop: SmallShop, day: str, reason: str) -> None:
    launched(shop, "2020-09-01", day)
    summary = ingest(shop.settings(columns=NAMED))
    assert summary.bad_rows[reason] == 1
    text = next(path for path in summary.quarantine if "articles" in path.name).read_text()
    assert "3,since" in text


def test_how_days_are_written_is_said_where_no_row_can_be_read(shop: SmallShop) -> None:
    launched(shop, *["9/1/2020"] * 9)
    with pytest.raises(DataError, match=r"'9/1/2020' is not written as `data\.date_format`"):
        ingest(shop.settings(columns=NAMED))


def test_without_a_file_of_articles_there_are_none(shop: SmallShop) -> None:
    with pytest.raises(ValidationError, match="launched needs a file of articles"):
        shop.settings(columns=NAMED, files={"articles": None})
    assert isinstance(shop.settings(columns=NAMED), DataSettings)


def test_dates_that_were_computed_from_the_sales_are_doubted() -> None:
    sold = pl.DataFrame({"first_day": range(200), "launched": range(200)})
    assert "200 of 200 launch dates are the day of the article's first sale" in launches_from_sales(sold)[0]
    some_before = sold.with_columns(launched=pl.col("launched") - (pl.col("first_day") < 3))
    never_sold = pl.DataFrame({"first_day": [None] * 3, "launched": [7] * 3}, schema=sold.schema)
    assert launches_from_sales(some_before) == []
    assert launches_from_sales(pl.concat([sold, never_sold])) == []
    assert launches_from_sales(sold.head(99)) == launches_from_sales(sold.drop("launched")) == []
