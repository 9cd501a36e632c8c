"""Packages for a GPU machine without a network: a site folder for Python 3.12, packed here, checked there.

    python scripts/gpu_site.py pack [--without-cuml] [OUT]    OUT is .gpu-site unless given
    python3 scripts/gpu_site.py unpack OUT SITE     on that machine, once all of OUT is there
    python3 scripts/gpu_site.py check SITE          there, with SITE on PYTHONPATH: does everything import?

The packages are those of requirements-gpu.lock that hmgpu needs for its GPU, its models and Merlin. Of what
gpu_machine.txt lists, that machine's own are used where the versions are known to fit.
"""

import importlib
import importlib.util
import io
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PYTHON, PLATFORM = "3.12", "x86_64-manylinux_2_28"
EXTRAS = ("gpu", "merlin", "models")
CUML = frozenset(
    {"cuml-cu13", "libcuml-cu13", "libnvforest-cu13", "libraft-cu13", "nvforest-cu13", "pylibraft-cu13", "treelite"}
)
"""A quarter of all, and nothing of hmgpu calls it."""
OVERRIDDEN = ("nvidia-nccl-cu12", "dask-cuda", "pynvml", "rapids-dask-dependency")  # as in the Makefile
# Their last releases are of 2023; which versions they run with stands in pyproject.toml, not in what they ask for.
MERLIN = frozenset({"merlin-core", "merlin-dataloader", "merlin-models", "nvtabular"})
# The one wheel is for 3.11. All but `nvtabular_cpp`, which only serves Triton, is Python.
OTHER_PYTHON = {"nvtabular": "3.11"}
PATCHES = "hmgpu.parts.models.encode.merlin"  # without it NVTabular doesn't import
UPPER = {"<", "<=", "==", "===", "~="}
LEFT_OUT = (
    "__pycache__",
    "tests",
    "bin",
    "cmake",
    "include",
    "nvtabular.libs",
    "*.a",
    "*.pxd",
    "*.pyx",
    "nvtabular_cpp*",
)
UNPACKER = "backports-zstd"  # travels as it is, in the first part: Python 3.12 can't read zstd
PART, CALL = 56, 64  # MiB of a file, and of what one call may carry: the repository and a file


def versions(lines: Iterable[str]) -> dict[str, str | None]:
    """Return the version of each package in `lines` (name or name==version); None where it isn't said."""
    said = [line.split("#")[0].strip() for line in lines]
    found = (line.partition("==") for line in said if line)
    return {canonicalize_name(name): version or None for name, _, version in found}


def surely_fits(requirement: Requirement, version: str | None) -> bool:
    """Whether `version` fulfils `requirement`; one that isn't known does where nothing is too new."""
    if version is None:
        return not any(each.operator in UPPER for each in requirement.specifier)
    return requirement.specifier.contains(version, prereleases=True)


def to_pack(
    wanted: Iterable[str], machine: Mapping[str, str | None], asked: Mapping[str, Sequence[Requirement]]
) -> set[str]:
    """Return the names of packages to take along: those that the machine lacks, or has in a version that may not fit.

    Args:
        wanted: names of all packages that are needed there.
        machine: what is there, with versions.
        asked: for each package that is known so far, what it asks for. Those that stay there don't count.
    """
    wanted = set(wanted)
    taken = wanted - set(machine)
    while True:
        asking = [each for name in taken - MERLIN for each in asked.get(name, ())]
        unfit = {
            canonicalize_name(each.name)
            for each in asking
            if not surely_fits(each, machine.get(canonicalize_name(each.name)))
        }
        more = (unfit & wanted) - taken
        if not more:
            return taken
        taken |= more


def requirements_of(found: Iterable[Distribution]) -> dict[str, list[Requirement]]:
    """Return what each package asks for on the machine, without its extras."""
    there = {"python_version": PYTHON, "extra": ""}
    asked = dict[str, list[Requirement]]()
    for each in found:
        all_of_it = map(Requirement, each.requires or ())
        asked[canonicalize_name(each.name)] = [one for one in all_of_it if not one.marker or one.marker.evaluate(there)]
    return asked


