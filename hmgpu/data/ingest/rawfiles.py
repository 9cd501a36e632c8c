"""Find the raw files, hash them, and open them in any packing."""

import glob
import gzip
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, cast

from hmgpu.core.errors import DataError
from hmgpu.core.files import digest_of, sha256
from hmgpu.data.ingest.signatures import LOOKED_AT, recognise
from hmgpu.data.settings import DataSettings
from hmgpu.data.tables import TableName

# Tables of ids, days and prices pack to a fifth to a twentieth of their size. A file that unpacks to far more is not a
# table and would take hours to read; up to BOMB_BYTES, any ratio is accepted.
BOMB_RATIO, BOMB_BYTES = 200, 64 << 20
_TEXTS = (".csv", ".tsv", ".txt")
ENDINGS = (*(f"{text}{pack}" for text in _TEXTS for pack in ("", ".gz", ".zip")), ".gz", ".zip", ".parquet")
"""In order of preference, if several exist; capitals don't matter."""
_SAID = "NAME.csv, .tsv or .txt (plain, .gz or .zip) or NAME.parquet"

Packing = Literal["none", "gzip", "zip", "parquet"]


@dataclass(frozen=True)
class RawFile:
    """A raw file of a table, or a folder of Parquet files as Spark writes it, with the sha256 of the bytes on disk."""

    table: TableName
    path: Path
    size: int
    sha256: str
    packing: Packing
    """How the file is packed, as its first bytes say, whatever its name."""
    parts: tuple[Path, ...]
    """The Parquet files in order, if it is one or a folder of them."""

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.name[: -len(_ending(self.path))]

    @property
    def is_parquet(self) -> bool:
        return self.packing == "parquet"


def is_folder_of_parquet(path: Path) -> bool:
    """Whether `path` is a folder that stands for one table, as Spark writes it."""
    return path.is_dir() and _ending(path) == ".parquet"


def open_raw(table: TableName, path: Path) -> RawFile:
    """Hash the raw file at `path`; raises DataError where it can't be read or is of an unknown kind."""
    try:
        if is_folder_of_parquet(path):
            inside = sorted(part for part in path.rglob("*.parquet") if part.is_file() and part.name[0] not in "._")
            if not inside:
                raise DataError(f"{path} is a folder without a Parquet file: get it again.")
            digest = digest_of([(part.relative_to(path).as_posix(), sha256(part)) for part in inside])
            return RawFile(table, path, sum(part.stat().st_size for part in inside), digest, "parquet", tuple(inside))
        if path.is_dir():
            raise DataError(f"{path} is a folder: only a folder of Parquet files, called NAME.parquet, is a table.")
        with path.open("rb") as file:
            head = file.read(LOOKED_AT)
        packing = _packing(path, head)
        parts = (path,) if packing == "parquet" else ()
        return RawFile(table, path, path.stat().st_size, sha256(path), packing, parts)
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from None


def _ending(path: Path) -> str:
    """The longest of ENDINGS that the file's name has, else an empty text."""
    return max((ending for ending in ENDINGS if path.name.lower().endswith(ending)), key=len, default="")


def _packing(path: Path, head: bytes) -> Packing:
    """How a file that begins with `head` is packed; raises DataError where it is nothing that can be read."""
    if not head:
        raise DataError(f"{path} is empty: it has not even a header.")
    ending = _ending(path)
    packing = next((packing for packing, signature in _SIGNATURES.items() if head.startswith(signature)), None)
    if packing == "zip":
        _refuse_sheet(path)
    if packing is None:
        refuse_disguise(path, head)
    if not ending:
        raise DataError(f"{path} has an unknown ending: it must be {_SAID}.")
    if packing is None and (promised := _PACKED.get(ending.rpartition(".")[2])):
        raise DataError(
            f"{path} is not {promised}, as its name says: get the file again, or call it .csv if it is text."
        )
    return packing or "none"


_SIGNATURES: dict[Packing, tuple[bytes, ...]] = {
    "gzip": (b"\x1f\x8b",),
    "zip": (b"PK\x03\x04", b"PK\x05\x06"),
    "parquet": (b"PAR1",),
}
_PACKED = {"gz": "packed with gzip", "zip": "a zip archive", "parquet": "a Parquet file"}


def refuse_disguise(path: object, head: bytes) -> None:
    """Raise DataError where a file that begins with `head` is known not to be a table as text."""
    if known := recognise(head):
        what, remedy = known
        raise DataError(f"{path} is {what}: {remedy}.")


def _refuse_sheet(path: Path) -> None:
    """Raise DataError where a zip archive is what Excel or LibreOffice saves."""
    with suppress(zipfile.BadZipFile), zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        for member, what in (("[Content_Types].xml", "an Excel workbook"), ("content.xml", "an OpenDocument sheet")):
            if member in names:
                raise DataError(f"{path} is {what}: open it and save each sheet as CSV UTF-8.")


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
        paths = _called(folder, stem)
        if paths:
            found[table] = open_raw(table, paths[0])
            if len(paths) > 1:
                others = ", ".join(path.name for path in paths[1:])
                warnings.append(f"{paths[0]} was read, and {others} next to it was not.")
        elif table == "transactions" or not week:
            _refuse_others(folder, stem)
            absent = "" if table == "transactions" else ", or be null if there is none"
            names = _SAID.replace("NAME", stem)
            raise DataError(f"There is no {names} in {folder}: `data.files.{table}` must name the file{absent}.")
    return found


def _called(folder: Path, stem: str) -> list[Path]:
    """The files in `folder` that are called `stem` with one of ENDINGS, or `stem` itself, the preferred one first."""
    if (whole := folder / stem).is_file() and _ending(whole):
        return [whole]
    there = sorted(whole.parent.iterdir()) if whole.parent.is_dir() else []
    named = {path: path.name[len(whole.name) :].lower() for path in there if path.name.startswith(whole.name)}
    paths = [path for ending in ENDINGS for path, end in named.items() if end == ending]
    return [path for path in paths if path.is_file() or is_folder_of_parquet(path)]


def _refuse_others(folder: Path, stem: str) -> None:
    """Raise DataError where a file is called `stem` and is of a kind that can't be read."""
    for path in sorted(folder.glob(f"{glob.escape(stem)}.*")):
        if path.is_file():
            open_raw("transactions", path)


@contextmanager
def unpacked(raw: RawFile) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Open the unpacked bytes of `raw`, and the file on disk, whose position shows how far reading has come.

    Anything wrong with the packing raises DataError, also while the caller reads. Nothing is unpacked to disk, so the
    names of an archive's members do no harm.
    """
    with raw.path.open("rb") as disk:
        if raw.packing in ("gzip", "zip"):
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
        if self.raw.packing == "gzip":
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
