"""What every part is worth: the line without it, scored on the same customers as the full line.

Nothing is approximated. Without a part its candidates and columns are gone, the other families are computed again, the
examples are sampled again and the ranker is fitted again, with the same seed; only what parts learned is shared.
"""

import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from hmgpu.data.weeks import Week
from hmgpu.errors import ConfigError, DataError
from hmgpu.evaluation.contributions import Ablation, PartName, Scored, contributions
from hmgpu.files import write_json
from hmgpu.folds import Folds, place_of
from hmgpu.parts import Part
from hmgpu.pipeline import PRECISIONS, Pipeline

log = logging.getLogger(__name__)

SECTIONS = ("retrievers", "features")
METRICS = "metrics.json"
# What a line raises that can't do without a part: a setting or a column names it, or nothing is left to fit or score.
NEEDED = (ConfigError, DataError, pl.exceptions.ColumnNotFoundError)


def sections_in(named: str) -> tuple[str, ...]:
    """The sections that `--ablate` names, in the config's order."""
    wanted = [section.strip() for section in named.split(",")]
    for section in wanted:
        if section not in SECTIONS:
            raise ConfigError(f"--ablate {named}: '{section}' can't be ablated; write retrievers, features or both.")
    return tuple(section for section in SECTIONS if section in wanted)


def ablate_run(line: Pipeline, sections: Sequence[str]) -> tuple[dict[str, Any], Path]:
    """What every part is worth in the validation week, and the run's `ablation.json` that says it."""
    found = contributions([ablate(line, sections, line.validation_week)])
    file = line.run.folder / "ablation.json"
    write_json(file, found)
    return found, file


def ablate_folds(folds: Folds, runs: Path, sections: Sequence[str]) -> tuple[dict[str, Any], Path]:
    """What every part is worth over the weeks of `folds`, and the file in `runs` that says it."""
    weeks = []
    for line, week in folds:
        with line.working():
            weeks.append(ablate(line, sections, week))
    found = contributions(weeks)
    file = place_of("ablation", line, week, runs)
    write_json(file, found)
    return found, file


def ablate(line: Pipeline, sections: Sequence[str], week: Week) -> Ablation:
    """Scores on `week` the full line, the full line with another seed, and the line without each part of `sections`."""
    full = _scored(line.evaluate(week))
    reseeded = _scored_variant(line, line.reseeded(), "reseeded", week)
    parts: dict[str, Mapping[str, Part]] = {"retrievers": line.retrievers, "features": line.features}
    names = [(section, name) for section in sections for name in parts[section]]
    without, needed = dict[PartName, Scored](), dict[PartName, str]()
    for number, (section, name) in enumerate(names, 1):
        log.info("without %s.%s (%d of %d)", section, name, number, len(names))
        try:
            less = line.without(section, name)
            without[section, name] = _scored_variant(line, less, f"without-{section}-{name}", week)
        except NEEDED as error:
            needed[section, name] = str(error).partition("\n")[0]
            log.warning("%s.%s can't be left out: %s", section, name, needed[section, name])
    return Ablation(full, reseeded, without, needed)


def _scored_variant(line: Pipeline, variant: Pipeline, name: str, week: Week) -> Scored:
    """`variant` on `week`; of all that it makes, only the figures are kept, as a step of `line`."""

    def make(folder: Path) -> None:
        metrics = variant.evaluate(week).resolve()
        for file in (metrics, metrics.with_name(PRECISIONS)):
            shutil.copyfile(file, folder / file.name)

    elsewhere = ("data", "runs", "engine")  # the store's digest, the run's place and every step's manifest say these
    settings = {key: value for key, value in variant.config.settings().items() if key not in elsewhere}
    try:
        step = line.run.step(f"{week}/ablate/{name}", settings, [line.store.digest], make)
    except NEEDED:
        shutil.rmtree(variant.run.folder, ignore_errors=True)
        raise
    # Twenty copies of the examples would fill a disk. Until here they let a killed ablation go on where it was.
    shutil.rmtree(variant.run.folder, ignore_errors=True)
    return _scored(step.folder / METRICS)


def _scored(metrics: Path) -> Scored:
    """What an evaluation left, by the place of its metrics."""
    file = metrics.resolve()
    precisions = pl.read_parquet(file.with_name(PRECISIONS), columns=["customer", "ranker"])
    return Scored(json.loads(file.read_text()), precisions)
