"""Which packages travel to a GPU machine, and how they are cut into calls."""

import importlib.util
import random
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gpu_site", ROOT / "scripts" / "gpu_site.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def asked(**words: str) -> dict[str, list[Requirement]]:
    return {name: [Requirement(word) for word in said.split(", ")] for name, said in words.items()}


def test_what_the_machine_has_stays_there_where_it_surely_fits(script):
    machine = {"torch": "2.11.0", "numpy": "2.5.2", "numba": None, "scipy": None, "llvmlite": None}
    wanted = ["cudf", "hmgpu-needs", *machine]
    assert script.to_pack(wanted, machine, {}) == {"cudf", "hmgpu-needs"}
    fitting = asked(cudf="numpy<3,>=2, torch>=2.6, scipy>=1.14")
    assert script.to_pack(wanted, machine, fitting) == {"cudf", "hmgpu-needs"}
    # numba's version isn't known, so it may be too new; the one that travels asks for an older NumPy, and for llvmlite.
    bounded = asked(cudf="numba<0.65,>=0.60", numba="numpy<2.5, llvmlite<0.47")
    assert script.to_pack(wanted, machine, bounded) == {"cudf", "hmgpu-needs", "numba", "numpy", "llvmlite"}


def test_what_stays_there_and_what_is_overridden_asks_for_nothing(script):
    machine = {"torch": "2.11.0", "triton": "3.6.0", "pandas": None}
    wanted = ["merlin-core", *machine]
    asking = {"torch": [Requirement("triton==3.7.1")], "merlin-core": [Requirement("pandas<1.6")]}
    assert script.to_pack(wanted, machine, asking) == {"merlin-core"}


def test_the_machines_packages_are_the_locks(script):
    """So that a package that the lock has no more is not kept on the list."""
    lock = script.versions((ROOT / "requirements-gpu.lock").read_text().splitlines())
    machine = script.versions((ROOT / "scripts" / "gpu_machine.txt").read_text().splitlines())
    assert set(machine) <= set(lock)
    assert {"torch", "cupy-cuda13x", "numpy"} <= set(machine)
    assert not {"cudf-cu13", "polars", "xgboost", "nvtabular"} & set(machine)


def test_a_packed_site_is_the_same_when_joined(script, tmp_path):
    site, out, there = (tmp_path / name for name in ("site", "out", "there"))
    binary = random.Random(1).randbytes(5000)
    for file in (
        "pkg/__init__.py",
        "pkg/tests/test_it.py",
        "pkg/it.a",
        "nvtabular_cpp.cpython-311-x86_64-linux-gnu.so",
    ):
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        (site / file).write_bytes(binary)
    script.slim(site)
    script.split(site, out, 2000)
    parts = sorted(file for file in out.rglob("*") if file.is_file())
    assert [str(file.relative_to(out)) for file in parts] == ["00/part", "01/part", "02/part"]
    assert [file.stat().st_size for file in parts][:2] == [2000, 2000]
    script.unpack(out, there)
    files = [file for file in there.rglob("*") if file.is_file() and not file.is_symlink()]
    assert [str(file.relative_to(there)) for file in files] == ["pkg/__init__.py"]
    assert (there / "pkg" / "__init__.py").read_bytes() == binary


def test_the_machines_cuda_libraries_are_found_beside_the_packed_ones(script, tmp_path):
    """Packed libraries look for them at a place relative to their own."""
    theirs, ours = tmp_path / "machine" / "nvidia", tmp_path / "site" / "nvidia"
    for file in (theirs / "cu13/lib/libcublas.so.13", theirs / "cu13/lib/libnvvm.so.4", ours / "cu13/lib/libnvvm.so.4"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(str(file))
    script.link_libraries(theirs, ours)
    script.link_libraries(theirs, ours)
    assert (ours / "cu13/lib/libcublas.so.13").read_text() == str(theirs / "cu13/lib/libcublas.so.13")
    assert (ours / "cu13/lib/libnvvm.so.4").read_text() == str(ours / "cu13/lib/libnvvm.so.4")