def pack(out: Path, without: frozenset[str] = frozenset()) -> None:
    """Write `out`/NN/part with all packages but `without`, small enough for a call each; print how many there are."""
    lock = versions((ROOT / "requirements-gpu.lock").read_text().splitlines())
    machine = versions((ROOT / "scripts/gpu_machine.txt").read_text().splitlines())
    with tempfile.TemporaryDirectory() as folder:
        closure, site = Path(folder) / "closure.txt", Path(folder) / "site"
        extras = [f"--extra={extra}" for extra in EXTRAS]
        never = [f"--no-emit-package={name}" for name in OVERRIDDEN]
        target = (f"--python-version={PYTHON}", f"--python-platform={PLATFORM}")
        constraints = ("-c", "requirements-gpu.lock")
        uv("compile", *target, "--no-header", "--no-annotate", *extras, *never, *constraints, "pyproject.toml",
           "-o", str(closure))  # fmt: skip
        wanted = versions(closure.read_text().splitlines())
        if other := {name for name, version in wanted.items() if lock.get(name) != version}:
            sys.exit(f"requirements-gpu.lock is not for Python {PYTHON}: it lacks {', '.join(sorted(other))}.")
        wanted = {name: version for name, version in wanted.items() if name not in without}
        taken, installed = to_pack(wanted, machine, {}), set[str]()
        while more := taken - installed:  # what is installed may ask for newer ones of what is there
            install(sorted(f"{name}=={wanted[name]}" for name in more), site)
            installed |= more
            taken = to_pack(wanted, machine, requirements_of(distributions(path=[str(site)])))
        print(f"{len(taken)} packages; that machine's own are used for {', '.join(sorted(set(wanted) - taken))}")
        slim(site)
        split(site, out)
    install([f"{UNPACKER}=={lock[UNPACKER]}"], out / "00")
    parts = sorted(out.glob("*/part"))
    size = sum(part.stat().st_size for part in parts) / 2**20
    print(f"{size:.0f} MiB in {len(parts)} files of at most {PART} MiB: {len(parts)} calls of at most {CALL} MiB each")


def uv(*words: str) -> None:
    """Run uv's pip; end with its message where it fails."""
    subprocess.run([sys.executable, "-m", "uv", "pip", words[0], "-q", *words[1:]], cwd=ROOT, check=True)


def install(pinned: Sequence[str], site: Path) -> None:
    """Install exactly `pinned` into `site`, nothing that they ask for."""
    for python in (PYTHON, *OTHER_PYTHON.values()):
        these = [each for each in pinned if OTHER_PYTHON.get(each.partition("==")[0], PYTHON) == python]
        if these:  # what has no wheel is built here; that works for what is nothing but Python
            target = (f"--target={site}", f"--python-version={python}", f"--python-platform={PLATFORM}")
            uv("install", "--no-deps", *target, *these)


def slim(site: Path) -> None:
    """Remove what no import needs."""
    for pattern in LEFT_OUT:
        for found in [*site.rglob(pattern)]:
            if found.is_dir():
                shutil.rmtree(found)
            else:
                found.unlink(missing_ok=True)


class Parts(io.RawIOBase):
    """Writes one stream into `out`/NN/part, each of `size` bytes at most."""

    def __init__(self, out: Path, size: int) -> None:
        self.out, self.size, self.total = out, size, 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        rest = memoryview(data).cast("B")
        while rest:
            number, there = divmod(self.total, self.size)
            file = self.out / f"{number:02}" / "part"
            file.parent.mkdir(parents=True, exist_ok=True)
            some = rest[: self.size - there]
            with file.open("ab") as part:
                part.write(some)
            self.total, rest = self.total + len(some), rest[len(some) :]
        return len(data)


