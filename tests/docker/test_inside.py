"""What must hold inside the image; scripts/check_image.sh runs this there."""

import importlib.util
import json
import os
import shutil
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import hmgpu

pytestmark = pytest.mark.skipif("HMGPU_IN_IMAGE" not in os.environ, reason="this is not the image")

ROOT = Path(__file__).parents[2]


def locked() -> dict[str, str]:
    found = {}
    for lock in ("requirements.lock", "requirements-gpu.lock"):
        for line in (ROOT / lock).read_text().splitlines():
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate():
                found[canonicalize_name(wanted.name)] = str(wanted.specifier).removeprefix("==")
    return found


def test_the_user_is_not_root() -> None:
    assert os.getuid() == 1000
    assert os.getgid() == 1000


@pytest.mark.parametrize("place", ["/data", "/runs", "/demo", "~"])
def test_its_places_can_be_written(place: str) -> None:
    file = Path(place).expanduser() / "tried"
    file.write_text("")
    file.unlink()


@pytest.mark.parametrize("place", ["/configs", "/opt/hmgpu/bin", "/opt/sbom.json"])
def test_its_content_can_not_be_changed(place: str) -> None:
    assert not os.access(place, os.W_OK)


def test_the_content_is_what_the_locks_say() -> None:
    installed = {canonicalize_name(found.name): found.version for found in metadata.distributions()}
    assert installed.pop("hmgpu") == hmgpu_version()
    assert installed == locked()


def test_the_bill_of_materials_is_what_the_locks_say() -> None:
    bill = json.loads(Path("/opt/sbom.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    about = bill["metadata"]["component"]
    assert (about["name"], about["version"]) == ("hmgpu", hmgpu_version())
    assert {canonicalize_name(part["name"]): part["version"] for part in bill["components"]} == locked()
    assert all(part["purl"].startswith("pkg:pypi/") for part in bill["components"])


def hmgpu_version() -> str:
    return metadata.version("hmgpu")


def test_what_is_imported_is_the_installed_package() -> None:
    assert sys.version_info[:2] == (3, 11)
    assert Path(hmgpu.__file__).is_relative_to("/opt/hmgpu")


@pytest.mark.parametrize("module", ["hmgpu", "polars", "torch", "xgboost", "cudf"])
def test_python_need_not_compile_it_anew(module: str) -> None:
    """Its user could not keep what was compiled, so that every start would take longer."""
    package = Path(importlib.util.find_spec(module).origin).parent
    for source in package.glob("*.py"):
        compiled = Path(importlib.util.cache_from_source(str(source))).read_bytes()
        assert compiled[:4] == importlib.util.MAGIC_NUMBER
        assert int.from_bytes(compiled[4:8], "little") == 0b11  # by hash, which is compared
        assert compiled[8:16] == importlib.util.source_hash(source.read_bytes())


@pytest.mark.parametrize("tool", ["gcc", "cc", "git", "pip", "uv", "cyclonedx-py"])
def test_nothing_that_only_builds_is_there(tool: str) -> None:
    assert shutil.which(tool) is None
