"""Feature families as notebooks write them with pandas: the common code, which nobody had the time to tune.

Tables are read whole, groups are made over everybody's purchases, and every family is merged onto a table of candidates
that grows with each. pandas_families.py is the same with care: filtered before it is grouped, counted without
`nunique`, laid next to the candidates instead of merged. Both make the columns that hmgpu's families make.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from hmgpu.benchmark.rivals.pandas_tables import ARTICLE, CUSTOMER
from hmgpu.parts.feature import Feature
from hmgpu.parts.features.affinity import Affinity
from hmgpu.parts.features.article_price import ArticlePrice
from hmgpu.parts.features.article_sales import ArticleSales
from hmgpu.parts.features.buyer_age import BuyerAge
from hmgpu.parts.features.catalogue import ATTRIBUTES, Catalogue
from hmgpu.parts.features.customer_habits import CustomerHabits
from hmgpu.parts.features.customer_profile import PROFILE, CustomerProfile
from hmgpu.parts.features.price_fit import PriceFit
from hmgpu.parts.features.retriever_scores import RetrieverScores


@dataclass(frozen=True)
class NotebookTables:
    """All that was known before day `cutoff`, every column of it; `sales` has `age`, the days before the cutoff."""

    cutoff: int
    sales: pd.DataFrame
    articles: pd.DataFrame
    customers: pd.DataFrame


def merged(part: Feature, tables: NotebookTables, pairs: pd.DataFrame) -> pd.DataFrame:
    """`pairs` (customer, article, scores, …) with the family's columns; their order is kept, what is missing is NaN."""
    match part:
        case ArticleSales():
            return pairs.merge(_article_sales(part, tables), on=ARTICLE, how="left")
        case ArticlePrice():
            return pairs.merge(_article_price(part, tables.sales), on=ARTICLE, how="left")
        case CustomerHabits():
            return pairs.merge(_customer_habits(part, tables.sales), on=CUSTOMER, how="left")
        case PriceFit():
            return _price_fit(part, tables.sales, pairs)
        case BuyerAge():
            return _buyer_age(part, tables, pairs)
        case Affinity():
            return _affinity(part, tables, pairs)
        case Catalogue():
            return pairs.merge(tables.articles[_kept(ARTICLE, ATTRIBUTES, tables.articles)], on=ARTICLE, how="left")
        case CustomerProfile():
            return pairs.merge(tables.customers[_kept(CUSTOMER, PROFILE, tables.customers)], on=CUSTOMER, how="left")
        case RetrieverScores():
            return _retrievers(pairs)
    raise TypeError(f"no pandas is written for the feature family {part.kind}")


def _article_sales(part: ArticleSales, tables: NotebookTables) -> pd.DataFrame:
    sold = tables.sales[tables.sales["age"] <= max(*part.windows, 14)]
    made = sold.groupby(ARTICLE).agg(article_days_since_sale=("age", "min"), article_buyers=(CUSTOMER, "nunique"))
    for window in part.windows:
        made[f"article_units_{window}"] = sold[sold["age"] <= window].groupby(ARTICLE).size()
    now = sold[sold["age"] <= 7].groupby(ARTICLE).size().reindex(made.index).fillna(0)
    before = sold[sold["age"].between(8, 14)].groupby(ARTICLE).size().reindex(made.index).fillna(0)
    days = sold.groupby([ARTICLE, CUSTOMER])["day"].nunique().reset_index()
    returned = days[days["day"] > 1].groupby(ARTICLE).size().reindex(made.index).fillna(0)
    made = made.fillna(0)
    made["article_trend"] = (now - before) / (before + 1)
    made["article_returned"] = returned / made["article_buyers"]
    made["article_units_a_buyer"] = sold.groupby(ARTICLE).size() / made["article_buyers"]
    made = made.reset_index().merge(tables.articles[[ARTICLE, "first_day"]], on=ARTICLE, how="left")
    made["article_age"] = tables.cutoff - made["first_day"]
    return made.drop(columns="first_day")


def _article_price(part: ArticlePrice, sales: pd.DataFrame) -> pd.DataFrame:
    made = sales[sales["age"] <= part.days].groupby(ARTICLE).agg(mean=("price", "mean"), most=("price", "max"))
    made["article_price_now"] = sales[sales["age"] <= part.recent].groupby(ARTICLE)["price"].mean()
    made["article_discount"] = made["article_price_now"] / made["mean"]
    made["article_markdown"] = made["article_price_now"] / made["most"]
    return made.rename(columns={"mean": "article_price"}).drop(columns="most").reset_index()


