"""Only customer, article and day must be there; other columns are absent where the file lacks them."""

import polars as pl
import pytest
from small_world import SmallShop, Table, article_id, customer_id, price, to_csv

from hmgpu.core.errors import DataError
from hmgpu.data.ingest import append, ingest
from hmgpu.data.manifest import Manifest


def without(rows: Table, *names: str) -> Table:
    """The table without these columns."""
    kept = [number for number, name in enumerate(rows[0]) if name not in names]
    return [[row[number] for number in kept] for row in rows]


def bare(shop: SmallShop) -> None:
    """Leave out optional columns of all files."""
    shop.write("transactions", without(shop.read("transactions"), "price", "sales_channel_id"))
    shop.write("articles", [[row[0], row[2]] for row in shop.read("articles")])
    shop.write("customers", without(shop.read("customers"), "age"))


def test_columns_that_the_files_lack_are_absent_and_said(shop: SmallShop) -> None:
    bare(shop)
    summary = ingest(shop.settings())
    assert summary.absent[:3] == ("transactions.price", "transactions.channel", "articles.product")
    assert summary.absent[-1] == "customers.age"
    assert "absent: transactions.price, transactions.channel, articles.product, " in str(summary)
    manifest = Manifest.read(shop.root)
    assert manifest.present["transactions"] == ["day", "customer", "article"]
    assert manifest.present["articles"] == ["article", "name"]
    assert pl.read_parquet(shop.root / manifest.table("articles")).columns == [
        "article",
        "article_id",
        "name",
        "first_day",
    ]
    again = ingest(shop.settings())
    assert (again.action, again.absent) == ("already there", summary.absent)


def test_a_table_that_is_declared_absent_is_not_said_column_by_column(shop: SmallShop) -> None:
    assert ingest(shop.settings(files={"articles": None, "customers": None})).absent == ()


@pytest.mark.parametrize(
    ("table", "raw", "column"),
    [("transactions", "amount", "price"), ("articles", "dept", "department"), ("customers", "years", "age"),
     ("transactions", "pieces", "quantity")],
)  # fmt: skip
def test_a_column_that_the_config_names_must_be_there(shop: SmallShop, table: str, raw: str, column: str) -> None:
    with pytest.raises(DataError, match=rf"no column '{raw}' .*`data\.columns\.{table}\.{column}`"):
        ingest(shop.settings(columns={table: {column: raw}}))


def test_all_missing_columns_are_named_at_once(shop: SmallShop) -> None:
    columns = {"day": "when", "customer": "who", "price": "amount"}
    with pytest.raises(DataError, match=r"'when'.* Also missing: who \(.*customer\), amount \(.*price\)\."):
        ingest(shop.settings(columns={"transactions": columns}))


def test_a_week_has_the_columns_of_the_data_set(shop: SmallShop) -> None:
    bare(shop)
    ingest(shop.settings())
    week = shop.raw.parent / "week.csv"
    week.write_text(f"t_dat,customer_id,article_id,price\n2020-09-21,{customer_id(1)},{article_id(1)},{price(1)}\n")
    assert append(shop.settings(), week).rows == 1
    assert shop.purchases().columns == ["article_id", "customer_id", "day"]


def test_a_week_without_a_column_of_the_data_set_is_refused(shop: SmallShop) -> None:
    ingest(shop.settings())
    week = shop.raw.parent / "week.csv"
    week.write_text(f"t_dat,customer_id,article_id\n2020-09-21,{customer_id(1)},{article_id(1)}\n")
    with pytest.raises(DataError, match=r"no column 'price' .*Also missing: sales_channel_id"):
        append(shop.settings(), week)


def described(shop: SmallShop, rows: list[tuple[str, int, str, str]]) -> Table:
    """Sales (day of September 2020, article, name, kind)."""
    sales = [[f"2020-09-{day}", customer_id(1), article_id(what), name, kind] for day, what, name, kind in rows]
    return [["t_dat", "customer_id", "article_id", "Description", "kind"], *sales]


