"""Print the marginals of data sets side by side: how alike a generated world and real data are.

python scripts/marginals.py demo/data other/data --customers 11440 --until 2020-08-22

Each folder is one that `hmgpu ingest` wrote; what a data set lacks (products, prices, ages) is left out of its column.
"""

import datetime
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from hmgpu.core.engine import Engine
from hmgpu.data.explore.whole import Whole, total
from hmgpu.data.store import Store
from hmgpu.data.weeks import DAYS, day_number

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
TOPS = (1, 12, 50, 100, 1000)
BANDS = ((0, 1), (1, 2), (2, 3), (3, 5), (5, 9), (9, 17), (17, 27), (27, 53), (53, 105))  # weeks
GAPS = (1, 2, 3, 7, 14, 28)  # days
LAGS = (1, 2, 4, 8, 13, 26, 52)  # weeks
AGES = (1, 2, 4, 8, 13, 26, 52)  # weeks
APART = ((1, 7), (8, 30), (31, 90), (91, 800))  # days
BASKETS = (1, 2, 3, 4, 6, 8)
LATELY = 12  # weeks
ATTRIBUTES = ("product", "department", "section", "index_group", "product_type")
SEASONAL = ("swim", "knit")

Marginals = dict[str, str]


def quantiles(values: pl.Series, digits: int = 0, at: tuple[float, ...] = QUANTILES) -> str:
    """Quantiles as text, separated by slashes."""
    found = (values.drop_nulls().quantile(q, "nearest") for q in at)
    return " / ".join("-" if v is None else f"{v:.{digits}f}" for v in found)


def shares(values: Iterable[float | None], digits: int = 1) -> str:
    """Shares in percent as text, separated by slashes."""
    return " / ".join("-" if v is None else f"{100 * v:.{digits}f}" for v in values) + " %"


def mean(values: pl.Series) -> float | None:
    """The mean of numbers, or the share of the entries that are true."""
    return values.cast(pl.Float64).mean()  # type: ignore[return-value]


def last_day(rows: pl.DataFrame) -> int:
    """The last day on which anything was bought."""
    return int(rows["day"].max())  # type: ignore[arg-type]


