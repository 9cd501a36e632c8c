"""Refuse to write where a command would overwrite what others read."""

from pathlib import Path

from hmgpu.core.errors import ConfigError


def refuse_among_inputs(out: Path, raw: Path | str | None = None, option: str = "--out") -> None:
    """Raise ConfigError where `out` lies in a run, in a data set or in the folder of the raw files.

    Args:
        out: the file or folder to write.
        raw: the folder of the raw files, where it is known.
        option: the option that names `out`.
    """
    place = out.expanduser().resolve()
    for folder in (place, *place.parents):
        if (folder / "manifest.json").is_file():
            for holds, what in (("steps", "run"), ("transactions", "data set")):
                if (folder / holds).is_dir():
                    raise ConfigError(_sentence(f"{option} {out}", f"the {what} {folder}"))
    if raw is not None and place.is_relative_to(Path(raw).expanduser().resolve()):
        raise ConfigError(_sentence(f"{option} {out}", f"{raw}, the folder of the raw files"))


def _sentence(out: str, where: str) -> str:
    return f"{out} lies in {where}, where nothing may be overwritten: name a place elsewhere."
