"""Is what is installed what the lock says, and does it fit together? `make lint` asks; it needs no network.

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


def unmet(found: Mapping[str, Distribution], overrides: Mapping[str, Requirement]) -> Iterator[str]:
    """What installed packages ask for and don't get, but for what pyproject.toml overrides."""
    for name, distribution in sorted(found.items()):
        for text in distribution.requires or ():
            asked = Requirement(text)
            asked = overrides.get(canonicalize_name(asked.name), asked)
            if asked.marker and not asked.marker.evaluate({"extra": ""}):
                continue
            other = found.get(canonicalize_name(asked.name))
            if other is None:
                yield f"{name} needs {asked}, which is not installed"
            elif not asked.specifier.contains(other.version, prereleases=True):
                yield f"{name} needs {asked} and {other.version} is installed"


def main() -> int:
    """Prints every problem; 1 where there is one."""
    found: dict[str, Distribution] = {canonicalize_name(each.metadata["Name"]): each for each in distributions()}
    there = {name: each.version for name, each in found.items()}
    lock = ROOT / ("requirements-gpu.lock" if "cudf-polars-cu13" in there else "requirements.lock")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]
    given = map(Requirement, settings["override-dependencies"])
    overrides: dict[str, Requirement] = {canonicalize_name(each.name): each for each in given}
    problems: list[str] = []
    pinned = locked(lock, problems)
    problems += [*differences(pinned, there), *unmet(found, overrides)]
    print("\n".join(problems) or f"{len(pinned)} packages are as {lock.name} has them and fit together")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
