"""The data that contracts are checked on: synthetic purchases, also with another future and in another order.

The shop says when articles are launched, so some are known that nobody has bought.
"""

import dataclasses
import functools
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from hmgpu.core.parquet import scan_table
from hmgpu.data.ingest import ingest
from hmgpu.data.settings import ColumnNames, DataSettings
from hmgpu.data.store import History, Store
from hmgpu.data.synthetic import synthesize
from hmgpu.data.vectors.keep import keep
from hmgpu.data.weeks import date_of
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.part import build
from hmgpu.parts.retriever import Retriever
from hmgpu.pipeline.candidates import merge
from hmgpu.testing.asking import CPU, bound, learned
from hmgpu.testing.pictures import colour_of, draw_pictures

SCALE, WORLD = 0.0005, 7  # 16,000 rows
PRESENT, ELSEWHERE = 4, 5  # what vectors and pictures of articles that are still to come are drawn by


@dataclass(frozen=True)
class ContractData:
    """A small data set with articles' pictures, and vectors of these and of texts, known up to its last week."""

    store: Store
    other_store: Store
    """The same up to the cutoff; after it, other people buy other things at other prices, until another day, and the
    articles that were to be launched are not."""
    cutoff: int
    """First day of the last complete week."""
    history: History
    other_history: History
    """Of `other_store`: whatever differs from `history` was seen in the future."""
    shuffled: History
    """`history` with the rows of every table in another order and in other files."""
    customers: pl.LazyFrame
    """(customer): half of all customers, those without any purchase among them."""
    pairs: pl.LazyFrame
    """What `candidates` proposes to these customers."""


@functools.cache
def contract_data() -> ContractData:
    """The data, generated when it is first asked for; it goes when Python ends."""
    folder = Path(_folder.name)
    synthesize(folder / "raw", SCALE, WORLD, launches=True)
    store = _ingested(folder / "raw", folder / "data")
    cutoff = store.last_complete_week.first_day
    other = _ingested(_other_future(folder / "raw", folder / "other-raw", cutoff), folder / "other-data")
    store, other = _with_vectors(store, cutoff, PRESENT), _with_vectors(other, cutoff, ELSEWHERE)
    _draw_pictures(store, cutoff, PRESENT)
    _draw_pictures(other, cutoff, ELSEWHERE)
    history = store.as_of(cutoff)
    even = store.customer_ids().filter(pl.col("customer") % 2 == 0)
    customers = CPU.collect(even.select("customer").sort("customer")).lazy()
    shuffled = _shuffled(history, folder / "shuffled")
    pairs = candidates(history, customers)
    return ContractData(store, other, cutoff, history, other.as_of(cutoff), shuffled, customers, pairs)


_folder = tempfile.TemporaryDirectory(prefix="hmgpu-testing-")


def _ingested(raw: Path, root: Path) -> Store:
    ingest(DataSettings(raw=raw, root=root, columns=ColumnNames(articles={"launched": "launched"})))
    return Store(root)


def _other_future(raw: Path, other: Path, cutoff: int) -> Path:
    shutil.copytree(raw, other)
    file = other / "transactions_train.csv"
    rows = pl.read_csv(file, infer_schema=False, glob=False)
    first = str(date_of(cutoff))
    past, future = rows.filter(pl.col("t_dat") < first), rows.filter(pl.col("t_dat") >= first)
    catalogue = pl.read_csv(other / "articles.csv", infer_schema=False, glob=False)
    later = pl.col("launched") > first
    catalogue.with_columns(launched=pl.when(~later).then("launched")).write_csv(other / "articles.csv")
    articles = catalogue["article_id"]
    others = future.with_columns(
        customer_id=pl.col("customer_id").reverse(),
        article_id=articles.reverse().gather(pl.Series(range(future.height)) % articles.len()),
        price=pl.lit("0.0169491525423729"),
        sales_channel_id=pl.lit("1"),
        t_dat=pl.col("t_dat").str.replace("..$", first[-2:]),
    )
    pl.concat([past, others.head(others.height // 2)]).write_csv(file)
    return other


def _with_vectors(store: Store, cutoff: int, seed: int) -> Store:
    """`store` with vectors of its articles; those of articles that are still to come depend on `seed`.

    Pictures' are long enough to be made shorter, and not all articles have one.
    """
    articles = CPU.collect(store.articles().sort("article_id"))
    known = articles["article"].is_in(CPU.collect(store.as_of(cutoff).articles)["article"].implode()).to_numpy()
    first, others = (np.random.default_rng(each).normal(size=(articles.height, 70)) for each in (3, seed))
    vectors = np.where(known[:, None], first, others)
    some = np.arange(articles.height) % 5 > 0
    keep(store.root, "pictures", articles["article_id"].filter(some), vectors[some], "tests")
    keep(store.root, "text", articles["article_id"], vectors[:, :6], "tests")
    return Store(store.root)


def _draw_pictures(store: Store, cutoff: int, seed: int) -> None:
    """Draw most articles' pictures; those of articles that are not known before the cutoff depend on `seed`."""
    articles = CPU.collect(store.articles().select("article", "article_id").sort("article_id"))
    known = articles["article"].is_in(CPU.collect(store.as_of(cutoff).articles)["article"].implode())
    draw_pictures(
        store.place_of_pictures,
        {
            article_id: colour_of(place, 0 if is_known else seed)
            for place, (article_id, is_known) in enumerate(zip(articles["article_id"], known, strict=True))
            if place % 5
        },
    )


def _shuffled(history: History, folder: Path) -> History:
    folder.mkdir()

    def reorder(name: str, plan: pl.LazyFrame) -> pl.LazyFrame:
        rows = CPU.collect(plan).sample(fraction=1.0, shuffle=True, seed=3)
        half = rows.height // 2
        files = [folder / f"{name}-1.parquet", folder / f"{name}-2.parquet"]
        rows.tail(half).write_parquet(files[0])
        rows.head(rows.height - half).write_parquet(files[1])
        return scan_table(files)

    return dataclasses.replace(
        history,
        transactions=reorder("transactions", history.transactions),
        articles=reorder("articles", history.articles),
        customers=reorder("customers", history.customers),
        vectors={of: reorder(f"vectors-{of}", plan) for of, plan in history.vectors.items()},
    )


def candidates(history: History, customers: pl.LazyFrame) -> pl.LazyFrame:
    """Merged candidates of three unlike retrievers for `customers` (customer), sorted by customer and article."""
    found = {}
    for kind in ("repurchase", "popular", "popular_by"):
        part = bound(build(Retriever, kind, None), history)
        found[kind] = part.retrieve(learned(part, history), customers)
    return CPU.collect(merge(found).sort(KEYS)).lazy()
