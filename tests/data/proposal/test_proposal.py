"""A config is proposed for a retailer's files, whatever form they have, and it reads them."""

import datetime
from pathlib import Path

import polars as pl
import pytest
import yaml
from small_world import SmallShop

from hmgpu.core.errors import DataError
from hmgpu.data.ingest import ingest
from hmgpu.data.proposal.proposal import propose
from hmgpu.data.settings import DataSettings
from hmgpu.data.store import Store

GERMAN = {
    "t_dat": "Kaufdatum",
    "customer_id": "Kunde",
    "article_id": "Artikel-Nr",
    "price": "Preis",
    "sales_channel_id": "Kanal",
}
OF_ARTICLES = {
    "article_id": "Artikel-Nr",
    "prod_name": "Bezeichnung",
    "colour_group_name": "Farbe",
    "product_type_name": "Warengruppe",
}


def settings_of(text: str) -> DataSettings:
    """The proposed settings, read as any config is."""
    return DataSettings.model_validate(yaml.safe_load(text)["data"])


def as_german(shop: SmallShop) -> Path:
    """Write the shop's tables in other languages, encodings and notations; returns their folder."""
    folder = shop.raw.parent / "exports"
    folder.mkdir()
    sold = pl.read_csv(shop.file("transactions"), infer_schema=False).rename(GERMAN)
    day = pl.col("Kaufdatum").str.to_date().dt.strftime("%d.%m.%Y 18:30")
    cents = (pl.col("Preis").cast(pl.Float64) * 59000).round().cast(pl.Int64)  # 1 to 2999
    price = pl.format("1.{},{}", pl.lit("000"), (cents % 100).cast(pl.String).str.zfill(2))
    sold = sold.with_columns(day, price.alias("Preis"), Kanal=pl.col("Kanal").replace({"1": "Laden", "2": "Netz"}))
    (folder / "Verkäufe.csv").write_bytes(
        sold.with_columns(Menge=pl.lit("2")).write_csv(separator=";").encode("cp1252")
    )
    articles = pl.read_csv(shop.file("articles"), infer_schema=False).select(OF_ARTICLES.keys()).rename(OF_ARTICLES)
    (folder / "Artikel.tsv").write_bytes(articles.write_csv(separator="\t").encode("utf-16"))
    (folder / "readme.html").write_text("<html></html>")
    (folder / "Filialen.csv").write_text("Ort,Umsatz\nUlm,3\n")
    return folder


def test_h_and_m_s_own_files(shop: SmallShop) -> None:
    proposal = propose(shop.raw, shop.root)
    found, usual = settings_of(proposal.text), shop.settings()
    assert found.article_pattern == usual.article_pattern
    assert found.customer_pattern == usual.customer_pattern
    assert (found.price_unit, found.date_format, set(found.channels)) == ("1/59000", "%Y-%m-%d", {"1", "2"})
    assert found.columns.transactions == {c: raw for c, raw in usual.columns.of("transactions").items() if raw}
    assert ingest(found).bad_rows == {}


def test_files_of_another_shop(shop: SmallShop) -> None:
    ingest(shop.settings())
    proposal = propose(as_german(shop), shop.root.with_name("german"))
    found = settings_of(proposal.text)
    assert found.columns.transactions == {
        "day": "Kaufdatum",
        "customer": "Kunde",
        "article": "Artikel-Nr",
        "quantity": "Menge",
        "price": "Preis",
        "channel": "Kanal",
    }
    assert found.files.model_dump() == {"transactions": "Verkäufe", "articles": "Artikel", "customers": None}
    assert found.columns.articles == {
        "article": "Artikel-Nr",
        "product_type": "Warengruppe",
        "product_type_name": "Warengruppe",
        "colour": "Farbe",
        "colour_name": "Farbe",
        "name": "Bezeichnung",
    }
    assert (found.decimal, found.thousands, found.encoding, found.price_unit) == (",", ".", "utf-8", "0.01")
    assert found.date_format == "%d.%m.%Y %H:%M"
    assert proposal.text.startswith("# Proposed by `hmgpu init")
    assert [each for each in proposal.unsure if "Filialen.csv" in each or "readme.html" in each] == list(
        proposal.unsure
    )
    assert ingest(found).bad_rows == {}
    one, two = (
        Store(root).as_of(10**6).transactions.select("day", "customer", "article") for root in (shop.root, found.root)
    )
    assert two.collect().height == 2 * one.collect().height  # two units a row


