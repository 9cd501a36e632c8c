"""Is what is installed what its lock says, and does it fit together? `make lint` asks; it needs no network.

Also whether docker/cpu.lock, of the image's smaller flavour, has the versions of requirements.lock and all they need.

Known vulnerabilities are another question: a database of them is of the day or of no use, so `make audit` asks PyPI's.
"""

import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
CPU_LOCK = ROOT / "docker" / "cpu.lock"
OURS = {"hmgpu", "pip", "uv", "setuptools", "wheel"}  # the package, and what installs

Versions = Mapping[str, str]


def locked(file: Path, problems: list[str]) -> dict[str, str]:
    """The version of each package that `file` pins for this machine; what pins none is a problem."""
    pinned = dict[str, str]()
    for number, line in enumerate(file.read_text().splitlines(), 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        try:
            asked = Requirement(text)
        except InvalidRequirement:
            problems.append(f"{file.name}, line {number}: '{text}' is no requirement")
            continue
        exact = [each.version for each in asked.specifier if each.operator == "==" and "*" not in each.version]
        if len(exact) != 1 or asked.url:
            problems.append(f"{file.name}, line {number}: '{text}' pins no version")
        elif asked.marker is None or asked.marker.evaluate():
            pinned[canonicalize_name(asked.name)] = exact[0]
    return pinned


def differences(pinned: Versions, there: Versions) -> Iterator[str]:
    """Where what is installed is not what is pinned."""
    for name, version in sorted(pinned.items()):
        if there.get(name) != version:
            yield f"{name} {version} is locked and {there.get(name, 'nothing')} is installed"
    for name in sorted(set(there) - set(pinned) - OURS):
        yield f"{name} {there[name]} is installed and not locked"


def other_versions(small: Versions, whole: Versions) -> Iterator[str]:
    """Where a lock for less is not a part of the whole one."""
    for name, version in sorted(small.items()):
        if whole.get(name) != version:
            yield f"{name} {version} is locked, and {whole.get(name, 'nothing')} in requirements.lock"


def unmet(found: Mapping[str, Distribution], overrides: Mapping[str, Requirement]) -> Iterator[str]:
    """What installed packages ask for and don't get, but for what pyproject.toml overrides."""
    for name, distribution in sorted(found.items()):
        for text in distribution.requires or ():
            given = Requirement(text)
            asked = overrides.get(canonicalize_name(given.name), given)
            if any(each.marker and not each.marker.evaluate({"extra": ""}) for each in (given, asked)):
                continue
            other = found.get(canonicalize_name(asked.name))
            if other is None:
                yield f"{name} needs {asked}, which is not installed"
            elif not asked.specifier.contains(other.version, prereleases=True):
                yield f"{name} needs {asked} and {other.version} is installed"


def lock_of(there: Versions) -> Path:
    """The lock that this environment was installed from."""
    if "cudf-polars-cu13" in there:
        return ROOT / "requirements-gpu.lock"
    return ROOT / "requirements.lock" if "torch" in there else CPU_LOCK


def main() -> int:
    """Print every problem; 1 where there is one."""
    found: dict[str, Distribution] = {canonicalize_name(each.metadata["Name"]): each for each in distributions()}
    there = {name: each.version for name, each in found.items()}
    lock = lock_of(there)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]
    given = map(Requirement, settings["override-dependencies"])
    overrides: dict[str, Requirement] = {canonicalize_name(each.name): each for each in given}
    problems: list[str] = []
    pinned = locked(lock, problems)
    problems += [*differences(pinned, there), *unmet(found, overrides)]
    if lock != CPU_LOCK:
        # What is installed tells what each package needs, so that the lock which is not installed is known to be whole.
        small, whole = locked(CPU_LOCK, problems), locked(ROOT / "requirements.lock", problems)
        problems += [f"{CPU_LOCK.name}: {text}" for text in other_versions(small, whole)]
        alone = {name: each for name, each in found.items() if name in small or name == "hmgpu"}
        problems += [f"{CPU_LOCK.name}: {text}" for text in unmet(alone, overrides)]
    print("\n".join(problems) or f"{len(pinned)} packages are as {lock.name} has them and fit together")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
