"""The house: few rooms, each on a floor above all that it imports, and a contract that notices what breaks that."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from kit import ROOT

pytest.importorskip("importlinter", reason="import-linter is not installed here")
LINT = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the package and its contract, to break."""
    copied = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "hmgpu", tmp_path / "hmgpu", ignore=copied)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(house: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", LINT, "--no-cache"]
    return subprocess.run(command, cwd=house, capture_output=True, text=True, check=False, env={"PYTHONPATH": "."})


def test_the_root_of_the_package_is_short_and_every_room_says_what_lies_there() -> None:
    entries = {path.name for path in (ROOT / "hmgpu").iterdir()} - {"__pycache__", "py.typed"}
    assert len(entries) <= 14, sorted(entries)
    for folder in (ROOT / "hmgpu").rglob("*/"):
        if any(folder.glob("*.py")):
            first = (folder / "__init__.py").read_text().splitlines()[0]
            assert first.startswith('"""'), folder
            assert first.rstrip('"').endswith((".", ":")), folder


def test_the_house_keeps_its_contract(house: Path) -> None:
    done = lint(house)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "planted"),
    [
        ("core/files.py", "from hmgpu.pipeline.config import Config"),  # four floors up
        ("parts/part.py", "from hmgpu.parts.retrievers.popular import Popular"),  # up within a room
        ("data/tables.py", "from hmgpu.runs.seal import seal"),  # a neighbour on the same floor
        ("runs/seal.py", "from hmgpu.runs.run import Run"),  # a circle within a room
        ("stray.py", "import hmgpu.core.files"),  # no room at all
    ],
)
def test_a_planted_fault_breaks_it(house: Path, file: str, planted: str) -> None:
    path = house / "hmgpu" / file
    path.write_text((path.read_text() if path.exists() else '"""Planted."""\n') + f"\n{planted}  # noqa\n")
    assert lint(house).returncode == 1
