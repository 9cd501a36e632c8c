"""The data that a benchmark works on: a config's data set, or a world generated for it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hmgpu.config import Config, EncodeSettings, load_config
from hmgpu.console import progress
from hmgpu.data.ingest import ingest
from hmgpu.data.manifest import NAME as MANIFEST
from hmgpu.data.settings import DataSettings
from hmgpu.data.store import History, Store
from hmgpu.data.synthetic import synthesize
from hmgpu.retrievers.two_tower import TwoTower


@dataclass(frozen=True)
class Subject:
    """A data set, and the settings to work on it with: a config's, or the defaults."""

    store: Store
    seed: int
    fitted_days: int
    """Days of purchases that workflows are fitted on."""
    two_tower: TwoTower
    origin: str

    @property
    def history(self) -> History:
        """What was known before the last complete week."""
        return self.store.as_of(self.store.last_complete_week.first_day)

    def described(self) -> dict[str, Any]:
        """Where the data comes from and how much there is of it."""
        known = self.store.manifest
        sizes = {"rows": known.rows, "customers": known.customers, "articles": known.articles}
        return {"origin": self.origin, **sizes, "cutoff": str(self.store.last_complete_week)}


def configured(file: Path, settings: list[str] | None) -> Subject:
    """The data set that the config `file` names, which must have been ingested."""
    config = load_config(file, settings)
    store = Store(config.data.root)
    return Subject(store, config.seed, config.encode.days, _two_tower(config), f"the data set of {file}")


@contextmanager
def generated(scale: float, seed: int, folder: Path | None) -> Iterator[Subject]:
    """A generated world, ingested; kept in `folder` and taken from there the next time, or gone afterwards."""
    with tempfile.TemporaryDirectory() as temporary:
        place = (folder or Path(temporary)) / f"scale-{scale}-seed-{seed}"
        settings = DataSettings(raw=place / "raw", root=place / "data")
        if not (settings.root / MANIFEST).exists():
            if not settings.raw.exists():
                with progress("generate") as report:
                    synthesize(settings.raw, scale, seed, report)
            with progress("ingest") as report:
                ingest(settings, progress=report)
        origin = f"hmgpu synth --scale {scale} --seed {seed}"
        yield Subject(Store(settings.root), seed, EncodeSettings().days, TwoTower(), origin)


def _two_tower(config: Config) -> TwoTower:
    """The config's two towers; the default ones where it has none."""
    parts = [*config.retrievers.values(), *config.features.values()]
    return next((part for part in parts if isinstance(part, TwoTower)), TwoTower())
