"""Export everything that a run learned, in open formats: one folder that can be read without hmgpu.

    manifest.json             run, data, versions, and the sha256 of every other file
    MODEL_CARD.md             what it is, how good, and what it isn't for; see serving.model_card
    metrics.json              the figures of the validation week, where the run was evaluated
    config.yaml               the run's settings
    recommendations.parquet   (customer_id, rank, article_id), and best_sellers.parquet (rank, article_id) for unknown
                              customers
    candidates.parquet        what the ranker saw of some customers; see serving.candidates
    model/                    the ranker: UBJ and JSON; a network's weights as .npz
    encoders/                 see serving.encoders
    vectors/                  see serving.vectors
    towers/                   see serving.weights

Every file is compared with the manifest of its step before it is read or copied.
"""

import shutil
from pathlib import Path

import polars as pl

from hmgpu.core.errors import RunError
from hmgpu.core.files import hashes, write_json, write_text
from hmgpu.core.parquet import scan_table
from hmgpu.core.whole_folder import NAME, replaced
from hmgpu.pipeline.served_tables import BEST_SELLERS, RECOMMENDATIONS
from hmgpu.serving.candidates import write_candidates
from hmgpu.serving.finished_run import METRICS, FinishedRun
from hmgpu.serving.model_card import CARD, model_card
from hmgpu.serving.vectors import write_vectors

FORMAT = "hmgpu export 1"


def export(run: FinishedRun, out: Path) -> dict[str, str]:
    """Write the folder `out`, or replace it where it is an earlier export; return the sha256 of its files.

    The export is written next to `out` and renamed into place: killed anywhere, `out` is whole or isn't there.

    Raises RunError where `out` is anything but an earlier export, and where a file of the run was changed since it was
    written; `out` then stays as it was.
    """
    out = out.resolve()
    if out.is_relative_to(run.folder):
        raise RunError(f"{out} lies in the run itself: export into a folder outside of it.")
    with replaced(out, "export") as draft:
        _write(run, draft)
        candidates = write_candidates(run, draft)
        files = hashes(draft)
        facts = {"format": FORMAT, "run": run.folder.name, **run.manifest, "candidates": candidates}
        write_json(draft / NAME, facts | {"files": files})
    return files


def _write(run: FinishedRun, folder: Path) -> None:
    _write_lists(run, folder)
    _write_model(run, folder / "model")
    (folder / "vectors").mkdir()
    write_vectors(run, folder / "vectors")
    inputs = frozenset[str]().union(*(step.inputs for step in run.sources))
    for step in run.steps_with(inputs, "*/encode"):
        from hmgpu.serving.encoders import write_encoders

        (folder / "encoders").mkdir()
        write_encoders(run, step, folder / "encoders")
    if run.steps_with(inputs, "*/train/*"):
        from hmgpu.serving.weights import write_towers

        (folder / "towers").mkdir()
        write_towers(run, folder / "towers")
    shutil.copyfile(run.folder / "config.yaml", folder / "config.yaml")
    if run.evaluated:
        shutil.copyfile(run.evaluated.file(METRICS), folder / METRICS)
    write_text(folder / CARD, model_card(run))


def _write_lists(run: FinishedRun, folder: Path) -> None:
    lists = scan_table(run.submitted.file(RECOMMENDATIONS))
    ranks = pl.int_ranges(1, pl.col("articles").list.len() + 1, dtype=pl.Int32)
    places = lists.with_columns(rank=ranks).explode("articles", "rank")
    named = places.select("customer_id", "rank", article_id="articles")
    named.sink_parquet(folder / RECOMMENDATIONS)
    shutil.copyfile(run.submitted.file(BEST_SELLERS), folder / BEST_SELLERS)


def _write_model(run: FinishedRun, folder: Path) -> None:
    """Write the ranker's files into the same subfolders of `folder`."""
    fitted = run.ranker
    for name in fitted.files:
        source, target = fitted.file(name), folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
