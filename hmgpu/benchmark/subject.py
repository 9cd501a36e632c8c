"""The data that a benchmark works on: a config's data set, or synthetic data."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

from hmgpu.benchmark.shops import Shop
from hmgpu.benchmark.shops.files import shop_settings, write_shop
from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.core.progress import progress
from hmgpu.data.ingest import ingest
from hmgpu.data.manifest import NAME as MANIFEST
from hmgpu.data.open_store import open_store
from hmgpu.data.settings import DataSettings
from hmgpu.data.store import History, Store
from hmgpu.data.synthetic import synthesize
from hmgpu.parts.part import Part, Trained
from hmgpu.parts.rankers.order import Order
from hmgpu.parts.retrievers.two_tower import TwoTower
from hmgpu.pipeline.config import Config, load_config
from hmgpu.pipeline.rhythm import measured

P = TypeVar("P", bound=Part)


@dataclass(frozen=True)
class Subject:
    """A data set, and the settings to use on it."""

    store: Store
    asked: Config
    """The settings as they were asked for: some may be `auto`."""
    origin: str

    @cached_property
    def config(self) -> Config:
        """The settings with a number for every `auto`, measured before the data's last weeks."""
        return measured(self.asked, self.store, Engine.choose("cpu"))

    @property
    def history(self) -> History:
        """What was known before the last complete week."""
        return self.store.as_of(self.store.last_complete_week.first_day)

    @property
    def seed(self) -> int:
        return self.asked.seed

    @property
    def fitted_days(self) -> int:
        """Days of purchases that workflows are fitted on."""
        return self.asked.encode.days

    @property
    def two_tower(self) -> TwoTower:
        """The config's two towers; the default ones where it has none."""
        parts = [*self.config.retrievers.values(), *self.config.features.values()]
        return next((part for part in parts if isinstance(part, TwoTower)), TwoTower())

    @cached_property
    def untrained(self) -> Config:
        """The config without the parts that need workflows, a model, or columns that the data lacks.

        Parts with workflows or a model have benchmarks of their own. Raises ConfigError where no retriever is left.
        """
        parts = {"retrievers": self._plain(self.config.retrievers), "features": self._plain(self.config.features)}
        if not parts["retrievers"]:
            raise ConfigError(
                "Every retriever of the config needs a model, or columns that the data lacks: add popular."
            )
        return self.config.model_copy(update=parts)

    @property
    def left_out(self) -> list[str]:
        """The names in the config of the parts that `untrained` leaves out, such as `retrievers.two_tower`."""
        retrievers = [f"retrievers.{name}" for name in self.config.retrievers if name not in self.untrained.retrievers]
        features = [f"features.{name}" for name in self.config.features if name not in self.untrained.features]
        return retrievers + features

    def data_facts(self) -> dict[str, Any]:
        """Return the data's origin, its size and its cutoff week."""
        known = self.store.manifest
        sizes = {"rows": known.rows, "customers": known.customers, "articles": known.articles}
        return {"origin": self.origin, **sizes, "cutoff": str(self.store.last_complete_week)}

    def _plain(self, parts: dict[str, P]) -> dict[str, P]:
        return {
            name: part
            for name, part in parts.items()
            if not (part.encoded or isinstance(part, Trained)) and part.needs() <= self.store.present
        }


def configured(file: Path, settings: list[str] | None) -> Subject:
    """Return the data set that the config `file` names, which must have been ingested."""
    config = load_config(file, settings)
    store = open_store(config.data, config.weeks.gap)
    return Subject(store, config, f"the data set of {file}")


@contextmanager
def generated(scale: float, seed: int, folder: Path | None, config: Config | None = None) -> Iterator[Subject]:
    """Yield synthetic data, ingested: kept in `folder` and reused the next time, or deleted afterwards.

    The subject has the settings of `config`, except for its data, runs and seed, or the default settings.
    """

    def data_in(place: Path) -> DataSettings:
        return DataSettings(raw=place / "raw", root=place / "data")

    def write(raw: Path) -> None:
        with progress("generate") as report:
            synthesize(raw, scale, seed, report)

    with _place(folder, f"scale-{scale}-seed-{seed}") as place:
        origin = f"hmgpu synth --scale {scale} --seed {seed}"
        yield _subject(place, data_in(place), write, config, seed, origin)


@contextmanager
def of_shop(shop: Shop, seed: int, folder: Path | None, config: Config) -> Iterator[Subject]:
    """Yield the data of a generated shop likewise."""
    with _place(folder, f"{shop}-seed-{seed}") as place:
        data = shop_settings(shop, place)
        yield _subject(place, data, partial(write_shop, shop, seed=seed), config, seed, f"--shop {shop} --seed {seed}")


@contextmanager
def _place(folder: Path | None, name: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as temporary:
        yield (folder or Path(temporary)) / name


def _subject(
    place: Path, data: DataSettings, write: Callable[[Path], None], config: Config | None, seed: int, origin: str
) -> Subject:
    """Return the data set in `place`, whose raw files `write` writes if it isn't there yet."""
    if not (data.root / MANIFEST).exists():
        if not data.raw.exists():
            write(data.raw)
        with progress("ingest") as report:
            ingest(data, progress=report)
    if config is None:
        config = Config(data=data, runs=place, retrievers={"two_tower": TwoTower()}, features={}, ranker=Order())
    asked = config.model_copy(update={"data": data, "runs": place / "runs", "seed": seed})
    return Subject(Store(data.root, asked.weeks.gap), asked, origin)