class Joined(io.RawIOBase):
    """Reads `files` one after the other as one stream."""

    def __init__(self, files: Sequence[Path]) -> None:
        self.left = [*files]
        self.file: Any = io.BytesIO()

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        while not (count := self.file.readinto(into)) and self.left:
            self.file = self.left.pop(0).open("rb")
        return int(count)


def split(site: Path, out: Path, size: int = PART * 2**20) -> None:
    """Write `site` as a compressed tar file into `out`/NN/part, each of `size` bytes at most."""
    from backports import zstd

    shutil.rmtree(out, ignore_errors=True)
    key = zstd.CompressionParameter
    options: dict[int, int] = {
        key.compression_level: 9,
        key.nb_workers: 2,
        key.window_log: 27,
        key.enable_long_distance_matching: 1,
    }
    parts = Parts(out, size)
    with zstd.ZstdFile(parts, "wb", options=options) as packed, tarfile.open(fileobj=packed, mode="w|") as archive:
        archive.add(site, ".")


def unpack(parts: Path, site: Path) -> None:
    """Write the site whose `parts`/NN/part are all there into `site`."""
    sys.path.insert(0, str(parts / "00"))
    from backports import zstd

    joined = io.BufferedReader(Joined(sorted(parts.glob("*/part"))), 2**20)
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 27}
    with zstd.ZstdFile(joined, options=options) as packed, tarfile.open(fileobj=packed, mode="r|") as archive:
        archive.extractall(site, filter="data")
    spec = importlib.util.find_spec("nvidia")
    for there in spec.submodule_search_locations or () if spec else ():
        link_libraries(Path(there), site / "nvidia")


def link_libraries(there: Path, here: Path) -> None:
    """Link that machine's own CUDA libraries into the site, where those that travelled look for them."""
    for library in there.rglob("lib/*.so*"):
        link = here / library.relative_to(there)
        if not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(library)


def check(site: Path) -> None:
    """Import every package in `site`; say what fails, and what asks for another version than is there."""
    sys.path.append(str(ROOT))
    found, failed = [*distributions(path=[str(site)])], False
    there = {canonicalize_name(each.name): each.version for each in reversed([*distributions()])}
    for name, asked in sorted(requirements_of(found).items()):
        for each in asked if name not in MERLIN else ():
            version = there.get(canonicalize_name(each.name))
            if each.name not in OVERRIDDEN and not (version and each.specifier.contains(version, prereleases=True)):
                print(f"{name} asks for {each.name}{each.specifier}, and {version or 'none'} is there")
    started = time.monotonic()
    for module in [PATCHES, *modules(found)]:
        try:
            importlib.import_module(module)
        except Exception as error:  # whatever a package raises
            failed = True
            print(f"{module} doesn't import: {type(error).__name__}: {error}")
    print(f"{len(found)} packages checked in {time.monotonic() - started:.0f} s")
    sys.exit(failed)


def modules(found: Iterable[Distribution]) -> list[str]:
    """Return the names of the top modules of packages."""
    names = set[str]()
    for each in found:
        tops = {Path(str(file)).parts[0] for file in each.files or () if str(file).endswith((".py", ".so"))}
        names |= {re.sub(r"\..*", "", top) for top in tops}
    return sorted(name for name in names if name.isidentifier() and not name.startswith("_"))


def main() -> None:
    """Pack, unpack or check."""
    words = sys.argv[1:]
    without = CUML if "--without-cuml" in words else frozenset[str]()
    words = [word for word in words if word != "--without-cuml"]
    if words[:1] == ["pack"] and len(words) < 3:
        pack(Path(*words[1:] or [".gpu-site"]).resolve(), without)
    elif words[:1] == ["unpack"] and len(words) == 3:
        unpack(Path(words[1]).resolve(), Path(words[2]).resolve())
    elif words[:1] == ["check"] and len(words) == 2:
        check(Path(words[1]).resolve())
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
