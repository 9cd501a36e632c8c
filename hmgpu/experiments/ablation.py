"""Measure what parts and settings are worth: the pipeline with one thing changed, on the same customers.

Nothing is approximated. Without a part its candidates and columns are gone, the other families are computed again, the
examples are sampled again and the ranker is fitted again, with the same seed; only what parts learn equally is shared.
"""

import json
import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from hmgpu.core.errors import ConfigError, DataError
from hmgpu.core.files import digest_of, write_json, write_text
from hmgpu.core.parquet import read_table
from hmgpu.data.weeks import Week
from hmgpu.evaluation.contributions import PARTS, Ablation, Scored, VariantName, contributions, joined
from hmgpu.evaluation.report.ablation import ablation_page
from hmgpu.experiments.folds import Folds, place_of
from hmgpu.experiments.variants import reseeded, varied, without
from hmgpu.parts.candidates import MOST
from hmgpu.parts.models.filter import OF, Filter
from hmgpu.parts.negative_sampler import NegativeSampler
from hmgpu.parts.negatives.recalled import Recalled
from hmgpu.parts.part import kinds
from hmgpu.parts.retriever import Retriever
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.evaluate import ABLATION, METRICS, PRECISIONS, ablation_step
from hmgpu.pipeline.open import decisive_settings
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.runs.seal import is_whole, seal

log = logging.getLogger(__name__)

NEGATIVES = (5, 15, 30, 60)
WEEKS = (1, 2, 4, 8)
CANDIDATES = (0.5, 2)  # factors of each retriever's number of candidates, and of the number that quotas keep
SECTIONS = (*PARTS, "negatives", "weeks", "candidates")
# Raised by an impossible pipeline: a setting or a column names a part that is gone, or there is nothing to fit.
IMPOSSIBLE = (ConfigError, DataError, pl.exceptions.ColumnNotFoundError)


def sections_in(named: str) -> tuple[str, ...]:
    """Return the sections that `--ablate` names, in the order of `SECTIONS`."""
    wanted = [section.strip() for section in named.split(",")]
    for section in wanted:
        if section not in SECTIONS:
            known = f"{', '.join(SECTIONS[:-1])} or {SECTIONS[-1]}"
            raise ConfigError(
                f"--ablate {named}: '{section}' can't be ablated; write {known}, or several, comma-separated."
            )
    return tuple(section for section in SECTIONS if section in wanted)


def ablate_run(pipeline: Pipeline, sections: Sequence[str]) -> tuple[dict[str, Any], Path]:
    """Measure what every variant is worth in the validation week; return it and the run's `ablation.json` with it.

    Sections that were measured before stay in the file. The run's page is written again, with the ablation in it; a
    finished run is sealed again.
    """
    run, week = pipeline.run, pipeline.weeks.validation
    finished = is_whole(run.folder)
    found = contributions([ablate(pipeline, sections, week)])
    before = run.there(ablation_step(week))
    if before:
        found = joined(found, json.loads((before.folder / ABLATION).read_text()))
    step = run.step(ablation_step(week), {}, [digest_of(found)], lambda folder: write_json(folder / ABLATION, found))
    file = run.show(ABLATION, step.folder / ABLATION)
    pipeline.evaluate()
    if finished:
        seal(run.folder)
    return found, file


def ablate_folds(folds: Folds, runs: Path, sections: Sequence[str]) -> tuple[dict[str, Any], Path]:
    """Measure what every variant is worth over the weeks of `folds`; return it and its file in `runs`, with a page."""
    weeks = []
    for pipeline, week in folds:
        with pipeline.working():
            weeks.append(ablate(pipeline, sections, week))
    found = contributions(weeks)
    file = place_of(f"ablation-{'-'.join(sections)}", pipeline, week, len(weeks), runs)
    write_json(file, found)
    write_text(file.with_suffix(".html"), ablation_page(found))
    return found, file


