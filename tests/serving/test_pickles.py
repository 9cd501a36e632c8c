"""No file of a finished run or of an export is a pickle, and a pickle in the place of any file is never loaded."""

import io
import json
import os
import pickle
import shutil
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hmgpu.core.errors import RunError
from hmgpu.core.files import digest_of, hashes, write_json
from hmgpu.runs.run import MANIFEST
from hmgpu.runs.seal import seal
from hmgpu.serving.export import export
from hmgpu.serving.finished_run import FinishedRun
from hmgpu.serving.lookup import served

STARTS = {".parquet": b"PAR1", ".npz": b"PK", ".ubj": b"{L"}
TEXTS = (".json", ".yaml", ".csv", ".jsonl", ".html", ".md", "")


def is_text(content: bytes) -> bool:
    try:
        return not content or bool(content.decode())
    except UnicodeDecodeError:
        return False


def pickles_in(folder: Path) -> list[str]:
    """Return what below `folder` may be a pickle: it is not what its name says, or holds objects."""
    found = []
    for path in (path for path in folder.rglob("*") if path.is_file()):
        content, kind = path.read_bytes(), path.suffix
        plain = content.startswith(STARTS[kind]) if kind in STARTS else kind in TEXTS and is_text(content)
        if plain and kind == ".parquet":
            types = pq.read_schema(path).types
            plain &= b"py_extension" not in content and not any(isinstance(each, pa.ExtensionType) for each in types)
        if plain and kind == ".npz":
            names = zipfile.ZipFile(path).namelist()
            arrays = np.load(path, allow_pickle=False)  # of objects, it raises an error
            plain &= all(name.endswith(".npy") for name in names) and all(arrays[name].size >= 0 for name in arrays)
        if not plain:
            found.append(str(path.relative_to(folder)))
    return found


def test_a_finished_run_and_its_export_hold_none(real_run, tmp_path):
    export(FinishedRun.open(real_run.folder), tmp_path / "export")
    for folder in (real_run.folder, tmp_path / "export"):
        assert len([*folder.rglob("*.*")]) > 30
        assert pickles_in(folder) == []


def test_one_would_be_found(tmp_path):
    (tmp_path / "workflow.pkl").write_bytes(b"cos\nsystem\n.")
    (tmp_path / "table.parquet").write_bytes(pickle.dumps(1))
    with zipfile.ZipFile(tmp_path / "towers.pt", "w") as file:
        file.writestr("data.pkl", b"")
    assert sorted(pickles_in(tmp_path)) == ["table.parquet", "towers.pt", "workflow.pkl"]


class Payload:
    """Makes the file `marker` when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def payloads(marker: Path, kind: str) -> list[bytes]:
    """Return what would run the payload, if a file of that kind were read the wrong way."""
    bare = pickle.dumps(Payload(marker))
    wrapped = io.BytesIO()
    if kind == ".npz":
        np.savez(wrapped, weight=np.array([Payload(marker)], dtype=object))
    if kind == ".parquet":  # as Arrow once wrote types of Python's
        disguise = {"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": bare.hex()}
        table = pa.table({"colour": [1]}, pa.schema([pa.field("colour", pa.int64(), metadata=disguise)]))
        pq.write_table(table, wrapped)
    return [bare, wrapped.getvalue()] if wrapped.getvalue() else [bare]


def forge(run: Path) -> None:
    """Let all manifests of `run` vouch for its files as they are now, as whoever sends a run can."""
    new = {}
    for path in run.glob(f"steps/**/{MANIFEST}"):
        manifest = json.loads(path.read_text())
        files = hashes(path.parent)
        del files[MANIFEST]
        new[digest_of(manifest["files"])] = digest_of(files)
        write_json(path, manifest | {"files": files})
    for path in run.glob(f"steps/**/{MANIFEST}"):
        manifest = json.loads(path.read_text())
        write_json(path, manifest | {"inputs": [new.get(digest, digest) for digest in manifest["inputs"]]})
    seal(run)


@pytest.fixture(scope="module")
def foreign(real_run, tmp_path_factory) -> Path:
    """A run from elsewhere."""
    folder = tmp_path_factory.mktemp("elsewhere") / real_run.folder.name
    return Path(shutil.copytree(real_run.folder, folder, symlinks=True))


READ = (
    "encode/encoders.json",
    "encode/article/fitted.json",
    "encode/article/categories/unique.colour.parquet",
    "encode/article/categories/cat_stats.product_type.parquet/part.0.parquet",
    "train/retriever-two_tower/towers.npz",
    "learn/retriever-als/articles.parquet",
    "submit/recommendations.parquet",
    "fit/model.ubj",
)


@pytest.mark.filterwarnings("ignore:Extension type 'arrow.py_extension_type' is not registered")
@pytest.mark.parametrize("name", READ)
def test_none_is_loaded_in_the_place_of_a_file_that_is_read(name, foreign, tmp_path):
    path = next(file for file in foreign.rglob(Path(name).name) if file.as_posix().endswith(name))
    was, marker = path.read_bytes(), tmp_path / "ran"
    for payload in payloads(marker, path.suffix):
        path.write_bytes(payload)
        forge(foreign)
        run = FinishedRun.open(foreign)
        for read in (lambda run=run: export(run, tmp_path / "export"), lambda run=run: served(run, ["0"])):
            with suppress(Exception):  # whatever it says to such a file
                read()
    path.write_bytes(was)
    assert not marker.exists()


def test_the_payload_does_run_where_pickles_are_loaded(tmp_path):
    for number, kind in enumerate((".json", ".npz")):
        *_, payload = payloads(tmp_path / str(number), kind)
        file = np.load(io.BytesIO(payload), allow_pickle=True)
        dict(file) if kind == ".npz" else None
        assert (tmp_path / str(number)).is_dir()


@pytest.mark.parametrize("name", ["article/workflow.pkl", "towers.pt"])
def test_a_run_with_pickles_of_older_versions_is_refused(name, foreign, tmp_path):
    place = next(foreign.glob("steps/*/encode" if name.endswith("pkl") else "steps/*/train/*")) / name
    place.write_bytes(pickle.dumps(Payload(tmp_path / "ran")))
    forge(foreign)
    with pytest.raises(RunError, match=rf"{place.name} is a pickle, .* older hmgpu .*: run its command again\.$"):
        export(FinishedRun.open(foreign), tmp_path / "export")
    place.unlink()
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "export").exists()
