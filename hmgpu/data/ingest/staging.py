"""Change a data set all at once: one writer, new files written aside, the manifest swapped last."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hmgpu.core.errors import DataError, DiskError
from hmgpu.core.files import needing_room
from hmgpu.core.lock import held
from hmgpu.data.manifest import NAME, Manifest

STAGING = ".staging"
LOCK = ".lock"
VECTORS = "vectors"
_TABLE = re.compile(r"(articles|customers|codes)-[0-9a-f]{8}\.parquet")


@contextmanager
def staged(root: Path) -> Iterator[Path]:
    """Yield an empty folder for preparing the next state of `root`, and keep other processes from doing the same.

    Raises BusyError where another process is doing so, DiskError where `root` can't be written or its disk is full, and
    DataError where it holds anything but a data set of hmgpu. If `root` did not exist and nothing was published, it is
    removed afterwards.
    """
    busy = f"Another ingest is at work in {root}: wait until it has ended."
    with ExitStack() as stack:
        try:
            root.mkdir(parents=True, exist_ok=True)
            stack.enter_context(held(root / LOCK, lambda: busy, keep=True))
        except OSError as error:
            raise DiskError(
                f"{root} can't be written ({error.strerror}): `data.root` must name a folder of yours."
            ) from None
        staging = root / STAGING
        try:
            _refuse_foreign(root)
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir()
            with needing_room(root):
                yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)
            if [path.name for path in root.iterdir()] == [LOCK]:
                (root / LOCK).unlink()
                root.rmdir()


def publish(staging: Path, root: Path, manifest: Manifest) -> None:
    """Move all files of `staging` to their places in `root`, swap the manifest, and remove files it doesn't list."""
    for path in sorted(path for path in staging.rglob("*") if path.is_file()):
        place = root / path.relative_to(staging)
        place.parent.mkdir(parents=True, exist_ok=True)
        _flush(path)
        os.replace(path, place)
    path = staging / NAME
    path.write_bytes(manifest.to_bytes())
    _flush(path)
    os.replace(path, root / NAME)
    _flush(root)
    remove_strays(root, manifest)


def remove_strays(root: Path, manifest: Manifest) -> None:
    """Remove hmgpu's files that the manifest doesn't list: leftovers of an older state or of a killed ingest."""
    listed = {*manifest.files, *(source.quarantine for source in manifest.sources)}
    ours = [path for path in root.iterdir() if _TABLE.fullmatch(path.name)]
    ours += [*root.glob("transactions/week=*/*.parquet"), *root.glob("quarantine/*.csv")]
    ours += root.glob(f"{VECTORS}/*.parquet")
    for path in ours:
        if path.relative_to(root).as_posix() not in listed:
            path.unlink()
    for folder in [*root.glob("transactions/week=*"), root / "quarantine", root / VECTORS]:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _refuse_foreign(root: Path) -> None:
    """Raise DataError where `root` holds other files: strays are removed by name, so the folder must be hmgpu's."""
    if (root / NAME).exists():
        return
    ours = {LOCK, STAGING, "transactions", "quarantine", VECTORS}
    foreign = sorted(path.name for path in root.iterdir() if path.name not in ours and not _TABLE.fullmatch(path.name))
    if foreign:
        raise DataError(f"{root} holds {foreign[0]} but no data set: `data.root` must name a new or empty folder.")


def _flush(path: Path) -> None:
    """Flush a file to the disk, so that after a power cut no manifest lists a file that isn't there."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
