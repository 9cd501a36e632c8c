"""Run one peer at a time: load it if its library is installed, try its settings, ask for its lists."""

import importlib
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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

PEERS = ("popular", "repurchase", "als", "bpr", "cosine", "item_knn", "user_knn", "ease", "lambdarank", "esasrec")
CPU = Engine("cpu", "peers run there")


@dataclass(frozen=True)
class Recommended:
    """A peer's lists for one week, and the time and memory to fit and to recommend."""

    lists: pl.DataFrame
    """(customer, article, rank 1..12) of everybody who was asked for."""
    seconds: float
    memory_mib: float
    """The most that the process held, imports included."""


def named(names: str | None) -> list[str]:
    """Return the peers in a list with commas, or all without a list. Raises ConfigError for an unknown name."""
    chosen = [name.strip() for name in names.split(",")] if names is not None else list(PEERS)
    for name in chosen:
        if name not in PEERS:
            raise ConfigError(f"Unknown peer '{name}': choose from {', '.join(PEERS)}.")
    return list(dict.fromkeys(chosen))


def available(names: Sequence[str], present: frozenset[str]) -> tuple[dict[str, Peer], dict[str, str]]:
    """Return the peers that can run on data with the columns `present`, and what the others miss."""
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
    """Return the peer of the module `name`, whose import also imports the library that does its work."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Disabling GPU support")  # implicit, where CUDA is of another version
        peer: Peer = importlib.import_module(f"hmgpu.benchmark.peers.{name}").PEER
    return peer


def recommend(
    name: str, store: Store, week: Week, customers: pl.DataFrame, seed: int, settings: Mapping[str, Any]
) -> Recommended:
    """Let the peer recommend to `customers` (customer) for `week`, from what was known before it.

    Short lists are filled as hmgpu fills its own.
    """
    peer, history = load(name), store.as_of(week.first_day)
    forget()
    started = time.perf_counter()
    found = peer.recommend(history, customers, CPU, seed, **settings)
    scored = found.lazy().select(*KEYS, score=-pl.col("rank"))
    lists = CPU.collect(top_k(scored, customers.lazy(), best_sellers(history)).sort("customer", "rank"))
    return Recommended(lists, time.perf_counter() - started, highest())


def tried(name: str, store: Store, week: Week, bought: pl.DataFrame, seed: int) -> list[float]:
    """Return the MAP@12 in `week` with each of the peer's settings.

    Args:
        bought: (customer, article) of that week, each once.
    """
    asked = buyers(bought)
    found = [recommend(name, store, week, asked, seed, settings).lists for settings in load(name).settings]
    return [fmean(judged(lists, bought)["average_precision"]) for lists in found]


def buyers(bought: pl.DataFrame) -> pl.DataFrame:
    """Return (customer), sorted: everybody in `bought`."""
    return bought.select("customer").unique().sort("customer")