def test_names_of_articles_may_come_from_the_transactions(shop: SmallShop) -> None:
    files = {"articles": None, "customers": None}
    columns = {"articles": {"name": "Description", "product_type": "kind"}}
    rows = [("09", 2, "", "hats"), ("08", 1, "coat", ""), ("09", 1, "COAT", "coats"), ("10", 2, "hat", "caps"),
            ("10", 2, "a hat", "caps"), ("11", 3, "", "")]  # fmt: skip
    seen = []
    for order in (rows, rows[::-1]):
        shop.write("transactions", described(shop, order))
        ingest(shop.settings(files=files, columns=columns), replace=bool(seen))
        manifest = Manifest.read(shop.root)
        articles = pl.read_parquet(shop.root / manifest.table("articles"))
        codes = pl.read_parquet(shop.root / manifest.table("codes"))
        assert manifest.present["articles"] == ["article", "name", "product_type"]
        assert articles["name"].to_list() == ["coat", "a hat", None]
        assert codes.rows() == [("product_type", 0, "coats"), ("product_type", 1, "hats")]
        assert articles["product_type"].to_list() == [0, 1, None]
        seen.append(articles)
    assert seen[0].equals(seen[1])
    week = shop.raw.parent / "week.csv"
    week.write_bytes(
        to_csv(described(shop, [("21", 3, "belt", "belts"), ("21", 2, "x", "x"), ("22", 4, "bag", "hats")]))
    )
    append(shop.settings(files=files, columns=columns), week)
    manifest = Manifest.read(shop.root)
    articles = pl.read_parquet(shop.root / manifest.table("articles"))
    assert articles["name"].to_list() == ["coat", "a hat", "belt", "bag"]
    assert articles["product_type"].to_list() == [0, 1, 2, 1]
    assert pl.read_parquet(shop.root / manifest.table("codes"))["value"].to_list() == ["coats", "hats", "belts"]


def test_whole_numbers_that_pandas_wrote_with_a_point_are_the_ids_without_it(shop: SmallShop) -> None:
    rows = [["t_dat", "customer_id", "article_id"]]
    rows += [["2020-09-09", "17850.0", "1.0"], ["2020-09-10", "17850", "01"], ["2020-09-11", "17850.5", "1"]]
    shop.write("transactions", rows)
    given = {"files": {"articles": None, "customers": None}, "article_pattern": r"\d+", "customer_pattern": r"\d{5}"}
    summary = ingest(shop.settings(**given, clean_ids=["whole"], max_bad_rows=1))
    assert (summary.rows, summary.bad_rows) == (2, {"malformed customer id": 1})
    assert set(shop.purchases().select("customer_id", "article_id").rows()) == {("17850", "1"), ("17850", "01")}


@pytest.mark.parametrize(
    ("step", "pattern", "written"),
    [("whole", r"\d{5}", "17850.0"), ("trim", r"\d{5}", " 17850 "), ("upper", "[A-Z]+", "anna")],
)
def test_a_quote_left_open_costs_one_row_where_ids_are_cleaned(
    shop: SmallShop, step: str, pattern: str, written: str
) -> None:
    rows = [f"2020-09-{day:02},{written},1" for day in range(1, 10)]
    rows[3] = '"' + rows[3]
    rows[7] = f'"2020-09-08",{written},1'  # a quote that might close it
    shop.file("transactions").write_text("\n".join(["t_dat,customer_id,article_id", *rows, ""]))
    given = {"files": {"articles": None, "customers": None}, "article_pattern": r"\d+", "customer_pattern": pattern}
    summary = ingest(shop.settings(**given, clean_ids=[step], max_bad_rows=1))
    assert (summary.rows, summary.bad_rows) == (8, {"unclosed quote": 1})


def test_ids_are_trimmed_and_in_capitals_where_the_config_says_so(shop: SmallShop) -> None:
    rows = [["t_dat", "customer_id", "article_id"]]
    rows += [["2020-09-09", " anna", "a-1 "], ["2020-09-10", "Anna", "A-1"], ["2020-09-11", "  ", "A-1"]]
    shop.write("transactions", rows)
    given = {
        "files": {"articles": None, "customers": None},
        "article_pattern": r"[A-Z]-\d",
        "customer_pattern": "[A-Z]+",
    }
    summary = ingest(shop.settings(**given, clean_ids=["trim", "upper"]))
    assert (summary.rows, summary.bad_rows) == (2, {"missing customer id": 1})
    assert set(shop.purchases().select("customer_id", "article_id").rows()) == {("ANNA", "A-1")}
