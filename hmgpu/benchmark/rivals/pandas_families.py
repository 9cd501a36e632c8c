"""Feature families with pandas alone: `groupby`, `agg` and `merge` as notebooks write them.

They compute the same columns as hmgpu's families, for the benchmark to compare; hmgpu/parts/features/ says what they
mean. The usual causes of slow pandas are avoided: rows are filtered before they are grouped, distinct values are
counted by dropping duplicates, results are cast to 32 bits before they are merged.
"""

import numpy as np
import pandas as pd

from hmgpu.benchmark.rivals.pandas_tables import ARTICLE, CUSTOMER, Known, weight_at
from hmgpu.parts.features.affinity import Affinity
from hmgpu.parts.features.article_price import ArticlePrice
from hmgpu.parts.features.article_sales import ArticleSales
from hmgpu.parts.features.buyer_age import BuyerAge
from hmgpu.parts.features.customer_habits import CustomerHabits
from hmgpu.parts.features.price_fit import PriceFit


def article_sales(part: ArticleSales, known: Known) -> pd.DataFrame:
    """Return (article; the columns of `ArticleSales`), a row an article."""
    sold = known.last(max(*part.windows, 14))
    age = known.cutoff - sold["day"]
    article = sold[ARTICLE]
    days = sold.drop_duplicates([ARTICLE, CUSTOMER, "day"]).groupby([ARTICLE, CUSTOMER], sort=False).size()
    buyers, returned = days.groupby(ARTICLE).size(), (days > 1).groupby(ARTICLE).sum()
    units = {f"article_units_{window}": article[age <= window].value_counts() for window in part.windows}
    born = known.articles.set_index(ARTICLE)["first_day"]
    columns = pd.DataFrame(units, index=buyers.index).fillna(0).astype("int32")
    now = article[age <= 7].value_counts().reindex(columns.index, fill_value=0)
    before = article[age.between(8, 14)].value_counts().reindex(columns.index, fill_value=0)
    return columns.assign(
        article_days_since_sale=(known.cutoff - sold.groupby(ARTICLE)["day"].max()).astype("int32"),
        article_buyers=buyers.astype("int32"),
        article_age=(known.cutoff - born.reindex(columns.index)).astype("int32"),
        article_trend=((now - before) / (before + 1)).astype("float32"),
        article_returned=(returned / buyers).astype("float32"),
        article_units_a_buyer=(article.value_counts() / buyers).astype("float32"),
    )


def article_price(part: ArticlePrice, known: Known) -> pd.DataFrame:
    """Return (article; the columns of `ArticlePrice`), a row an article."""
    paid = known.last(part.days).groupby(ARTICLE)["price"].agg(["mean", "max"])
    now = known.last(part.recent).groupby(ARTICLE)["price"].mean().reindex(paid.index)
    columns = {
        "article_price": paid["mean"],
        "article_price_now": now,
        "article_discount": now / paid["mean"],
        "article_markdown": now / paid["max"],
    }
    return pd.DataFrame(columns).astype("float32")


