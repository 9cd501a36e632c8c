"""What a part learns, executed as the pipeline does it, less the files that a run keeps of it.

For everybody once, then for the customers who are served: those of a benchmark are one shard.
"""

from typing import TypeVar

from hmgpu.core.engine import Engine
from hmgpu.data.store import History
from hmgpu.parts.part import FittedEncoders, Learned, Learner, PartContext
from hmgpu.pipeline.learn import all_learned

L = TypeVar("L", bound=Learner)


def learned(part: Learner, history: History, audience: History, engine: Engine) -> Learned:
    """All tables of `part`: of everybody from `history`, and of the customers whose history `audience` is."""
    return all_learned(with_engine(part, engine), history, audience, engine)


def with_engine(part: L, engine: Engine) -> L:
    """`part` with an engine to work with; parts that learn by plans alone draw nothing and need no workflows."""
    return part.bind(PartContext(engine, 0, _no_encoders))


def _no_encoders() -> FittedEncoders:
    raise AssertionError("a part that needs workflows does not learn by plans alone: see Subject.untrained")
