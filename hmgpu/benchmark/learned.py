"""Let a part learn as the pipeline does, without the files that a run writes.

It learns once from everybody, then from the served customers' history: a benchmark's customers are one shard.
"""

from typing import TypeVar

from hmgpu.core.engine import Engine
from hmgpu.data.store import History
from hmgpu.parts.part import FittedEncoders, Learned, Learner, PartContext
from hmgpu.pipeline.learn import all_learned

L = TypeVar("L", bound=Learner)


def learned(part: Learner, history: History, audience: History, engine: Engine) -> Learned:
    """Return all tables that `part` learns: from everybody's `history`, and from the served customers' `audience`."""
    return all_learned(with_engine(part, engine), history, audience, engine)


def with_engine(part: L, engine: Engine) -> L:
    """Return `part` bound to `engine`; a part that learns by plans alone needs no seed and no workflows."""
    return part.bind(PartContext(engine, 0, _no_encoders))


def _no_encoders() -> FittedEncoders:
    raise AssertionError("a part that needs workflows does not learn by plans alone: see Subject.untrained")