def _customer_habits(part: CustomerHabits, sales: pd.DataFrame) -> pd.DataFrame:
    made = sales.groupby(CUSTOMER).agg(
        customer_units=(ARTICLE, "size"),
        customer_articles=(ARTICLE, "nunique"),
        customer_days=("day", "nunique"),
        customer_days_since=("age", "min"),
        customer_tenure=("age", "max"),
    )
    for window in part.windows:
        made[f"customer_units_{window}"] = sales[sales["age"] <= window].groupby(CUSTOMER).size()
    made = made.fillna(0)
    span = made["customer_tenure"] - made["customer_days_since"]
    made["customer_basket"] = made["customer_units"] / made["customer_days"]
    made["customer_gap"] = (span / (made["customer_days"] - 1)).where(made["customer_days"] > 1)
    made["customer_repeats"] = 1 - made["customer_articles"] / made["customer_units"]
    if "price" in sales:
        made["customer_price"] = sales.groupby(CUSTOMER)["price"].mean()
        made["customer_price_max"] = sales.groupby(CUSTOMER)["price"].max()
    if "channel" in sales:
        first = sales.assign(first=sales["channel"] == 0)
        made["customer_first_channel"] = first.groupby(CUSTOMER)["first"].mean()
    return made.reset_index()


def _price_fit(part: PriceFit, sales: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    recent = sales[sales["age"] <= part.days]
    paid = recent.groupby(CUSTOMER)["price"]
    customers = pd.DataFrame({"_usual": paid.mean(), "_deviation": paid.std(ddof=0)}).reset_index()
    articles = recent.groupby(ARTICLE)["price"].mean().rename("_price").reset_index()
    made = pairs.merge(customers, on=CUSTOMER, how="left").merge(articles, on=ARTICLE, how="left")
    made["price_against_usual"] = made["_price"] / made["_usual"].where(made["_usual"] > 0)
    made["price_deviation"] = (made["_price"] - made["_usual"]) / (made["_deviation"] + 1)
    return made.drop(columns=["_usual", "_deviation", "_price"])


def _buyer_age(part: BuyerAge, tables: NotebookTables, pairs: pd.DataFrame) -> pd.DataFrame:
    ages = tables.customers[[CUSTOMER, "age"]].rename(columns={"age": "_age"})
    recent = tables.sales[tables.sales["age"] <= part.days]
    bought = recent.merge(ages, on=CUSTOMER, how="left").groupby(ARTICLE)["_age"]
    articles = pd.DataFrame({"buyer_age": bought.mean(), "buyer_age_deviation": bought.std(ddof=0)}).reset_index()
    made = pairs.merge(articles, on=ARTICLE, how="left").merge(ages, on=CUSTOMER, how="left")
    made["buyer_age_distance"] = (made["_age"] - made["buyer_age"]).abs()
    return made.drop(columns="_age")


def _affinity(part: Affinity, tables: NotebookTables, pairs: pd.DataFrame) -> pd.DataFrame:
    level = part.by
    sales = tables.sales
    asked = pairs
    if level != ARTICLE:
        levels = tables.articles[[ARTICLE, level]].rename(columns={level: "_level"})
        sales, asked, level = sales.merge(levels, on=ARTICLE), asked.merge(levels, on=ARTICLE, how="left"), "_level"
    keys = [CUSTOMER, level]
    sales = sales.assign(weight=0.5 ** (sales["age"] / part.half_life))
    made = sales.groupby(keys).agg(
        units=("age", "size"), weight=("weight", "sum"), days_since=("age", "min"), days_since_first=("age", "max")
    )
    for window in part.windows:
        made[f"units_{window}"] = sales[sales["age"] <= window].groupby(keys).size()
    made = made.fillna(0)
    made["share"] = made["units"] / made.groupby(CUSTOMER)["units"].transform("sum")
    found = asked.merge(made.add_prefix(f"bought_{part.by}_").reset_index(), on=keys, how="left")
    return found.drop(columns="_level", errors="ignore")


def _retrievers(pairs: pd.DataFrame) -> pd.DataFrame:
    made = pairs.copy()
    for name in [name for name in pairs if str(name).endswith("_score")]:
        best = pairs.groupby(CUSTOMER)[name].transform("max")
        made[f"{name}_share"] = made[name] / best.where(best > 0)
    return made


def _kept(key: str, names: Sequence[str], table: Any) -> list[str]:
    return [key, *(name for name in names if name in table)]
