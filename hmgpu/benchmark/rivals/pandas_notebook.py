"""Feature families as notebooks write them with pandas: the common code, which nobody had the time to tune.

Tables are read whole, everybody's purchases are grouped, and every family is merged onto a table of candidates that
grows with each. pandas_families.py is the same with care: it filters before grouping, counts without `nunique`, and
puts columns next to the candidates instead of merging them. Both compute the same columns as hmgpu's families.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from hmgpu.benchmark.rivals.pandas_tables import ARTICLE, CUSTOMER, weight_at
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
    """Everything known before day `cutoff`, with every column; in `sales`, `age` is the days before the cutoff."""

    cutoff: int
    sales: pd.DataFrame
    articles: pd.DataFrame
    customers: pd.DataFrame


def merged(part: Feature, tables: NotebookTables, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return `pairs` (customer, article, scores, …) with the family's columns, in the same order; missing is NaN."""
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
    table = sold.groupby(ARTICLE).agg(article_days_since_sale=("age", "min"), article_buyers=(CUSTOMER, "nunique"))
    for window in part.windows:
        table[f"article_units_{window}"] = sold[sold["age"] <= window].groupby(ARTICLE).size()
    now = sold[sold["age"] <= 7].groupby(ARTICLE).size().reindex(table.index).fillna(0)
    before = sold[sold["age"].between(8, 14)].groupby(ARTICLE).size().reindex(table.index).fillna(0)
    days = sold.groupby([ARTICLE, CUSTOMER])["day"].nunique().reset_index()
    returned = days[days["day"] > 1].groupby(ARTICLE).size().reindex(table.index).fillna(0)
    table = table.fillna(0)
    table["article_trend"] = (now - before) / (before + 1)
    table["article_returned"] = returned / table["article_buyers"]
    table["article_units_a_buyer"] = sold.groupby(ARTICLE).size() / table["article_buyers"]
    table = table.reset_index().merge(tables.articles[[ARTICLE, "first_day"]], on=ARTICLE, how="left")
    table["article_age"] = tables.cutoff - table["first_day"]
    return table.drop(columns="first_day")


def _article_price(part: ArticlePrice, sales: pd.DataFrame) -> pd.DataFrame:
    table = sales[sales["age"] <= part.days].groupby(ARTICLE).agg(mean=("price", "mean"), most=("price", "max"))
    table["article_price_now"] = sales[sales["age"] <= part.recent].groupby(ARTICLE)["price"].mean()
    table["article_discount"] = table["article_price_now"] / table["mean"]
    table["article_markdown"] = table["article_price_now"] / table["most"]
    return table.rename(columns={"mean": "article_price"}).drop(columns="most").reset_index()


def _customer_habits(part: CustomerHabits, sales: pd.DataFrame) -> pd.DataFrame:
    table = sales.groupby(CUSTOMER).agg(
        customer_units=(ARTICLE, "size"),
        customer_articles=(ARTICLE, "nunique"),
        customer_days=("day", "nunique"),
        customer_days_since=("age", "min"),
        customer_tenure=("age", "max"),
    )
    for window in part.windows:
        table[f"customer_units_{window}"] = sales[sales["age"] <= window].groupby(CUSTOMER).size()
    table = table.fillna(0)
    span = table["customer_tenure"] - table["customer_days_since"]
    table["customer_basket"] = table["customer_units"] / table["customer_days"]
    table["customer_gap"] = (span / (table["customer_days"] - 1)).where(table["customer_days"] > 1)
    table["customer_repeats"] = 1 - table["customer_articles"] / table["customer_units"]
    if "price" in sales:
        table["customer_price"] = sales.groupby(CUSTOMER)["price"].mean()
        table["customer_price_max"] = sales.groupby(CUSTOMER)["price"].max()
    if "channel" in sales:
        first = sales.assign(first=sales["channel"] == 0)
        table["customer_first_channel"] = first.groupby(CUSTOMER)["first"].mean()
    return table.reset_index()


def _price_fit(part: PriceFit, sales: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    recent = sales[sales["age"] <= part.days]
    paid = recent.groupby(CUSTOMER)["price"]
    customers = pd.DataFrame({"_usual": paid.mean(), "_deviation": paid.std(ddof=0)}).reset_index()
    articles = recent.groupby(ARTICLE)["price"].mean().rename("_price").reset_index()
    table = pairs.merge(customers, on=CUSTOMER, how="left").merge(articles, on=ARTICLE, how="left")
    table["price_against_usual"] = table["_price"] / table["_usual"].where(table["_usual"] > 0)
    table["price_deviation"] = (table["_price"] - table["_usual"]) / (table["_deviation"] + 1)
    return table.drop(columns=["_usual", "_deviation", "_price"])


def _buyer_age(part: BuyerAge, tables: NotebookTables, pairs: pd.DataFrame) -> pd.DataFrame:
    ages = tables.customers[[CUSTOMER, "age"]].rename(columns={"age": "_age"})
    recent = tables.sales[tables.sales["age"] <= part.days]
    bought = recent.merge(ages, on=CUSTOMER, how="left").groupby(ARTICLE)["_age"]
    articles = pd.DataFrame({"buyer_age": bought.mean(), "buyer_age_deviation": bought.std(ddof=0)}).reset_index()
    table = pairs.merge(articles, on=ARTICLE, how="left").merge(ages, on=CUSTOMER, how="left")
    table["buyer_age_distance"] = (table["_age"] - table["buyer_age"]).abs()
    return table.drop(columns="_age")


def _affinity(part: Affinity, tables: NotebookTables, pairs: pd.DataFrame) -> pd.DataFrame:
    level = part.by
    sales = tables.sales
    asked = pairs
    if level != ARTICLE:
        levels = tables.articles[[ARTICLE, level]].rename(columns={level: "_level"})
        sales, asked, level = sales.merge(levels, on=ARTICLE), asked.merge(levels, on=ARTICLE, how="left"), "_level"
    keys = [CUSTOMER, level]
    sales = sales.assign(weight=weight_at(sales["age"], part.half_life, tables.cutoff))
    table = sales.groupby(keys).agg(
        units=("age", "size"), weight=("weight", "sum"), days_since=("age", "min"), days_since_first=("age", "max")
    )
    for window in part.windows:
        table[f"units_{window}"] = sales[sales["age"] <= window].groupby(keys).size()
    table = table.fillna(0)
    table["share"] = table["units"] / table.groupby(CUSTOMER)["units"].transform("sum")
    found = asked.merge(table.add_prefix(f"bought_{part.by}_").reset_index(), on=keys, how="left")
    return found.drop(columns="_level", errors="ignore")


def _retrievers(pairs: pd.DataFrame) -> pd.DataFrame:
    table = pairs.copy()
    for name in [name for name in pairs if str(name).endswith("_score")]:
        best = pairs.groupby(CUSTOMER)[name].transform("max")
        table[f"{name}_share"] = table[name] / best.where(best > 0)
    return table


def _kept(key: str, names: Sequence[str], table: Any) -> list[str]:
    return [key, *(name for name in names if name in table)]
