"""What a part learns, executed as the pipeline does it, less the files that a run keeps of it.

For everybody once, then for the customers who are served: those of a benchmark are one shard.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from hmgpu.data.store import History
from hmgpu.engine import Engine
from hmgpu.parts import Bench, Learned, Learner

if TYPE_CHECKING:  # the real import loads Merlin
    from hmgpu.encode.workflow import Encoders

L = TypeVar("L", bound=Learner)


def learned(part: Learner, history: History, audience: History, engine: Engine) -> Learned:
    """All tables of `part`: of everybody from `history`, and of the customers whose history `audience` is."""
    working = at_work(part, engine)
    known = {name: engine.collect(plan).lazy() for name, plan in working.learn(history).items()}
    own = working.learn_customers(known, audience)
    return known | {name: engine.collect(plan).lazy() for name, plan in own.items()}


def cut_out(audience: History, engine: Engine) -> History:
    """`audience` with its rows in memory, for many parts to read them."""
    sold, people = (engine.collect(plan) for plan in (audience.transactions, audience.customers))
    return replace(audience, transactions=sold.lazy(), customers=people.lazy())


def at_work(part: L, engine: Engine) -> L:
    """`part` with an engine to work with; parts that learn by plans alone draw nothing and need no workflows."""
    return part.at(Bench(engine, 0, _no_encoders))


def _no_encoders() -> "Encoders":
    raise AssertionError("a part that needs workflows is none that learns by plans alone: see Subject.untrained")
