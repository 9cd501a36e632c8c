"""The wheel holds what an installation needs away from the checkout, and asks for what plain pip can resolve."""

import subprocess
import sys
import tomllib
import zipfile
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed here")

ROOT = Path(__file__).parents[1]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = CONFIG["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (file,) = folder.iterdir()
    assert file.name == f"hmgpu-{PROJECT['version']}-py3-none-any.whl"
    return zipfile.ZipFile(file)


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return HeaderParser().parsestr(wheel.read(name).decode())


def test_it_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    """The templates of pages and py.typed among them."""
    files = [file for file in (ROOT / "hmgpu").rglob("*") if file.is_file() and file.suffix != ".pyc"]
    wanted = {str(file.relative_to(ROOT)) for file in files}
    assert "hmgpu/py.typed" in wanted
    assert any(name.endswith(".html") for name in wanted)
    assert {name for name in wheel.namelist() if not name.startswith(("hmgpu-", "hmgpu/configs/"))} == wanted


def test_it_holds_the_configs_as_they_are(wheel: zipfile.ZipFile) -> None:
    files = [file for file in (ROOT / "configs").rglob("*") if file.is_file()]
    configs = {f"hmgpu/{file.relative_to(ROOT)}": file.read_bytes() for file in files}
    assert {"hmgpu/configs/base.yaml", "hmgpu/configs/best.yaml", "hmgpu/configs/demo.yaml"} <= set(configs)
    assert "hmgpu/configs/recipes/recall-2x3.yaml" in configs
    assert {name: wheel.read(name) for name in wheel.namelist() if "/configs/" in name} == configs


def test_it_brings_the_command(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "hmgpu = hmgpu.cli:main" in wheel.read(name).decode()


def test_pythons(metadata: Message) -> None:
    supported = SpecifierSet(metadata["Requires-Python"])
    assert [minor for minor in range(8, 17) if f"3.{minor}.1" in supported] == [11, 12, 13]
    told = {value.rpartition(" ")[2] for value in metadata.get_all("Classifier", []) if ":: Python :: 3." in value}
    assert told == {"3.11", "3.12", "3.13"}


def test_extras(metadata: Message) -> None:
    assert set(metadata.get_all("Provides-Extra", [])) == set(PROJECT["optional-dependencies"])


def test_what_everybody_gets_needs_no_override(metadata: Message) -> None:
    """What pyproject.toml tells uv alone, pip never hears: no package of the base may need it."""
    asked = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    base = {each.name: each for each in asked if each.marker is None}
    assert set(base) == {Requirement(line).name for line in PROJECT["dependencies"]}
    assert all(each.url is None for each in asked)
    for override in map(Requirement, CONFIG["tool"]["uv"]["override-dependencies"]):
        pinned = [each.version for each in override.specifier]
        assert override.name not in base or all(map(base[override.name].specifier.contains, pinned))