def test_the_week_ends_with_the_last_day(shop: SmallShop) -> None:
    found = settings_of(propose(shop.raw, shop.root).text)
    ingest(found)
    store = Store(found.root)
    assert store.last_complete_week.last_day == store.last_day


def test_what_cannot_be_told_is_said(shop: SmallShop) -> None:
    path = shop.file("transactions")
    header, *rows = path.read_text().splitlines()
    odd = [f"{row[8:10]}/09/2020{row[10:]}" for row in rows if int(row[8:10]) < 12]
    path.write_text("\n".join([header.replace("price", "note"), *odd]))
    said = propose(shop.raw, shop.root).unsure
    assert "date_format: the days may also be written as %m/%d/%Y." in said
    assert any("price: no column was recognised" in each for each in said)


def as_invoices(shop: SmallShop) -> Path:
    """Write a year of invoices as a spreadsheet has them: days as m/d/yyyy, ids as floats, gaps, one slip of a day."""
    folder = shop.raw.parent / "invoices"
    folder.mkdir()
    lines = ["StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country"]
    first = datetime.date(2009, 12, 1)
    for day in (first + datetime.timedelta(n) for n in range(200)):
        said = f"{day.month}/{day.day}/{day.year} 8:26"
        for n in range(10):
            customer = "" if n < 2 else f"{17850 + n}.0"
            title = "damaged" if n == day.day == 5 else f"CAF\u00c9 SIGN {n % 4}"
            lines.append(f"2000{n % 4},{title},{6 - n % 2},{said},2.{n}5,{customer},United Kingdom")
    lines.insert(1500, "20000,CAF\u00c9 SIGN 0,1,1/1/2099 8:00,2.05,17855.0,United Kingdom")
    (folder / "invoices.csv").write_bytes("\n".join(lines).encode("cp1252"))
    return folder


def test_invoices_of_a_spreadsheet_are_read_as_proposed(shop: SmallShop) -> None:
    proposal = propose(as_invoices(shop), shop.root)
    found = settings_of(proposal.text)
    assert found.date_format == "%-m/%-d/%Y %-H:%M"  # the first thousand rows could also be %-d/%-m
    assert not any("date_format" in each for each in proposal.unsure)
    assert (found.customer_pattern, found.clean_ids) == (r"\d{5}", ("whole",))
    assert found.columns.articles == {"name": "Description"}
    assert found.max_bad_rows == {"missing customer id": 0.24, "other": 0.001}
    assert found.last_day is None  # it would refuse the next week
    summary = ingest(found)
    assert summary.bad_rows == {"missing customer id": 400}
    assert summary.left_out == {"for which data.where is not true": 1}
    assert (str(summary.first_day), str(summary.last_day), summary.warnings) == ("2009-12-01", "2010-06-18", ())
    assert summary.rows == 200 * 4 * (6 + 5)  # without the two of ten that have no customer
    store = Store(found.root)
    assert store.last_complete_week.last_day == store.last_day
    assert set(store.customer_ids().collect()["customer_id"]) == {str(17850 + n) for n in range(2, 10)}


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "No file in .* was recognised as the purchases.*there is none"),
        ({"a.csv": "x,y\n1,2\n"}, "a.csv has x, y"),
        ({"a.xlsx": "PK"}, "unknown ending"),
    ],
)
def test_no_purchases(tmp_path: Path, files: dict[str, str], says: str) -> None:
    (tmp_path / "raw").mkdir()
    for name, text in files.items():
        (tmp_path / "raw" / name).write_text(text)
    with pytest.raises(DataError, match=says):
        propose(tmp_path / "raw", tmp_path / "data")
    with pytest.raises(DataError, match="There is no folder"):
        propose(tmp_path / "nowhere", tmp_path / "data")
