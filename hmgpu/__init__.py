"""hmgpu: GPU-accelerated, end-to-end training of weekly fashion recommenders on H&M-shaped data.

    import hmgpu

    session = hmgpu.open("base", {"data.root": "data"})  # a shipped config, or a path; settings over it
    session.evaluate().metrics["map_at_12"]
    session.recommend(customers=["…"])

All names are loaded when they are first used: an import of hmgpu alone loads no other package.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

from hmgpu.core.version import VERSION

__version__ = VERSION

# Before Polars is loaded: else its allocator keeps what was freed (a group-by of 40 M rows left 2.7 GiB behind), and
# the memory that is planned with would be gone. For a second it may keep it, large pieces too, and in huge pages: what
# is given back at once is asked for again at once, page by page (a fifth of the page faults; docs/results/profiles.md).
os.environ.setdefault("_RJEM_MALLOC_CONF", "oversize_threshold:0,dirty_decay_ms:1000,muzzy_decay_ms:0,thp:always")

if TYPE_CHECKING:  # for type checkers and editors; whoever runs it gets the same by `__getattr__`
    from hmgpu.core.engine import Engine
    from hmgpu.data.store import History, Store
    from hmgpu.experiments.backtest import backtest
    from hmgpu.experiments.comparison import compare_runs as compare
    from hmgpu.parts.feature import Feature
    from hmgpu.parts.negative_sampler import NegativeSampler
    from hmgpu.parts.part import Learned
    from hmgpu.parts.ranker import Ranker
    from hmgpu.parts.retriever import Retriever
    from hmgpu.pipeline.config import Config, load_config
    from hmgpu.pipeline.recommender import Recommender
    from hmgpu.pipeline.session import open_session as open

__all__ = [
    "Config",
    "Engine",
    "Feature",
    "History",
    "Learned",
    "NegativeSampler",
    "Ranker",
    "Recommender",
    "Retriever",
    "Store",
    "__version__",
    "backtest",
    "compare",
    "load_config",
    "open",
]

_PLACES = {
    "Config": "hmgpu.pipeline.config:Config",
    "Engine": "hmgpu.core.engine:Engine",
    "Feature": "hmgpu.parts.feature:Feature",
    "History": "hmgpu.data.store:History",
    "Learned": "hmgpu.parts.part:Learned",
    "NegativeSampler": "hmgpu.parts.negative_sampler:NegativeSampler",
    "Ranker": "hmgpu.parts.ranker:Ranker",
    "Recommender": "hmgpu.pipeline.recommender:Recommender",
    "Retriever": "hmgpu.parts.retriever:Retriever",
    "Store": "hmgpu.data.store:Store",
    "backtest": "hmgpu.experiments.backtest:backtest",
    "compare": "hmgpu.experiments.comparison:compare_runs",
    "load_config": "hmgpu.pipeline.config:load_config",
    "open": "hmgpu.pipeline.session:open_session",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'hmgpu' has no attribute '{name}'; its names are {', '.join(__all__)}")
    module, _, attribute = _PLACES[name].partition(":")
    found = getattr(importlib.import_module(module), attribute)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
