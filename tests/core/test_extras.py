"""Whatever optional package is missing, the command that needs it says so in one sentence, with the remedy."""

import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hmgpu.core.errors import ConfigError
from hmgpu.core.extras import EXTRAS, FROM_LOCK, missing, needed_by, remedy
from hmgpu.data.vectors.keep import keep

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
AS_DISTRIBUTED = {"merlin": "merlin-core"}  # all others are imported by the name under which they are installed


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(each).name) for each in requirements}


@pytest.mark.parametrize("package", sorted(EXTRAS))
def test_the_extra_that_is_named_brings_the_package(package: str) -> None:
    name = canonicalize_name(AS_DISTRIBUTED.get(package, package))
    assert name in names(PROJECT["optional-dependencies"][EXTRAS[package]])
    assert name not in names(PROJECT["dependencies"])
    assert EXTRAS[package] in remedy(package)
    assert ("requirements.lock" in remedy(package)) == (EXTRAS[package] in FROM_LOCK)


def test_a_package_that_no_extra_brings_is_installed_by_its_name() -> None:
    assert remedy("a_library_of_theirs") == "pip install a_library_of_theirs"


def test_missing_packages_are_sorted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert missing(["torch", "polars", "surely_not_there"]) == ["surely_not_there", "torch"]


def test_a_missing_part_of_a_package_counts_as_the_package() -> None:
    told = r"^it needs dask, which is not installed: pip install 'hmgpu\[cluster\]'\.$"
    with pytest.raises(ConfigError, match=told), needed_by("it"):
        raise ModuleNotFoundError("No module named 'dask.config'", name="dask.config")


def test_other_errors_pass() -> None:
    for error in (ModuleNotFoundError("no hmgpu.x", name="hmgpu.x"), ImportError("libcuda", name="torch")):
        with pytest.raises(ImportError) as caught, needed_by("it"):
            raise error
        assert caught.value is error


@pytest.mark.skipif(bool(missing(EXTRAS)), reason="another package that is missing here would be named instead")
@pytest.mark.parametrize(
    ("module", "package", "told"),
    [
        ("hmgpu.experiments.tune", "optuna", "hmgpu tune needs optuna"),
        ("hmgpu.pipeline.dask_workers", "dask", "--cluster needs dask"),
        ("hmgpu.pipeline.dask_workers", "distributed", "--cluster needs distributed"),
        ("hmgpu.benchmark.rivals", "pandas", "A benchmark against pandas needs pandas"),
        ("hmgpu.benchmark.features", "pandas", "A benchmark against pandas needs pandas"),
        ("hmgpu.benchmark.candidates", "pandas", "A benchmark against pandas needs pandas"),
        ("hmgpu.benchmark.encode", "pandas", "A benchmark against pandas needs pandas"),
        ("hmgpu.benchmark.encode", "nvtabular", "hmgpu benchmark encode needs nvtabular"),
        ("hmgpu.benchmark.two_tower", "torch", "hmgpu benchmark two-tower needs torch"),
        ("hmgpu.benchmark.two_tower", "pytorch_lightning", "hmgpu benchmark two-tower needs pytorch_lightning"),
    ],
)
def test_commands_name_what_they_miss(module: str, package: str, told: str) -> None:
    """In a process of its own, since what is imported is kept."""
    code = f"""
import sys
from importlib import import_module
from hmgpu.core.errors import HmgpuError
sys.modules[{package!r}] = None
try:
    import_module({module!r})
except HmgpuError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == f"{told}, which is not installed: {remedy(package)}.", done.stderr


def test_vectors_name_what_they_miss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ConfigError, match=r"^hmgpu vectors needs torch, .*hmgpu\[models\]"):
        keep(tmp_path, "text", pl.Series(["1"]), np.ones((1, 2)), "a test")


def test_a_base_installation_loads_the_command_line_all_parts_and_the_shipped_configs() -> None:
    code = f"""
import sys
class Without:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {sorted(EXTRAS)}:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Without())
from hmgpu.cli import app
from hmgpu.parts.feature import Feature
from hmgpu.parts.negative_sampler import NegativeSampler
from hmgpu.parts.part import kinds
from hmgpu.parts.ranker import Ranker
from hmgpu.parts.retriever import Retriever
from hmgpu.pipeline.config import load_config
from hmgpu.pipeline.shipped_configs import shipped
for base in (Retriever, Feature, NegativeSampler, Ranker):
    assert kinds(base)
for config in shipped().values():
    load_config(config)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