def price_fit(part: PriceFit, known: Known, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of `PriceFit` for each row of `pairs`."""
    prices = known.last(part.days, known.own).groupby(CUSTOMER)["price"]
    customers = pd.DataFrame({"usual": prices.mean(), "deviation": prices.std(ddof=0)})
    usual = of(pairs, CUSTOMER, customers)
    price = of(pairs, ARTICLE, known.last(part.days).groupby(ARTICLE)["price"].mean().to_frame())["price"]
    columns = {
        "price_against_usual": price / usual["usual"].where(usual["usual"] > 0),
        "price_deviation": (price - usual["usual"]) / (usual["deviation"] + 1),
    }
    return pd.DataFrame(columns).astype("float32")


def customer_habits(part: CustomerHabits, known: Known) -> pd.DataFrame:
    """Return (customer; the columns of `CustomerHabits`), a row a customer."""
    sold = known.own
    age = known.cutoff - sold["day"]
    of_customer = sold.groupby(CUSTOMER)
    units, day = of_customer.size(), of_customer["day"].agg(["min", "max"])
    articles = sold[[CUSTOMER, ARTICLE]].drop_duplicates()[CUSTOMER].value_counts().reindex(units.index)
    days = sold[[CUSTOMER, "day"]].drop_duplicates()[CUSTOMER].value_counts().reindex(units.index)
    windows = {f"customer_units_{window}": sold.loc[age <= window, CUSTOMER].value_counts() for window in part.windows}
    whole = (
        pd.DataFrame(windows, index=units.index)
        .fillna(0)
        .assign(
            customer_units=units,
            customer_articles=articles,
            customer_days=days,
            customer_days_since=known.cutoff - day["max"],
            customer_tenure=known.cutoff - day["min"],
        )
    )
    shares = {
        "customer_basket": units / days,
        "customer_gap": ((day["max"] - day["min"]) / (days - 1)).where(days > 1),
        "customer_repeats": 1 - articles / units,
    }
    if "price" in sold:
        shares |= {"customer_price": of_customer["price"].mean(), "customer_price_max": of_customer["price"].max()}
    if "channel" in sold:
        shares["customer_first_channel"] = (sold["channel"] == 0).groupby(sold[CUSTOMER]).mean()
    return whole.astype("int32").join(pd.DataFrame(shares).astype("float32"))


def buyer_age(part: BuyerAge, known: Known, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of `BuyerAge` for each row of `pairs`."""
    ages = known.customers.set_index(CUSTOMER)["age"].dropna()
    sold = known.last(part.days)
    bought = sold[CUSTOMER].map(ages).groupby(sold[ARTICLE])  # missing ages count in neither moment
    moments = {"buyer_age": bought.mean(), "buyer_age_deviation": bought.std(ddof=0)}
    columns = of(pairs, ARTICLE, pd.DataFrame(moments).astype("float32"))
    distance = (pairs[CUSTOMER].map(ages).astype("float32") - columns["buyer_age"]).abs()
    return columns.assign(buyer_age_distance=distance)


def affinity(part: Affinity, known: Known, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of `Affinity` for each row of `pairs`."""
    age = known.cutoff - known.own["day"]
    by_age = weight_at(np.arange(age.max() + 1), part.half_life, known.cutoff)  # computed once a day, not once a row
    level = _level(part, known, known.own)
    rows = pd.DataFrame({CUSTOMER: known.own[CUSTOMER], "level": level, "age": age, "weight": by_age[age]})
    if part.by != ARTICLE:
        rows = rows.dropna(subset="level")
    windows = [f"units_{window}" for window in part.windows]
    for name, window in zip(windows, part.windows, strict=True):
        rows[name] = rows["age"] <= window
    sums = {name: (name, "sum") for name in [*windows, "weight"]}
    columns = rows.groupby([CUSTOMER, "level"], sort=False, as_index=False).agg(
        **sums, units=("age", "size"), days_since=("age", "min"), days_since_first=("age", "max")
    )
    columns["share"] = columns["units"] / columns.groupby(CUSTOMER)["units"].transform("sum")
    counts = [*windows, "units", "days_since", "days_since_first"]
    columns = columns.astype(dict.fromkeys(counts, "int32") | {"weight": "float32", "share": "float32"})
    asked = pairs[[CUSTOMER]].assign(level=_level(part, known, pairs))
    described = asked.merge(columns, on=[CUSTOMER, "level"], how="left").drop(columns=[CUSTOMER, "level"])
    return described.add_prefix(f"bought_{part.by}_")


def retrievers(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of `RetrieverScores` for each row of `pairs`."""
    scores = pairs.filter(regex="_score$")
    best = scores.groupby(pairs[CUSTOMER]).transform("max")
    return (scores / best.where(best > 0)).add_suffix("_share")


def _level(part: Affinity, known: Known, rows: pd.DataFrame) -> pd.Series:
    """The value of `part.by` for each row's article; NaN where it has none."""
    return rows[ARTICLE] if part.by == ARTICLE else rows[ARTICLE].map(known.articles.set_index(ARTICLE)[part.by])


def of(pairs: pd.DataFrame, key: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return the row of `table`, whose index is the key, for each row of `pairs`."""
    return table.reindex(pairs[key]).set_axis(pairs.index)
