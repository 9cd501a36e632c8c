"""Candidates as in public H&M notebooks, in plain Polars: who might buy what in the week after a History."""

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.data.store import History

AGES = [19, 29, 39, 49, 59, 69]  # upper ends of the bands
OWN, SIBLINGS, TOGETHER, BAND, BEST = 24, 8, 16, 18, 12  # candidates of each kind
SEEDS, RULES, BASKET = 8, 8, 16  # a customer's latest articles with rules, rules an article, latest articles paired
PAIR = ["customer", "article"]


def candidates(history: History, customers: pl.DataFrame, engine: Engine, most: int = OWN) -> pl.DataFrame:
    """Return (customer, article, one column a kind), null where that kind does not propose the pair.

    The kinds `sibling` and `band_rank` are left out where the data has no products or ages. Of the customer's own
    articles there are `most`.

    - `own_rank`: place among the customer's own articles, the newest first;
    - `sibling`: last week's units of another article of a product that the customer bought;
    - `together`: customers who bought it and one of the customer's latest articles, summed over these;
    - `band_rank`, `best_rank`: place among last week's best sellers to the customer's age band, and to everybody.
    """
    past = engine.collect(history.of(customers.lazy()).transactions.select(*PAIR, "day"))
    last = past.group_by(PAIR).agg(pl.col("day").max())
    own = _first(last, "customer", "day", most, "own_rank").select(*PAIR, "own_rank")
    week = engine.collect(history.last(7).select(*PAIR))
    selling = week.group_by("article").agg(units=pl.len())
    seeds = own.filter(pl.col("own_rank") <= SEEDS)
    kinds = [own]
    if history.has("product"):
        kinds.append(_siblings(seeds, selling, engine.collect(history.articles.select("article", "product"))))
    kinds.append(_together(seeds, _rules(history, selling, engine)))
    if history.has("age"):
        kinds.append(_of_band(week, customers, engine.collect(history.customers.select("customer", "age"))))
    kinds.append(_best_sellers(selling, customers))
    pairs = pl.concat([kind.select(PAIR) for kind in kinds]).unique().sort(PAIR)
    for kind in kinds:
        pairs = pairs.join(kind, on=PAIR, how="left", maintain_order="left")
    return pairs


def _first(table: pl.DataFrame, by: str, score: str, n: int, rank: str) -> pl.DataFrame:
    """The `n` rows with the highest `score` in each group, with their place from 1."""
    ordered = table.sort(by, score, "article", descending=[False, True, False])
    numbered = ordered.with_columns(pl.int_range(1, pl.len() + 1).over(by).cast(pl.Int32).alias(rank))
    return numbered.filter(pl.col(rank) <= n)


def _siblings(seeds: pl.DataFrame, selling: pl.DataFrame, products: pl.DataFrame) -> pl.DataFrame:
    offered = selling.join(products, on="article").drop_nulls("product")
    own = seeds.join(products, on="article").select("customer", "product").unique()
    found = own.join(offered, on="product").join(seeds, on=PAIR, how="anti")
    return _first(found, "customer", "units", SIBLINGS, "rank").select(*PAIR, sibling="units")


def _rules(history: History, selling: pl.DataFrame, engine: Engine) -> pl.DataFrame:
    """(seed, article, buyers): articles still sold that most buyers of `seed` bought too in the last 35 days."""
    last = engine.collect(history.last(35).group_by(PAIR).agg(pl.col("day").max()))
    bought = _first(last, "customer", "day", BASKET, "rank").select(PAIR)
    offered = bought.join(selling, on="article", how="semi")
    pairs = bought.rename({"article": "seed"}).join(offered, on="customer").filter(pl.col("seed") != pl.col("article"))
    counted = pairs.group_by("seed", "article").agg(buyers=pl.len()).filter(pl.col("buyers") > 1)
    return _first(counted, "seed", "buyers", RULES, "rank").drop("rank")


def _together(seeds: pl.DataFrame, rules: pl.DataFrame) -> pl.DataFrame:
    found = seeds.rename({"article": "seed"}).join(rules, on="seed").group_by(PAIR).agg(together=pl.col("buyers").sum())
    return _first(found, "customer", "together", TOGETHER, "rank").drop("rank")


def _of_band(week: pl.DataFrame, customers: pl.DataFrame, ages: pl.DataFrame) -> pl.DataFrame:
    bands = ages.select("customer", band=pl.col("age").cut(AGES).to_physical().cast(pl.Int32).fill_null(-1))
    sold = week.join(bands, on="customer").group_by("band", "article").agg(units=pl.len())
    by_band = _first(sold, "band", "units", BAND, "band_rank").select("band", "article", "band_rank")
    return customers.select("customer").join(bands, on="customer").join(by_band, on="band").drop("band")


def _best_sellers(selling: pl.DataFrame, customers: pl.DataFrame) -> pl.DataFrame:
    best = _first(selling.with_columns(all=1), "all", "units", BEST, "best_rank").select("article", "best_rank")
    return customers.select("customer").join(best, how="cross")
