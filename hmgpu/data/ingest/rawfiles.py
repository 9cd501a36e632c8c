"""Find the raw files, hash them, and open them in any packing."""

import gzip
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from hmgpu.core.errors import DataError
from hmgpu.core.files import sha256
from hmgpu.data.settings import DataSettings
from hmgpu.data.tables import TableName

# Tables of ids, days and prices pack to a fifth to a twentieth of their size. A file that unpacks to far more is not a
# table and would take hours to read; up to BOMB_BYTES, any ratio is accepted.
BOMB_RATIO, BOMB_BYTES = 200, 64 << 20
ENDINGS = (".csv", ".csv.gz", ".gz", ".csv.zip", ".zip", ".parquet")  # in order of preference, if several exist


@dataclass(frozen=True)
class RawFile:
    """A raw file of a table, with the sha256 of its bytes on disk."""

    table: TableName
    path: Path
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        ending = next(ending for ending in sorted(ENDINGS, key=len, reverse=True) if self.path.name.endswith(ending))
        return self.path.name.removesuffix(ending)

    @property
    def is_parquet(self) -> bool:
        return self.path.suffix == ".parquet"


def open_raw(table: TableName, path: Path) -> RawFile:
    """Hash the raw file at `path`; raises DataError where it can't be read or has an unknown ending."""
    if not path.name.endswith(ENDINGS):
        raise DataError(f"{path} has an unknown ending: it must be one of {', '.join(ENDINGS)}.")
    try:
        digest, size = sha256(path), path.stat().st_size
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from None
    if size == 0:
        raise DataError(f"{path} is empty: it has not even a header.")
    return RawFile(table, path, size, digest)


def find(folder: Path, settings: DataSettings, warnings: list[str], *, week: bool = False) -> dict[TableName, RawFile]:
    """Find the raw files in `folder` of the tables that `settings` declares; a `week` needs only transactions.

    If a table exists in several packings, the plainest is read and a sentence about it is added to `warnings`.
    """
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}: `data.raw` must name the folder with the raw files.")
    stems: dict[TableName, str | None] = {
        "transactions": settings.files.transactions,
        "articles": settings.files.articles,
        "customers": settings.files.customers,
    }
    found: dict[TableName, RawFile] = {}
    for table, stem in stems.items():
        if stem is None:
            continue
        paths = [path for ending in ENDINGS if (path := folder / f"{stem}{ending}").is_file()]
        if paths:
            found[table] = open_raw(table, paths[0])
            if len(paths) > 1:
                others = ", ".join(path.name for path in paths[1:])
                warnings.append(f"{paths[0]} was read, and {others} next to it was not.")
        elif table == "transactions" or not week:
            absent = "" if table == "transactions" else ", or be null if there is none"
            names = f"{stem}{{{','.join(ENDINGS)}}}"
            raise DataError(f"There is no {names} in {folder}: `data.files.{table}` must name the file{absent}.")
    return found


@contextmanager
def unpacked(raw: RawFile) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Open the unpacked bytes of `raw`, and the file on disk, whose position shows how far reading has come.

    Anything wrong with the packing raises DataError, also while the caller reads. Nothing is unpacked to disk, so the
    names of an archive's members do no harm.
    """
    with raw.path.open("rb") as disk:
        if raw.path.suffix in (".gz", ".zip"):
            with _Unpacking(raw, disk) as stream:
                yield cast("IO[bytes]", stream), disk
        else:
            yield disk, disk


class _Unpacking(io.RawIOBase):
    """The bytes of a packed file."""

    def __init__(self, raw: RawFile, disk: IO[bytes]) -> None:
        self.raw, self.disk, self.bytes = raw, disk, 0
        try:
            self.stream = self._open()
        except DataError:
            raise
        except Exception as error:
            raise self._damaged(error) from None

    def _open(self) -> IO[bytes]:
        if self.raw.path.suffix == ".gz":
            return cast("IO[bytes]", gzip.open(self.disk))
        archive = zipfile.ZipFile(self.disk)
        return archive.open(_member(self.raw, archive))

    def read(self, size: int = -1) -> bytes:
        try:
            data = self.stream.read(size)
        except Exception as error:  # each packing raises its own types, and damaged data still others
            raise self._damaged(error) from None
        self.bytes += len(data)
        if self.bytes > max(BOMB_BYTES, BOMB_RATIO * self.raw.size):
            raise DataError(f"{self.raw.path} unpacks to more than {BOMB_RATIO} times its size, so it is not a table.")
        return data

    def _damaged(self, error: Exception) -> DataError:
        reason = str(error).rstrip(".") or type(error).__name__
        return DataError(f"{self.raw.path} can't be unpacked ({reason}): get the file again.")


def _member(raw: RawFile, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Find the one table in the archive, ignoring what macOS adds."""
    members = [info for info in archive.infolist() if not info.is_dir() and not info.filename.startswith("__MACOSX/")]
    named = [info for info in members if Path(info.filename).name == f"{raw.name}.csv"]
    chosen = named or members
    if len(chosen) != 1:
        raise DataError(f"{raw.path} holds {len(members)} files: it must hold only {raw.name}.csv.")
    return chosen[0]
