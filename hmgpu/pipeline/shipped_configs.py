"""Find the configs that come with the package by their names, and the one that is meant where none is named."""

from pathlib import Path

from hmgpu.core.errors import ConfigError
from hmgpu.core.version import PACKAGE

RECIPES = "recipes"
"""The folder, among the configs, of public solutions as configs."""


def shipped() -> dict[str, Path]:
    """Return the files of the configs that come with hmgpu, by name; recipes last."""
    # In a wheel they lie in the package, in a checkout next to it.
    for folder in (PACKAGE / "configs", PACKAGE.parent / "configs"):
        if folder.is_dir():
            return {file.stem: file for place in (folder, folder / RECIPES) for file in sorted(place.glob("*.yaml"))}
    return {}


OWN, BASE = Path("config.yaml"), Path("base")


def usual_config() -> Path:
    """Return the config that is meant where none is named: `config.yaml` in the working folder, else `base`."""
    return OWN if OWN.is_file() else BASE


def config_file(name: str | Path) -> Path:
    """Return the file of the config `name`: a path, whether it exists or not, or the name of a shipped config.

    An existing file comes before a shipped name, a folder does not: `hmgpu demo` leaves a folder `demo` behind, and
    must work again. Raises ConfigError for a name that is neither.
    """
    path, known = Path(name), shipped()
    if path.is_file() or path.suffix or len(path.parts) > 1:
        return path
    if str(name) in known:
        return known[str(name)]
    if path.exists():
        return path
    raise ConfigError(f"Unknown config {name}: give the path of a YAML file, or a shipped one: {', '.join(known)}.")
