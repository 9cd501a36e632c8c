"""One peer at a time: loaded if its library is there, tried with its settings, asked for its lists."""

import importlib
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import polars as pl

from hmgpu.benchmark.memory import forget, highest
from hmgpu.benchmark.peers import Peer
from hmgpu.benchmark.quality import judged
from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.core.extras import needed_by
from hmgpu.data.store import Store
from hmgpu.data.weeks import Week
from hmgpu.parts.candidates import KEYS
from hmgpu.pipeline.lists import best_sellers, top_k

PEERS = ("popular", "repurchase", "als", "bpr", "cosine", "item_knn", "user_knn", "ease", "lambdarank")
CPU = Engine("cpu", "peers run there")


@dataclass(frozen=True)
class Recommended:
    """What a peer recommended for one week, and what it took to fit and to recommend."""

    lists: pl.DataFrame
    """(customer, article, rank 1..12) of everybody who was asked for."""
    seconds: float
    memory_mib: float
    """The most that the process held, its imports included."""


def named(names: str | None) -> list[str]:
    """The peers in a list with commas; all where there is no list. Raises ConfigError for an unknown name."""
    chosen = [name.strip() for name in names.split(",")] if names is not None else list(PEERS)
    for name in chosen:
        if name not in PEERS:
            raise ConfigError(f"There is no peer '{name}'; there are {', '.join(PEERS)}.")
    return list(dict.fromkeys(chosen))


def available(names: Sequence[str], present: frozenset[str]) -> tuple[dict[str, Peer], dict[str, str]]:
    """The peers that can run on data with the columns `present`; the others with what is missing."""
    peers, absent = dict[str, Peer](), dict[str, str]()
    for name in names:
        try:
            with needed_by("it"):
                peer = load(name)
        except ConfigError as error:
            absent[name] = str(error).removesuffix(".")
            continue
        missing = peer.needs - present
        if missing:
            absent[name] = f"the data has no {', '.join(sorted(missing))}"
        else:
            peers[name] = peer
    return peers, absent


def load(name: str) -> Peer:
    """The peer of the module `name`; with it comes the library that does its work."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Disabling GPU support")  # implicit, where CUDA is of another version
        peer: Peer = importlib.import_module(f"hmgpu.benchmark.peers.{name}").PEER
    return peer


def recommend(
    name: str, root: Path, week: Week, customers: pl.DataFrame, seed: int, settings: Mapping[str, Any]
) -> Recommended:
    """What the peer recommends to `customers` (customer) for `week`, from what was known before it.

    Short lists are filled as hmgpu fills its own.
    """
    peer, history = load(name), Store(root).as_of(week.first_day)
    forget()
    started = time.perf_counter()
    found = peer.recommend(history, customers, CPU, seed, **settings)
    scored = found.lazy().select(*KEYS, score=-pl.col("rank"))
    lists = CPU.collect(top_k(scored, customers.lazy(), best_sellers(history)).sort("customer", "rank"))
    return Recommended(lists, time.perf_counter() - started, highest())


def tried(name: str, root: Path, week: Week, bought: pl.DataFrame, seed: int) -> list[float]:
    """MAP@12 in `week` with each of the peer's settings.

    Args:
        bought: (customer, article) of that week, each once.
    """
    asked = buyers(bought)
    found = [recommend(name, root, week, asked, seed, settings).lists for settings in load(name).settings]
    return [fmean(judged(lists, bought)["average_precision"]) for lists in found]


def buyers(bought: pl.DataFrame) -> pl.DataFrame:
    """(customer) of all that bought, sorted."""
    return bought.select("customer").unique().sort("customer")
