"""Print the marginals of raw folders side by side: how alike a synthetic world and real data are.

python scripts/marginals.py demo/raw "$HMGPU_REAL_DATA" --until 2020-08-25 --sample 1364
"""

import datetime
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
PRICE_UNIT = 59_000
SEASONAL_WORDS = ("swim", "knit")

Marginals = dict[str, str]


def quantiles(values: pl.Series, digits: int = 0, at: tuple[float, ...] = QUANTILES) -> str:
    """Quantiles as text, separated by slashes."""
    found = (values.drop_nulls().quantile(q, "nearest") for q in at)
    return " / ".join("-" if v is None else f"{v:.{digits}f}" for v in found)


def percent(part: float, whole: float) -> str:
    """A share as text."""
    return f"{100 * part / whole:.2f} %" if whole else "-"


def share(holds: pl.Series) -> str:
    """Share of the entries that are true, as text."""
    return percent(int(holds.fill_null(False).sum()), len(holds))


def load(folder: Path, until: datetime.date | None) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Transactions (with price units, week and product), articles and customers of a raw folder."""
    rows = pl.read_csv(
        folder / "transactions_train.csv", glob=False, schema_overrides={"article_id": pl.String, "t_dat": pl.Date}
    )
    if until:
        rows = rows.filter(pl.col("t_dat") <= until)
    last = pl.col("t_dat").max()
    rows = rows.with_columns(
        customer_id=pl.col("customer_id").cast(pl.Categorical),
        article_id=pl.col("article_id").cast(pl.Categorical),
        product=pl.col("article_id").str.slice(0, 7).cast(pl.Categorical),
        units=(pl.col("price") * PRICE_UNIT).round().cast(pl.Int32),
        ago=(last - pl.col("t_dat")).dt.total_days() // 7,
    )
    articles = pl.read_csv(folder / "articles.csv", glob=False, infer_schema=False)
    customers = pl.read_csv(folder / "customers.csv", glob=False, infer_schema=False)
    return rows, articles, customers


def customer_marginals(rows: pl.DataFrame, customers: pl.DataFrame) -> Marginals:
    """How much and how often customers buy, who is new and who is gone."""
    by_customer = rows.group_by("customer_id").agg(
        rows=pl.len(), days=pl.col("t_dat").n_unique(), first=pl.col("ago").max(), latest=pl.col("ago").min()
    )
    weekly = rows.join(by_customer, on="customer_id").filter(pl.col("ago") < 12)
    ages = customers["age"].cast(pl.Float64)
    codes = customers["postal_code"].value_counts(sort=True)["count"]
    online = rows.group_by("customer_id").agg(n=pl.len(), online=(pl.col("sales_channel_id") == 2).mean())
    return {
        "customers with purchases": f"{by_customer.height:,}",
        "rows a customer": quantiles(by_customer["rows"]),
        "rows a customer, mean": f"{rows.height / by_customer.height:.1f}",
        "shopping days a customer": quantiles(by_customer["days"]),
        "customers without a purchase in the last 13 weeks": share(by_customer["latest"] >= 13),
        "rows by customers first seen that week (mean of 12 weeks)": share(weekly["first"] == weekly["ago"]),
        "age": quantiles(ages),
        "age unknown": share(ages.is_null()),
        "FN": share(customers["FN"].is_not_null()),
        "largest postal code, share of customers": percent(codes[0], len(customers)),
        "customers a postal code, mean": f"{len(customers) / len(codes):.2f}",
        "online share a customer (10 rows or more)": quantiles(online.filter(pl.col("n") >= 10)["online"], 2),
    }


def basket_marginals(rows: pl.DataFrame) -> Marginals:
    """Baskets (a customer's day), units, gaps between shopping days, channel and price."""
    baskets = rows.group_by("customer_id", "t_dat").agg(rows=pl.len(), articles=pl.col("article_id").n_unique())
    gaps = baskets.sort("customer_id", "t_dat").select(
        pl.col("t_dat").diff().over("customer_id").dt.total_days().alias("gap")
    )["gap"]
    dearest = pl.col("units").max().over("article_id")
    known = pl.len().over("article_id") >= 8
    paid = rows.select(known.alias("known"), (pl.col("units") / dearest).alias("paid")).filter("known")["paid"]
    return {
        "rows a basket": quantiles(baskets["rows"]),
        "rows a basket, mean": f"{rows.height / baskets.height:.2f}",
        "rows / different articles of a basket": f"{rows.height / baskets['articles'].sum():.3f}",
        "days between shopping days": quantiles(gaps),
        "online rows": share(rows["sales_channel_id"] == 2),
        "price in units of 1/59000": quantiles(rows["units"]),
        "price / the article's highest (8 rows or more)": quantiles(paid, 2, (0.05, 0.1, 0.25, 0.5, 0.75)),
    }


def repeat_marginals(rows: pl.DataFrame) -> Marginals:
    """Share of a customer's (article, day) pairs that were bought before, by weeks since the last time."""
    found: Marginals = {}
    for key, name in (("article_id", "article"), ("product", "product")):
        pairs = rows.select("customer_id", key, "t_dat").unique().sort("customer_id", key, "t_dat")
        since = pairs.select(pl.col("t_dat").diff().over("customer_id", key).dt.total_days().alias("s"))["s"]
        found[f"{name} bought before"] = share(since.is_not_null())
        for low, high in ((0, 1), (1, 2), (2, 3), (3, 5), (5, 9), (9, 17), (17, 105)):
            found[f"{name} bought before, {low} to {high} weeks ago"] = share(since.is_between(7 * low, 7 * high - 1))
    return found


def article_marginals(rows: pl.DataFrame, articles: pl.DataFrame) -> Marginals:
    """Catalogue, life and popularity of articles, and the seasons of two garment groups."""
    week = rows.filter(pl.col("ago") == 0).group_by("article_id").len().sort("len", descending=True)["len"]
    lives = rows.group_by("article_id").agg(
        n=pl.len(), days=(pl.col("t_dat").max() - pl.col("t_dat").min()).dt.total_days()
    )
    found = {
        "rows": f"{rows.height:,}",
        "articles in the catalogue": f"{articles.height:,}",
        "articles a product": f"{articles.height / articles['product_code'].n_unique():.2f}",
        "articles without a description": share(articles["detail_desc"].is_null()),
        "articles sold": f"{lives.height:,}",
        "articles sold in the last week": f"{len(week):,}",
        "days from first to last sale": quantiles(lives["days"]),
        "days from first to last sale (5 rows or more)": quantiles(lives.filter(pl.col("n") >= 5)["days"]),
    }
    for top in (1, 10, 100, 1000):
        found[f"share of the last week's rows of the top {top}"] = percent(int(week.head(top).sum()), int(week.sum()))
    groups = articles.select(
        pl.col("article_id").cast(pl.Categorical), group=pl.col("garment_group_name").str.to_lowercase()
    )
    dated = rows.select("article_id", month=pl.col("t_dat").dt.month()).join(groups, on="article_id")
    for word in SEASONAL_WORDS:
        own = dated.group_by("month").agg(share=pl.col("group").str.contains(word).mean()).sort("share")
        if own.height:
            low, high = own.row(0), own.row(-1)
            found[f"{word}*: lowest and highest share of a month's rows"] = (
                f"{percent(low[1], 1)} (month {low[0]}) .. {percent(high[1], 1)} (month {high[0]})"
            )
    return found


def main(
    folders: Annotated[list[Path], typer.Argument(help="raw folders, one column each")],
    sample: Annotated[
        int | None, typer.Option(help="a second column for larger folders: so many customers, evenly spaced")
    ] = None,
    until: Annotated[str | None, typer.Option(help="leave out what was bought after this day (YYYY-MM-DD)")] = None,
) -> None:
    """Print a Markdown table of marginals."""
    last = datetime.date.fromisoformat(until) if until else None
    columns: dict[str, Marginals] = {}
    for number, folder in enumerate(folders, 1):
        rows, articles, customers = load(folder, last)
        parts = {f"{number}: {folder.name}": (rows, customers)}
        if sample and len(customers) > sample:
            # Ids are hashes: every n-th in their order is a fair draw, and always the same one.
            some = customers.sort("customer_id").gather_every(len(customers) // sample).head(sample)
            ids = some.select(pl.col("customer_id").cast(pl.Categorical))
            parts[f"{number}: {folder.name}, {sample:,} customers"] = (
                rows.join(ids, on="customer_id", how="semi"),
                some,
            )
        for name, (own, people) in parts.items():
            columns[name] = (
                article_marginals(own, articles)
                | customer_marginals(own, people)
                | basket_marginals(own)
                | repeat_marginals(own)
            )
    names = list(columns)
    print(f"Quantiles are at {', '.join(map(str, QUANTILES))} unless five are given (.05, .1, .25, .5, .75).\n")
    print("| | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|")
    for label in columns[names[0]]:
        print(f"| {label} | " + " | ".join(columns[name].get(label, "-") for name in names) + " |")


if __name__ == "__main__":
    typer.run(main)
