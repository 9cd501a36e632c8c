"""The tables that each feature family reads with pandas, and the columns that it computes for candidates."""

from collections.abc import Sequence

import pandas as pd

from hmgpu.benchmark.rivals.pandas_families import (
    affinity,
    article_price,
    article_sales,
    buyer_age,
    customer_habits,
    of,
    price_fit,
    retrievers,
)
from hmgpu.benchmark.rivals.pandas_tables import ARTICLE, CUSTOMER, Known, Needs
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

WRITTEN = (
    *(Affinity, ArticlePrice, ArticleSales, BuyerAge, Catalogue),
    *(CustomerHabits, CustomerProfile, PriceFit, RetrieverScores),
)
"""The feature families that are written with pandas."""


def needs(part: Feature, present: frozenset[str]) -> Needs:
    """Return the columns and days that a family reads."""
    match part:
        case ArticleSales():
            return Needs({"day", CUSTOMER, ARTICLE}, max(*part.windows, 14), {"first_day"})
        case ArticlePrice():
            return Needs({"day", ARTICLE, "price"}, max(part.days, part.recent))
        case PriceFit():
            return Needs({"day", CUSTOMER, ARTICLE, "price"}, part.days)
        case CustomerHabits():
            return Needs({"day", CUSTOMER, ARTICLE} | present & {"price", "channel"}, None)
        case BuyerAge():
            return Needs({"day", CUSTOMER, ARTICLE}, part.days, customers={"age"})
        case Affinity():
            return Needs({"day", CUSTOMER, ARTICLE}, None, {part.by} - {ARTICLE})
        case Catalogue():
            return Needs(articles=present & {*ATTRIBUTES})
        case CustomerProfile():
            return Needs(customers=present & {*PROFILE})
        case _:
            return Needs()


def columns(part: Feature, known: Known, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the family's columns for each row of `pairs` (customer, article, scores), in order; missing is NaN."""
    match part:
        case ArticleSales():
            return of(pairs, ARTICLE, article_sales(part, known))
        case ArticlePrice():
            return of(pairs, ARTICLE, article_price(part, known))
        case PriceFit():
            return price_fit(part, known, pairs)
        case CustomerHabits():
            return of(pairs, CUSTOMER, customer_habits(part, known))
        case BuyerAge():
            return buyer_age(part, known, pairs)
        case Affinity():
            return affinity(part, known, pairs)
        case Catalogue():
            return of(pairs, ARTICLE, known.articles.set_index(ARTICLE)[_kept(ATTRIBUTES, known.articles)])
        case CustomerProfile():
            return of(pairs, CUSTOMER, known.customers.set_index(CUSTOMER)[_kept(PROFILE, known.customers)])
        case RetrieverScores():
            return retrievers(pairs)
    raise TypeError(f"no pandas is written for the feature family {part.kind}")


def _kept(names: Sequence[str], table: pd.DataFrame) -> list[str]:
    return [name for name in names if name in table]
