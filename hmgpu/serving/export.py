"""Everything that a run has learned, in open formats: one folder that needs no hmgpu to be read.

    manifest.json             run, data, versions, and the sha256 of every other file
    config.yaml               the run's settings
    recommendations.parquet   (customer_id, rank, article_id), and best_sellers.parquet (rank, article_id) for others
    model/                    the ranker: UBJ and JSON; a network's weights as .npz
    encoders/                 see serving.encoders
    vectors/                  see serving.vectors
    towers/                   see serving.weights

Nothing of the run is copied or read that is not what the manifest of its step lists.
"""

import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from hmgpu.core.errors import RunError
from hmgpu.core.files import UNFINISHED, hashes, is_vacant, write_json
from hmgpu.core.lock import held
from hmgpu.pipeline.served_tables import BEST_SELLERS, RECOMMENDATIONS
from hmgpu.serving.finished_run import FIT, FinishedRun
from hmgpu.serving.vectors import write_vectors

FORMAT = "hmgpu export 1"
NAME = "manifest.json"
OLD = ".replaced-"
LOCK = ".hmgpu-export.lock"


def export(run: FinishedRun, out: Path) -> dict[str, str]:
    """Makes the folder `out`, or makes it anew where it is an earlier export; returns the sha256 of its files.

    It is made beside `out` and renamed into place: killed anywhere, `out` is whole or is not there.

    Raises RunError where `out` is anything else than an earlier export, and where a file of the run was changed since
    it was made; `out` then stays what it was.
    """
    out = out.resolve()
    if out.is_relative_to(run.folder):
        raise RunError(f"{out} lies in the run itself: export into a folder outside of it.")
    _check_replaceable(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with _alone(out) as draft:
        _write(run, draft)
        files = hashes(draft)
        facts = {"format": FORMAT, "run": run.folder.name, **run.manifest}
        write_json(draft / NAME, facts | {"files": files})
        _check_replaceable(out)
        _put(draft, out)
    return files


def _write(run: FinishedRun, folder: Path) -> None:
    _write_lists(run, folder)
    _write_model(run, folder / "model")
    (folder / "vectors").mkdir()
    write_vectors(run, folder / "vectors")
    inputs = frozenset[str]().union(*(made.inputs for made in run.known))
    for made in run.among(inputs, "*/encode"):
        from hmgpu.serving.encoders import write_encoders

        (folder / "encoders").mkdir()
        write_encoders(run, made, folder / "encoders")
    if run.among(inputs, "*/train/*"):
        from hmgpu.serving.weights import write_towers

        (folder / "towers").mkdir()
        write_towers(run, folder / "towers")
    shutil.copyfile(run.folder / "config.yaml", folder / "config.yaml")


def _write_lists(run: FinishedRun, folder: Path) -> None:
    lists = pl.scan_parquet(run.submitted.file(RECOMMENDATIONS), glob=False)
    ranks = pl.int_ranges(1, pl.col("articles").list.len() + 1, dtype=pl.Int32)
    places = lists.with_columns(rank=ranks).explode("articles", "rank")
    named = places.select("customer_id", "rank", article_id="articles")
    named.sink_parquet(folder / RECOMMENDATIONS)
    shutil.copyfile(run.submitted.file(BEST_SELLERS), folder / BEST_SELLERS)


def _write_model(run: FinishedRun, folder: Path) -> None:
    """The files of the ranker, in the same sub-folders."""
    (made,) = (made for made in run.known if made.folder.name == FIT)
    for name in made.files:
        source, target = made.file(name), folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".pt":  # what torch saved is a pickle inside
            from hmgpu.serving.weights import NUMPY, write_weights

            write_weights(source, target.with_suffix(NUMPY))
        else:
            shutil.copyfile(source, target)


def _check_replaceable(out: Path) -> None:
    """Raises RunError unless `out` is new, empty or an earlier export."""
    try:
        if is_vacant(out):
            return
        manifest = json.loads((out / NAME).read_text(encoding="utf-8"))
        earlier = isinstance(manifest, dict) and str(manifest.get("format")).startswith(FORMAT.split(" 1")[0])
    except (OSError, ValueError):
        earlier = False
    if not earlier:
        raise RunError(f"{out} is there and is no earlier export, so it is left alone: name a new folder.")


@contextmanager
def _alone(out: Path) -> Iterator[Path]:
    """A folder to write in, next to `out`; what exports into `out` that were killed have left is removed.

    Raises BusyError where another process exports into the same folder.
    """
    busy = f"Another process exports into {out.parent}; wait for it or stop it."
    with held(out.parent / LOCK, lambda: busy):
        for start in (UNFINISHED, OLD):
            for left in out.parent.glob(f"{start}{out.name}-????????"):
                shutil.rmtree(left)
        draft = out.with_name(f"{UNFINISHED}{out.name}-{uuid.uuid4().hex[:8]}")
        draft.mkdir()
        try:
            yield draft
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _put(draft: Path, out: Path) -> None:
    """Moves `draft` to `out`. No folder can be renamed over one that holds something, so that one is moved away."""
    old = out.with_name(f"{OLD}{out.name}-{uuid.uuid4().hex[:8]}")
    if out.exists():
        out.rename(old)
    try:
        draft.rename(out)
    except OSError:
        if old.exists():
            old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)
