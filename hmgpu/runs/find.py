"""Find a run that somebody names by its folder, or by the name that `hmgpu runs` shows; nothing is created."""

from pathlib import Path

from hmgpu.core.errors import RunError
from hmgpu.core.files import UNFINISHED
from hmgpu.runs.publish import CURRENT, current
from hmgpu.runs.run import MANIFEST
from hmgpu.runs.seal import SEAL


def find_run(named: Path, runs: Path) -> Path:
    """Return the folder of the run `named`: its path, the link to the current run, or its name in the folder `runs`.

    Raises RunError where there is no such run.
    """
    given = named if named.name and named.name != ".." else named.resolve()
    if is_run(given):
        return given
    if given.name == CURRENT and (len(given.parts) > 1 or not given.exists()):
        folder = given.parent if len(given.parts) > 1 else runs
        if current(folder):  # raises where the run that it leads to is gone
            return folder / CURRENT
        raise RunError(f"No run is current in {folder}: `hmgpu run` makes one, `hmgpu promote RUN` chooses one.")
    if len(given.parts) == 1 and is_run(runs / given):
        return runs / given
    among = f", nor one called so in {runs}" if len(given.parts) == 1 else ""
    raise RunError(f"There is no run {named}{among}: `hmgpu runs --runs FOLDER` lists those of a folder.")


def folders_of_runs(runs: Path) -> list[Path]:
    """Return the folders of all runs in `runs`, by name. Raises RunError where there is no such folder."""
    if not runs.is_dir():
        what = "is a file" if runs.exists() else "does not exist"
        raise RunError(f"{runs} {what}: --runs, or `runs` in the config, must name the folder of the runs.")
    inside = sorted(runs.resolve().iterdir())
    return [path for path in inside if is_run(path) and not path.is_symlink() and not path.name.startswith(UNFINISHED)]


def refuse_without_runs(runs: Path) -> None:
    """Raise RunError where `runs` holds no run: before a lock file is left in a folder of something else."""
    if not folders_of_runs(runs):
        raise RunError(f"There is no run in {runs}: --runs must name the folder of the runs.")


def is_run(folder: Path) -> bool:
    """Whether `folder` holds a run, finished or not."""
    return (folder / MANIFEST).is_file() and any((folder / name).exists() for name in ("config.yaml", "steps", SEAL))