def ablate(pipeline: Pipeline, sections: Sequence[str], week: Week) -> Ablation:
    """Score on `week` the full pipeline, the full pipeline with another seed, and every variant of `sections`."""
    full = _scored(pipeline.judge(week))
    other_seed = _scored_variant(pipeline, partial(reseeded, pipeline), "reseeded", week)
    changed, impossible = dict[VariantName, Scored](), dict[VariantName, str]()
    variants = [variant for section in sections for variant in _variants(pipeline, section)]
    for number, (section, name, step, build) in enumerate(variants, 1):
        log.info("variant %d of %d: %s", number, len(variants), step)
        try:
            changed[section, name] = _scored_variant(pipeline, build, step, week)
        except IMPOSSIBLE as error:
            impossible[section, name] = str(error).partition("\n")[0]
            log.warning("the variant %s is impossible: %s", step, impossible[section, name])
    return Ablation(full, other_seed, changed, impossible)


def _variants(pipeline: Pipeline, section: str) -> Iterator[tuple[str, str, str, Callable[[], Pipeline]]]:
    """Yield section, name, name of the step, and a function that builds the pipeline of each variant."""
    if section in PARTS:
        for name in pipeline.retrievers if section == "retrievers" else pipeline.features:
            yield section, name, f"without-{section}-{name}", partial(without, pipeline, section, name)
    else:
        for name, update in _settings(pipeline.config, section).items():
            yield section, name, f"{section}-{name}", partial(varied, pipeline, f"{section}-{name}", update)


def _settings(config: Config, section: str) -> dict[str, dict[str, Any]]:
    """Return the changed fields of the config by the variant's name, without values that the config already has."""
    if section == "negatives":
        ways: dict[str, dict[str, NegativeSampler]] = {str(n): {"recalled": Recalled(n=n)} for n in NEGATIVES}
        others = {kind: part() for kind, part in kinds(NegativeSampler).items() if kind != "recalled"}
        ways |= {f"and-{kind}": {**config.negatives, kind: part} for kind, part in others.items()}
        return {name: {"negatives": parts} for name, parts in ways.items() if parts != config.negatives}
    if section == "weeks":
        other = (number for number in WEEKS if number != config.weeks.train)
        return {str(number): {"weeks": config.weeks.model_copy(update={"train": number})} for number in other}
    return {f"x{factor:g}": _with_candidates(config, factor) for factor in CANDIDATES}


def _with_candidates(config: Config, factor: float) -> dict[str, Any]:
    """Return the retrievers with `factor` times their candidates each, and quotas that keep `factor` times as many."""
    retrievers = {name: _with_n(part, factor) for name, part in config.retrievers.items()}
    if config.quotas is None:
        return {"retrievers": retrievers}
    kept = config.quotas.model_copy(update={"keep": max(1, round(config.quotas.keep * factor))})
    return {"retrievers": retrievers, "quotas": kept}


def _with_n(part: Retriever, factor: float) -> Retriever:
    update: dict[str, Any] = {"n": min(MOST, max(1, round(part.n * factor)))}
    if isinstance(part, Filter):  # the filtered retriever's candidates limit what the filter can leave
        update[OF] = _with_n(part.of, factor)
    return part.model_copy(update=update)


def _scored_variant(pipeline: Pipeline, build: Callable[[], Pipeline], name: str, week: Week) -> Scored:
    """Score the variant that `build` returns on `week`; only its figures are kept, in a step of `pipeline`."""
    variant = build()

    def evaluate(folder: Path) -> None:
        metrics = variant.judge(week)
        for file in (metrics, metrics.with_name(PRECISIONS)):
            shutil.copyfile(file, folder / file.name)

    learning = variant.learning
    settings, inputs = decisive_settings(variant.config, variant.store, learning.exclusions, learning.reranking)
    try:
        step = pipeline.run.step(f"{week}/ablate/{name}", settings, inputs, evaluate)
    except IMPOSSIBLE:
        shutil.rmtree(variant.run.folder, ignore_errors=True)
        raise
    # Twenty copies of the examples would fill a disk. Until here they let a killed ablation go on where it stopped.
    shutil.rmtree(variant.run.folder, ignore_errors=True)
    return _scored(step.folder / METRICS)


def _scored(metrics: Path) -> Scored:
    """Read an evaluation, given the file of its metrics."""
    precisions = read_table(metrics.with_name(PRECISIONS), columns=["customer", "ranker"])
    return Scored(json.loads(metrics.read_text()), precisions)
