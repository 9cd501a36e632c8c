"""Download the competition's files through Kaggle's official client, with the user's own credentials.

The client reads the credentials itself: no secret passes through this file, and the client's error texts are never
repeated.
"""

import contextlib
import gzip
import io
import logging
import os
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, cast

from hmgpu.core.errors import DataError
from hmgpu.core.extras import missing, remedy

log = logging.getLogger(__name__)

COMPETITION = "h-and-m-personalized-fashion-recommendations"
FILES = ("articles.csv", "customers.csv", "sample_submission.csv", "transactions_train.csv")
ARCHIVE = f"{COMPETITION}.zip"  # the whole competition; the client offers no archive of the pictures alone

_STORED = ("access_token", "access_token.txt", "credentials.json", "kaggle.json")
_HOW_TO = (
    "create an API token on https://www.kaggle.com/settings and put it into ~/.kaggle/kaggle.json, or into "
    "KAGGLE_USERNAME and KAGGLE_KEY or KAGGLE_API_TOKEN"
)


class Client(Protocol):
    """The methods of `kaggle.KaggleApi` that hmgpu uses."""

    def competition_download_file(
        self, competition: str, file_name: str, path: str, force: bool = ..., quiet: bool = ...
    ) -> None: ...

    def competition_download_files(self, competition: str, path: str, force: bool = ..., quiet: bool = ...) -> None: ...


def download(out: Path, *, images: bool = False, client: Client | None = None) -> list[Path]:
    """Fetch the three tables and the sample submission into `out`, and with `images` the pictures (25 GB) too.

    Files that exist are not fetched again, and a file gets its name only when it is complete; an interrupted download
    continues where it stopped. Returns the paths. Raises DataError where the client, the credentials or the consent to
    the competition's rules are missing, or the download fails.
    """
    places = [out / name for name in (*FILES, *(["images"] if images else []))]
    if all(place.exists() for place in places):
        log.info("all files are there, nothing to download")
        return places
    client = client or _client()
    partial = out / ".partial"
    try:
        partial.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            _fetch(client, name, out, partial)
        if images:
            _fetch_images(client, out, partial)
        shutil.rmtree(partial)
    except OSError as error:
        raise DataError(f"{out} can't be written ({error.strerror or type(error).__name__}).") from None
    return places


def _fetch(client: Client, name: str, out: Path, partial: Path) -> None:
    place, started = out / name, time.perf_counter()
    if place.exists():
        return
    _call(name, lambda: client.competition_download_file(COMPETITION, name, path=str(partial), quiet=True))
    unpacked = partial / f"{name}.unpacked"
    for packed in (partial / name, partial / f"{name}.zip"):
        if packed.exists():
            _unpack(packed, unpacked)
            os.replace(unpacked, place)
            packed.unlink()
            log.info("fetched %s: %d bytes, %.1f s", name, place.stat().st_size, time.perf_counter() - started)
            return
    raise DataError(f"Kaggle's client reported no error and left no {name}: try `pip install -U kaggle`.")


def _unpack(packed: Path, unpacked: Path) -> None:
    """Unpack a download: Kaggle zips large files on the way, with or without `.zip`, and some servers gzip them."""
    with packed.open("rb") as file:
        magic = file.read(4)
    try:
        if magic == b"PK\3\4":
            with (
                zipfile.ZipFile(packed) as archive,
                archive.open(archive.infolist()[0]) as member,
                unpacked.open("wb") as target,
            ):
                shutil.copyfileobj(member, target, 1 << 20)
        elif magic[:2] == b"\x1f\x8b":
            with gzip.open(packed) as member, unpacked.open("wb") as target:
                shutil.copyfileobj(member, target, 1 << 20)
        else:
            shutil.copyfile(packed, unpacked)
    except (zipfile.BadZipFile, EOFError, gzip.BadGzipFile):
        packed.unlink()
        raise DataError(f"{packed.name} arrived damaged and was removed: download it again.") from None


def _fetch_images(client: Client, out: Path, partial: Path) -> None:
    """Fetch the pictures, which Kaggle offers only within the archive of the whole competition."""
    place, started = out / "images", time.perf_counter()
    if place.exists():
        return
    _call(ARCHIVE, lambda: client.competition_download_files(COMPETITION, path=str(partial), quiet=True))
    unpacked = partial / "unpacked"
    try:
        with zipfile.ZipFile(partial / ARCHIVE) as archive:
            pictures = [name for name in archive.namelist() if name.startswith("images/")]
            archive.extractall(unpacked, pictures)
    except (zipfile.BadZipFile, FileNotFoundError):
        (partial / ARCHIVE).unlink(missing_ok=True)
        raise DataError(f"{ARCHIVE} arrived damaged and was removed: download it again.") from None
    os.replace(unpacked / "images", place)
    log.info("fetched images: %d files, %.1f s", len(pictures), time.perf_counter() - started)


def _client() -> Client:
    """Return the official client, signed in; importing it signs in, so credentials are looked for first."""
    if missing(["kaggle"]):
        raise DataError(f"hmgpu download needs kaggle, which is not installed: {remedy('kaggle')}.")
    if not _has_credentials():
        raise DataError(f"There are no Kaggle credentials: {_HOW_TO}.")
    try:
        with _silence():
            from kaggle import KaggleApi

            api = KaggleApi()
            api.authenticate()
    except ImportError as error:
        # One such package is six, which kaggle 2.2 imports and does not declare.
        raise DataError(f"The Kaggle client can't be imported ({error}): {remedy('kaggle')}.") from None
    except (Exception, SystemExit):
        raise DataError(f"Kaggle did not accept the credentials, or was out of reach: {_HOW_TO}.") from None
    return cast("Client", api)


def _has_credentials() -> bool:
    """Whether credentials exist in any place where the client looks; they are not read."""
    given = os.environ
    if given.get("KAGGLE_API_TOKEN") or (given.get("KAGGLE_USERNAME") and given.get("KAGGLE_KEY")):
        return True
    home = Path.home()
    shared = Path(given.get("XDG_CONFIG_HOME") or home / ".config") / "kaggle"
    folders = {Path(given.get("KAGGLE_CONFIG_DIR") or shared), home / ".kaggle", shared}
    return any((folder / name).is_file() for folder in folders for name in _STORED)


def _call(name: str, fetch: Callable[[], None]) -> None:
    """Run a download and reword its errors, as the client's own text may quote request headers."""
    try:
        with _silence():
            fetch()
    except (Exception, SystemExit) as error:
        status = getattr(getattr(error, "response", None), "status_code", None) or getattr(error, "status", None)
        if status == 401:
            raise DataError(f"Kaggle did not accept the credentials: {_HOW_TO}.") from None
        if status == 403:
            rules = f"https://www.kaggle.com/competitions/{COMPETITION}/rules"
            raise DataError(f"Kaggle refused {name} (403): sign in and accept the rules on {rules}.") from None
        if isinstance(error, OSError) and error.errno is not None and status is None:
            raise
        what = f"HTTP {status}" if status else type(error).__name__
        raise DataError(
            f"{name} could not be downloaded ({what}): the same command goes on where it stopped."
        ) from None


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Drop what the client prints: it may name accounts and tokens."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
