"""`hmgpu benchmark two-tower`: hmgpu's loader against Merlin's and a plain one, alone and feeding the training."""

import copy
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from hmgpu.benchmark.engines import wait_for
from hmgpu.benchmark.memory import held
from hmgpu.benchmark.result import Result
from hmgpu.benchmark.subject import Subject
from hmgpu.benchmark.timing import Contender, measure
from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError
from hmgpu.core.extras import needed_by
from hmgpu.parts.retrievers.two_tower import TwoTower

with needed_by("hmgpu benchmark two-tower"):
    import torch

    from hmgpu.benchmark.feeding import check, indifferent, numbered
    from hmgpu.benchmark.rivals.merlin_loader.batches import merlin_batches
    from hmgpu.benchmark.rivals.plain_batches import PlainBatches
    from hmgpu.benchmark.rivals.plain_loop import plain_pass
    from hmgpu.parts.models.encode.workflow import Encoders
    from hmgpu.parts.models.towers.purchases import write_purchases
    from hmgpu.parts.models.towers.towers import Towers, towers
    from hmgpu.parts.models.training.batches import FileBatches
    from hmgpu.parts.models.training.loop import fit
    from hmgpu.parts.models.training.negatives import OnSaleNegatives


def benchmark_two_tower(
    subject: Subject, engines: Sequence[Engine], absent: Mapping[str, str], repeats: int, memory: bool = True
) -> Result:
    """Measure one pass over the encoded purchases: going through the batches, and training on them.

    Raises DisagreementError unless every way of feeding the model gives the same batches and the same weights.
    """
    settings = subject.two_tower.model_copy(update={"epochs": 1, "accumulate": 1, "devices": 1})
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        encoders = Encoders.fit(subject.history, subject.fitted_days, engines[0], folder / "encoders")
        files = write_purchases(subject.history, encoders, settings, folder)
        if not files.bought:
            raise DataError(f"two_tower: nothing was bought in {settings.weeks} weeks; take more data.")
        torch.manual_seed(subject.seed)
        model = towers(settings, encoders)
        agreement, needed = dict[str, str](), dict[str, float]()
        loading, training = list[Contender](), list[Contender]()
        for engine in reversed(engines):  # so that the last contender, the one compared with, is on the CPU
            if settings.extra:
                model.negatives = OnSaleNegatives(files.on_sale, settings.extra, engine.device)
            fed = Feeding(files.bought, settings, engine)
            agreement[engine.name] = fed.check(model, subject.seed, folder / f"numbered-{engine.name}")
            loading += fed.loading()
            training += fed.training(model, subject.seed)
            if memory:
                needed |= {name: held(make) for name, make in fed.ways().items()}
        rows = len(fed.kept)
        measured = [
            replace(measure("load", rows, "purchases", loading, repeats), memory_mib=needed),
            measure("train", rows, "purchases", training, repeats),
        ]
    facts = {
        **settings.settings(),
        "files": len(files.bought),
        "seed": subject.seed,
        "fitted_days": subject.fitted_days,
        "memory": "resident memory of a process of its own between batches, beyond what it held after its imports",
        "repeats": repeats,
        "engines": [engine.name for engine in engines],
        "torch_threads": torch.get_num_threads(),
        "parameters": sum(each.numel() for each in model.parameters()),
    }
    return Result("two-tower", measured, agreement, facts, subject.data_facts(), absent)


class Feeding:
    """The ways to feed the model on one engine: hmgpu's loader, Merlin's loader, and a plain one from memory."""

    def __init__(self, files: Sequence[Path], settings: TwoTower, engine: Engine) -> None:
        self.files, self.settings, self.engine = files, settings, engine
        self.own = FileBatches(files, settings.batch, engine)
        self.merlin = merlin_batches(files, settings.batch, engine)
        self.kept = PlainBatches(files, settings.batch, engine.device)

    def ways(self) -> dict[str, Callable[[], Iterable[Any]]]:
        """Return a call for each loader that builds it from the files."""
        files, batch = self.files, self.settings.batch
        return {
            self._named("hmgpu's loader"): partial(FileBatches, files, batch, self.engine),
            self._named("Merlin's loader"): partial(merlin_batches, files, batch, self.engine),
            self._named("plain loader, all in memory"): partial(PlainBatches, files, batch, self.engine.device),
        }

    def loading(self) -> list[Contender]:
        """Return contenders that go once over all batches and do nothing else, from the files on."""
        return [Contender(name, partial(self._go_through, make)) for name, make in self.ways().items()]

    def training(self, model: Towers, seed: int) -> list[Contender]:
        """Return contenders that each train a model of their own, on and on: weights don't change a pass's time."""
        trained = [copy.deepcopy(model).to(self.engine.device) for _ in range(3)]
        loop = partial(plain_pass, settings=self.settings, engine=self.engine)
        return [
            Contender(self._named("hmgpu: Lightning, its own loader"), partial(self._lightning, trained[0], seed)),
            Contender(self._named("torch loop, Merlin's loader"), partial(loop, trained[1], self.merlin)),
            Contender(self._named("torch loop, plain loader"), partial(loop, trained[2], self.kept)),
        ]

    def check(self, model: Towers, seed: int, folder: Path) -> str:
        """Return how closely the loaders agree, as a sentence. Raises DisagreementError where they don't."""
        same = Feeding(numbered(self.files, folder), self.settings, self.engine)
        loaders = {"hmgpu's loader": same.own, "Merlin's loader": same.merlin}
        return check(model, loaders, same.kept, self.settings, self.engine, seed, folder / "work")

    def _go_through(self, make: Callable[[], Iterable[Any]]) -> None:
        for _ in make():
            pass
        wait_for(self.engine)

    def _lightning(self, model: Towers, seed: int) -> None:
        with tempfile.TemporaryDirectory() as work:  # a new one each time, or `fit` would go on from a checkpoint
            fit(model, lambda rank, processes: self.own, indifferent, self.settings, self.engine, seed, Path(work))

    def _named(self, what: str) -> str:
        return f"{what}, {self.engine.name.upper()}"
