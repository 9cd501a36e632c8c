"""Configs by name: those that come with the package."""

from pathlib import Path

from hmgpu.core.errors import ConfigError
from hmgpu.core.version import PACKAGE


def shipped() -> dict[str, Path]:
    """The configs that come with hmgpu, by name."""
    # In a wheel they lie in the package, in a checkout next to it.
    for folder in (PACKAGE / "configs", PACKAGE.parent / "configs"):
        if folder.is_dir():
            return {file.stem: file for file in sorted(folder.glob("*.yaml"))}
    return {}


def config_file(name: str | Path) -> Path:
    """The file of the config `name`: a path, whether there is a file or not, or the name of a shipped config.

    A file that is there goes first, a folder does not: `hmgpu demo` works in a folder `demo`, and again. Raises
    ConfigError for a name that is neither.
    """
    path, known = Path(name), shipped()
    if path.is_file() or path.suffix or len(path.parts) > 1:
        return path
    if str(name) in known:
        return known[str(name)]
    if path.exists():
        return path
    raise ConfigError(f"There is no config {name}: give the path of a YAML file, or a shipped one: {', '.join(known)}.")
