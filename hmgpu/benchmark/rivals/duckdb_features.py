"""Compute feature families of candidates with DuckDB: one query, whatever families it is asked for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hmgpu.benchmark.rivals.duckdb_families import (
    Described,
    affinity,
    article_price,
    article_sales,
    buyer_age,
    customer_habits,
    price_fit,
    retrievers,
)
from hmgpu.benchmark.rivals.duckdb_tables import Tables, parquet
from hmgpu.core.extras import needed_by
from hmgpu.core.threads import threads
from hmgpu.parts.candidates import KEYS
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

with needed_by("A benchmark against DuckDB"):
    import duckdb


VERSION: str = duckdb.__version__


def connect(pairs: Path) -> Any:
    """Return a connection with as many threads as hmgpu's own, and the candidates as the table `pairs`.

    Files are read again by each query, as the others read them: DuckDB would keep their bytes in memory.
    """
    connection = duckdb.connect(":memory:", config={"threads": threads(), "preserve_insertion_order": False})
    connection.execute("set enable_external_file_cache = false")
    connection.execute("set enable_progress_bar = false")  # it would be drawn into the output
    connection.execute(f"create table pairs as from {parquet([pairs])}")
    return connection


def begin() -> None:
    """Load what a first query would load: DuckDB, and Arrow, through which its results become frames."""
    connection: Any = duckdb.connect(":memory:")
    connection.sql("select 1 as x").pl()


def query(parts: Sequence[Feature], tables: Tables, kept: Sequence[str] = KEYS) -> str:
    """Return the query for the columns `kept` of the candidates and those of the families `parts`."""
    described = [_described(part, tables, f"family_{number}") for number, part in enumerate(parts)]
    columns = [f'pairs."{name}"' for name in kept]
    columns += [f'{expression} as "{name}"' for each in described for name, expression in each.columns.items()]
    joins = [join for each in described for join in each.joins]
    return "\n".join([f"select {', '.join(columns)}", "from pairs", *joins])


def _described(part: Feature, tables: Tables, it: str) -> Described:
    match part:
        case ArticleSales():
            return article_sales(part, tables, it)
        case ArticlePrice():
            return article_price(part, tables, it)
        case PriceFit():
            return price_fit(part, tables, it)
        case CustomerHabits():
            return customer_habits(part, tables, it)
        case BuyerAge():
            return buyer_age(part, tables, it)
        case Affinity():
            return affinity(part, tables, it)
        case Catalogue():
            return Described.by("article", tables.articles, it, [each for each in ATTRIBUTES if each in tables.present])
        case CustomerProfile():
            return Described.by("customer", tables.customers, it, [each for each in PROFILE if each in tables.present])
        case RetrieverScores():
            return retrievers(tables, it)
    raise TypeError(f"no SQL is written for the feature family {part.kind}")
