"""The download without a network: a client that behaves like the real one, and its failures."""

import importlib.util
import logging
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hmgpu.core.errors import DataError
from hmgpu.data import kaggle

requests = pytest.importorskip("requests", reason="it comes with the Kaggle client, extra hmgpu[kaggle]")

SECRET = "kgat_0123456789abcdef"


class FakeClient:
    """Writes files as `KaggleApi` 2.2.4 does: large ones zipped under their own name, others as they are."""

    def __init__(self, failure: BaseException | None = None) -> None:
        self.failure = failure
        self.fetched: list[str] = []

    def competition_download_file(
        self, competition: str, file_name: str, path: str, force: bool = False, quiet: bool = False
    ) -> None:
        assert competition == "h-and-m-personalized-fashion-recommendations"
        print(f"token {SECRET}")
        if self.failure:
            (Path(path) / file_name).write_bytes(b"half")
            raise self.failure
        self.fetched.append(file_name)
        if file_name == "transactions_train.csv":
            self._zip(Path(path) / file_name, file_name)
        elif file_name == "customers.csv":
            self._zip(Path(path) / f"{file_name}.zip", file_name)
        else:
            (Path(path) / file_name).write_text(file_name)

    def competition_download_files(self, competition: str, path: str, force: bool = False, quiet: bool = True) -> None:
        self.fetched.append("all")
        self._zip(Path(path) / f"{competition}.zip", "images/010/0108775015.jpg", "articles.csv")

    def _zip(self, path: Path, *names: str) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, name)


def http_error(status: int) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    return requests.HTTPError(f"{status} for url with {SECRET}", response=response)


def test_files_are_unpacked_and_fetched_once(tmp_path: Path) -> None:
    client = FakeClient()
    paths = kaggle.download(tmp_path / "raw", client=client)
    assert [path.name for path in paths] == sorted(path.name for path in (tmp_path / "raw").iterdir())
    assert all(path.read_text() == path.name for path in paths)
    (tmp_path / "raw" / "articles.csv").unlink()
    kaggle.download(tmp_path / "raw", client=client)
    assert client.fetched[-1] == "articles.csv"
    assert len(client.fetched) == 5


def test_pictures_only_when_asked(tmp_path: Path) -> None:
    client = FakeClient()
    paths = kaggle.download(tmp_path, images=True, client=client)
    assert paths[-1] == tmp_path / "images"
    assert (tmp_path / "images/010/0108775015.jpg").exists()
    assert not (tmp_path / ".partial").exists()


@pytest.mark.parametrize(
    ("failure", "says"),
    [
        (http_error(403), "accept the rules on https://www.kaggle.com/"),
        (http_error(401), "KAGGLE_API_TOKEN"),
        (http_error(500), "HTTP 500"),
        (requests.ConnectionError(f"proxy {SECRET}"), "ConnectionError"),
        (ValueError(SECRET), "ValueError"),
        (SystemExit(1), "SystemExit"),
        (OSError(28, "No space left on device"), "No space left"),
    ],
)
def test_failures_are_a_sentence_without_the_secret(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    failure: BaseException,
    says: str,
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(DataError) as raised:
        kaggle.download(tmp_path, client=FakeClient(failure))
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)
    assert SECRET not in str(raised.value) + caplog.text + "".join(capfd.readouterr())
    assert not any(path.is_file() for path in tmp_path.iterdir())  # what is half there has not its name


def test_a_damaged_archive_is_removed(tmp_path: Path) -> None:
    class Truncating(FakeClient):
        def _zip(self, path: Path, *names: str) -> None:
            path.write_bytes(b"PK\3\4half")

    with pytest.raises(DataError, match="again"):
        kaggle.download(tmp_path, client=Truncating())
    assert not list(tmp_path.rglob("*.csv.zip"))


def without_credentials(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    for name in [name for name in os.environ if name.startswith("KAGGLE_") or name == "XDG_CONFIG_HOME"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))


def test_no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_credentials(monkeypatch, tmp_path)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    with pytest.raises(DataError, match=r"kaggle\.json.*KAGGLE_USERNAME and KAGGLE_KEY.*KAGGLE_API_TOKEN"):
        kaggle.download(tmp_path / "raw")
    assert not (tmp_path / "raw").exists()


def test_no_client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"hmgpu\[kaggle\]"):
        kaggle.download(tmp_path / "raw")


@pytest.mark.skipif(importlib.util.find_spec("kaggle") is None, reason="the Kaggle client is not installed")
def test_the_real_client_is_found_and_offers_what_is_called(tmp_path: Path) -> None:
    """Its key alone is no sign-in over the network, so the client can be made here; no request is sent."""
    code = """
from hmgpu.data import kaggle
import inspect
client = kaggle._client()
inspect.signature(client.competition_download_file).bind("c", "f", path="p", quiet=True)
inspect.signature(client.competition_download_files).bind("c", path="p", quiet=True)
"""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("KAGGLE_")}
    given = clean | {"HOME": str(tmp_path), "KAGGLE_USERNAME": "someone", "KAGGLE_KEY": SECRET}
    done = subprocess.run([sys.executable, "-c", code], env=given, capture_output=True, text=True, check=False)
    if "can't be imported" in done.stderr:
        pytest.skip(done.stderr.splitlines()[-1])
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
