"""How a contract asks a part: bind it, let it learn from a History, and hash what it returns."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.data.store import History
from hmgpu.parts.part import Learned, Learner, Part, PartContext, Trained
from hmgpu.pipeline.learn import executed, with_customers

CPU = Engine("cpu", "tests")
SEED = 1
P = TypeVar("P", bound=Part)
T = TypeVar("T")
_folder = tempfile.TemporaryDirectory(prefix="hmgpu-testing-")
_made: dict[tuple[int, str], tuple[Any, Any]] = {}


def bound(part: P, history: History, engine: Engine = CPU, trained_on: History | None = None) -> P:
    """`part` with what a pipeline would lend it: workflows fitted, and its model trained, on `history`.

    What was made for one history is kept.

    Args:
        trained_on: another history to fit and train on.
    """
    past = trained_on or history
    model = None
    if isinstance(part, Trained):
        model = once(past, f"model {engine.name} {_said(part)}", lambda: _train(part, past, engine))
    return part.bind(_context(past, engine, model))


def encoders(history: History, engine: Engine = CPU, days: int = 91) -> Any:
    """Workflows fitted on the last `days` of `history`, which encode the same rows once."""
    from hmgpu.parts.models.encode.workflow import Encoders  # loads Merlin

    class Kept(Encoders):
        def encode(self, side: Any, rows: pl.DataFrame) -> pl.DataFrame:
            asked = hashlib.sha256(rows.hash_rows().to_numpy().tobytes()).hexdigest()
            return once(self, f"{side} {rows.columns} {asked}", lambda: super(Kept, self).encode(side, rows))

    def fit() -> Encoders:
        return Kept(**vars(Encoders.fit(history, days, engine, Path(tempfile.mkdtemp(dir=_folder.name)))))

    return once(history, f"encoders {engine.name} {days}", fit)


def learned(part: Learner, history: History, engine: Engine = CPU) -> Learned:
    """What `part`, bound, learns for everybody and of each customer, executed, handed back as scans would be.

    What was learned from one history is kept, so that a contract's tests learn it once.
    """

    def learn() -> Learned:
        return with_customers(part, executed(learning(part, history), engine), history, engine)

    return dict(kept(part, history, "learned", learn))


def learning(part: Learner, history: History) -> Learned:
    """The plans by which `part`, bound, learns for everybody; what it computes at once for them is computed once."""
    return dict(kept(part, history, "learning", lambda: part.learn(history)))


def kept(part: Learner, history: History, what: str, make: Callable[[], T]) -> T:
    """What `make` returned when it was first asked for by this name for `part`, bound, and `history`."""
    context = part.context
    return once(history, f"{what} {context.engine.name} {context.model} {_said(part)}", make)


def plans_of(part: Learner, history: History) -> Learned:
    """Every plan by which `part`, bound, learns."""
    return learning(part, history) | part.learn_customers(learned(part, history), history)


def digests(plans: Mapping[str, pl.LazyFrame], engine: Engine = CPU) -> dict[str, str]:
    """Hash of the bytes that the engine writes for each plan."""
    with tempfile.TemporaryDirectory() as folder:
        return {name: _digest(plan, Path(folder) / name, engine) for name, plan in plans.items()}


def _digest(plan: pl.LazyFrame, file: Path, engine: Engine) -> str:
    engine.write(plan, file)
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _train(part: Trained, history: History, engine: Engine) -> Path:
    folder = Path(tempfile.mkdtemp(dir=_folder.name))
    part.bind(_context(history, engine)).train(history, folder, folder / "work")
    return folder


def _context(history: History, engine: Engine, model: Path | None = None) -> PartContext:
    return PartContext(engine, SEED, lambda: encoders(history, engine), model, Path(_folder.name) / "cache")


def _said(part: Part) -> str:
    return json.dumps(part.settings())


def once(of: Any, what: str, make: Callable[[], T]) -> T:
    """What `make` returned when it was first asked for by this name for the object `of`."""
    key = (id(of), what)
    if key not in _made:
        _made[key] = (of, make())  # with what it is of, so that its id isn't given to another
    found: T = _made[key][1]
    return found