def load(
    root: Path, until: datetime.date | None, customers: int | None, days: list[datetime.date]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows (customer, article, day, price?, channel?, attributes) and customers (customer, age?) of a data set."""
    whole = Whole(Store(root), Engine.choose("cpu"))
    history = whole.history
    wanted = [name for name in (*ATTRIBUTES, "garment_group_name") if history.has(name)]
    rows = history.transactions.join(history.articles.select("article", *wanted), on="article")
    people = history.customers.select("customer", *(["age"] if history.has("age") else []))
    if until:
        rows = rows.filter(pl.col("day") <= day_number(until))
    if days:
        rows = rows.filter(pl.col("day").is_in([day_number(day) for day in days]))
    if customers:
        # Ids are hashes, and keys follow them: every n-th is a fair sample, and always the same one.
        step = max(1, whole.store.manifest.customers // customers)
        some = (pl.col("customer") % step == 0) & (pl.col("customer") // step < customers)
        rows, people = rows.filter(some), people.filter(some)
    return whole.engine.collect(rows), whole.engine.collect(people)


def of_customers(rows: pl.DataFrame, people: pl.DataFrame) -> Marginals:
    """How much and how often customers buy, who is new, who is gone, and how old they are."""
    last, day = last_day(rows), pl.col("day")
    table = rows.group_by("customer").agg(n=pl.len(), days=day.n_unique(), first=day.min(), latest=day.max())
    lately = rows.filter(day > last - DAYS * LATELY).join(table, on="customer")
    most = table["n"].sort(descending=True).head(max(1, table.height // 100))
    week = (last - day) // DAYS
    buyers = lately.group_by(w=week).agg(n=pl.col("customer").n_unique())["n"]
    found = {
        "rows": f"{rows.height:,}",
        "customers with purchases": f"{table.height:,}",
        "rows a customer": f"{quantiles(table['n'])}, mean {mean(table['n']):.1f}",
        "shopping days a customer": quantiles(table["days"]),
        "rows of the busiest 1 % of customers": shares([total(most) / rows.height]),
        "customers without a purchase in the last 13 weeks": shares([mean(table["latest"] <= last - 91)]),
        "buyers a week (12 weeks)": f"{mean(buyers) or 0:,.0f}",
        "rows by customers first seen that week (12 weeks)": shares(
            [lately.select((week == (last - pl.col("first")) // DAYS).mean()).item()]
        ),
    }
    if "age" in people.columns:
        found |= {"age": quantiles(people["age"]), "age unknown": shares([mean(people["age"].is_null())])}
    return found


def of_baskets(rows: pl.DataFrame) -> Marginals:
    """Baskets (a customer's day), gaps between them, units, channel and price."""
    lines = rows.group_by("customer", "day", "article").agg(units=pl.len())
    baskets = lines.group_by("customer", "day").agg(units=pl.col("units").sum(), lines=pl.len()).sort("customer", "day")
    gaps = baskets.select(pl.col("day").diff().over("customer")).to_series().drop_nulls()
    found = {
        "rows a basket": f"{quantiles(baskets['units'])}, mean {mean(baskets['units']):.2f}",
        "baskets of 1 / 2 / 3 / 4 / 5 / 6 articles": shares(mean(baskets["lines"] == n) for n in range(1, 7)),
        "lines of 2 / 3 / 4 / 6 / 10 units or more": shares((mean(lines["units"] >= n) for n in (2, 3, 4, 6, 10)), 2),
        "days between baskets": quantiles(gaps),
        f"gaps of at most {' / '.join(map(str, GAPS))} days": shares(mean(gaps <= days) for days in GAPS),
    }
    if "channel" in rows.columns:
        own = rows.group_by("customer").agg(n=pl.len(), online=(pl.col("channel") == 1).mean())
        found["online rows"] = shares([mean(rows["channel"] == 1)])
        found["online share a customer (10 rows or more)"] = quantiles(own.filter(pl.col("n") >= 10)["online"], 2)
    if "price" in rows.columns:
        paid = pl.col("price") / pl.col("price").max().over("article")
        often = rows.select(paid=paid, n=pl.len().over("article")).filter(pl.col("n") >= 8)["paid"]
        found["price, in the data's unit"] = quantiles(rows["price"])
        found["price / the article's highest (8 rows or more), at .05 .1 .25 .5"] = quantiles(
            often, 2, (0.05, 0.1, 0.25, 0.5)
        )
    return found


def of_repeats(rows: pl.DataFrame) -> Marginals:
    """What is bought again, how long after, and by which baskets."""
    found: Marginals = {}
    for key in ("article", "product"):
        if key not in rows.columns:
            continue
        pairs = rows.select("customer", key, "day").unique().sort("customer", key, "day")
        pairs = pairs.with_columns(since=pl.col("day").diff().over("customer", key))
        since = pairs["since"]
        found[f"{key} bought before"] = shares([mean(since.is_not_null())], 2)
        found[f"… 0-1 / 1-2 / 2-3 / 3-5 / 5-9 / 9-17 / 17-27 / 27-53 / 53- weeks ago ({key})"] = shares(
            (mean(since.is_between(DAYS * low, DAYS * high - 1).fill_null(False)) for low, high in BANDS), 2
        )
        if key == "article":
            found |= _baskets_with_repeats(pairs)
    return found


def _baskets_with_repeats(pairs: pl.DataFrame) -> Marginals:
    again = pl.col("since").is_not_null()
    baskets = pairs.group_by("customer", "day").agg(n=pl.len(), again=again.any()).sort("customer", "day")
    baskets = baskets.with_columns(gap=pl.col("day").diff().over("customer")).drop_nulls("gap")

    def having(condition: pl.Expr) -> float | None:
        return mean(baskets.filter(condition)["again"])

    days = ((1, 1), (2, 2), (3, 4), (5, 7), (8, 14), (15, 28), (29, 56), (57, 119), (120, 800))
    sizes = [having(pl.col("n") == n if n < BASKETS[-1] else pl.col("n") >= n) for n in BASKETS]
    return {
        "later baskets with a repeat, of 1 / 2 / 3 / 4 / 6 / 8 or more articles": shares(sizes),
        "… after 1 / 2 / 3-4 / 5-7 / 8-14 / 15-28 / 29-56 / 57-119 / 120 or more days": shares(
            having(pl.col("gap").is_between(*band)) for band in days
        ),
    }


def of_popularity(rows: pl.DataFrame) -> Marginals:
    """How sales are spread over articles in a day and a week, how fast that turns over, and how old articles are."""
    last = last_day(rows)
    sold = rows.group_by("article", ago=(last - pl.col("day")) // DAYS).agg(n=pl.len())
    weeks = {
        ago: part.sort("n", "article", descending=[True, False])
        for (ago,), part in sold.filter(pl.col("ago") < 60).partition_by("ago", as_dict=True).items()
    }

    def taken(now: pl.DataFrame, top: pl.DataFrame) -> float:
        return total(now.join(top, on="article", how="semi")["n"]) / total(now["n"])

    lately = [weeks[ago] for ago in range(LATELY) if ago in weeks]
    curve = [sum(total(w["n"].head(k)) / total(w["n"]) for w in lately) / len(lately) for k in TOPS]
    days = rows.group_by("day", "article").agg(n=pl.len()).sort("day", "n", descending=True)
    tops = days.group_by("day").agg(total=pl.col("n").sum(), **{str(k): pl.col("n").head(k).sum() for k in TOPS})
    daily = tops.select((pl.col(str(k)) / pl.col("total")).mean() for k in TOPS).row(0)
    found = {
        "articles sold a week (12 weeks)": f"{sum(w.height for w in lately) / len(lately):,.0f}",
        "share of a day's rows of its top 1 / 12 / 50 / 100 / 1000": shares(list(daily)),
        "share of a week's rows of its top 1 / 12 / 50 / 100 / 1000": shares(curve),
    }
    for lag in LAGS:
        both = [(weeks[ago], weeks[ago + lag]) for ago in range(8) if ago in weeks and ago + lag in weeks]
        if both:
            found[f"… of the top 12 / 50 / 100 / 1000 of {lag} weeks before"] = shares(
                sum(taken(now, past.head(k)) for now, past in both) / len(both) for k in TOPS[1:]
            )
    first = rows.group_by("article").agg(first=pl.col("day").min())
    aged = rows.filter(pl.col("day") > last - DAYS * LATELY).join(first, on="article")
    age = aged["day"] - aged["first"]
    year = first.filter(pl.col("first") > last - 364)
    return found | {
        "articles first sold, a week (52 weeks)": f"{year.height / 52:,.0f}",
        f"rows of articles first sold less than {' / '.join(map(str, AGES))} weeks ago": shares(
            mean(age < DAYS * weeks_) for weeks_ in AGES
        ),
    }


def of_tastes(rows: pl.DataFrame) -> Marginals:
    """How much likelier than chance two purchases of a customer share an attribute, by the days between them."""
    names = [name for name in ATTRIBUTES if name in rows.columns]
    if "product" not in names:
        return {}
    lines = rows.select("customer", "day", "article", *names).unique(["customer", "day", "article"])
    lines = lines.with_columns(month=pl.col("day") // 30).sort("customer", "day", "article")
    # A few lines of a few baskets a customer: otherwise the busiest customers would be all there is to see.
    place, basket = pl.int_range(pl.len()).over("customer", "day"), pl.col("day").rank("dense").over("customer")
    lines = lines.filter((place < 4) & (basket <= 40) & (pl.col("customer").rank("dense") <= 4000))
    pairs = lines.join(lines, on="customer", suffix="_later")
    gap = pl.col("day_later") - pl.col("day")
    pairs = pairs.filter((gap > 0) & (pl.col("product") != pl.col("product_later"))).with_columns(gap=gap)
    found: Marginals = {}
    for name in names[1:]:
        month = (
            lines.group_by("month", name).len().with_columns(share=pl.col("len") / pl.col("len").sum().over("month"))
        )
        month = month.select("month", name, "share")
        lifts = []
        for low, high in APART:
            some = pairs.filter(pl.col("gap").is_between(low, high))
            months = some.group_by("month", "month_later").len()
            chance = months.join(month, on="month").join(
                month.rename({"month": "month_later", "share": "share_later"}), on=["month_later", name]
            )
            expected = chance.select((pl.col("len") * pl.col("share") * pl.col("share_later")).sum()).item()
            same = some.select((pl.col(name) == pl.col(f"{name}_later")).sum()).item()
            lifts.append(f"{same / expected:.2f}" if expected else "-")
        found[f"same {name}, times chance, after 1-7 / 8-30 / 31-90 / 91 or more days"] = " / ".join(lifts)
    return found


def of_seasons(rows: pl.DataFrame) -> Marginals:
    """The lowest and highest share of two seasonal garment groups in a month's rows."""
    if "garment_group_name" not in rows.columns:
        return {}
    month = pl.from_epoch(pl.col("day"), time_unit="d").dt.month()
    group = pl.col("garment_group_name").str.to_lowercase()
    found: Marginals = {}
    for word in SEASONAL:
        own = rows.group_by(month=month).agg(share=group.str.contains(word).mean()).sort("share")
        (low, least), (high, most) = own.row(0), own.row(-1)
        found[f"{word}*: lowest and highest share of a month's rows"] = (
            f"{shares([least])} (month {low}) .. {shares([most])} (month {high})"
        )
    return found


def marginals(rows: pl.DataFrame, people: pl.DataFrame) -> Marginals:
    """All marginals of a data set, by their names."""
    return (
        of_customers(rows, people)
        | of_baskets(rows)
        | of_repeats(rows)
        | of_popularity(rows)
        | of_tastes(rows)
        | of_seasons(rows)
    )


def main(
    folders: Annotated[list[Path], typer.Argument(help="ingested data sets, one column each")],
    customers: Annotated[int | None, typer.Option(help="of each, only so many customers, evenly spaced")] = None,
    until: Annotated[str | None, typer.Option(help="leave out what was bought after this day (YYYY-MM-DD)")] = None,
    days: Annotated[str, typer.Option(help="only what was bought on these days, comma-separated")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="print JSON instead of a Markdown table")] = False,
) -> None:
    """Print a Markdown table of marginals."""
    last = datetime.date.fromisoformat(until) if until else None
    only = [datetime.date.fromisoformat(day) for day in days.split(",") if day]
    columns = {str(folder): marginals(*load(folder, last, customers, only)) for folder in folders}
    if as_json:
        print(json.dumps(columns, indent=1))
        return
    print(f"Quantiles are at {', '.join(map(str, QUANTILES))} unless others are given.\n")
    print("| | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for label in dict.fromkeys(label for column in columns.values() for label in column):
        print(f"| {label} | " + " | ".join(column.get(label, "-") for column in columns.values()) + " |")


if __name__ == "__main__":
    typer.run(main)
