"""Seal finished runs: the hash of every file is kept, so that a file that was changed since is found and named."""

import json
from collections.abc import Iterable
from pathlib import Path

from hmgpu.core.errors import RunError
from hmgpu.core.files import UNFINISHED, digest_of, sha256, write_json

SEAL = "seal.json"
NOT_SEALED = ("log.jsonl", ".lock", SEAL)  # what keeps changing, and the seal itself


def seal(run: Path) -> Path:
    """Write `RUN/seal.json`: the hash of every file in `run`, the target of every link, and the hash of all that."""
    files, links = dict[str, str](), dict[str, str]()
    for path in sorted(run.rglob("*")):
        name = path.relative_to(run).as_posix()
        if name in NOT_SEALED or any(part.startswith(UNFINISHED) for part in path.relative_to(run).parts):
            continue
        if path.is_symlink():
            links[name] = str(path.readlink())
        elif path.is_file():
            files[name] = sha256(path)
    listed = {"files": files, "links": links}
    write_json(run / SEAL, listed | {"sha256": digest_of(listed)})
    return run / SEAL


def verify(run: Path, names: Iterable[str] | None = None) -> None:
    """Raise RunError, naming the file, unless `run` is finished and unchanged since it was sealed.

    Args:
        names: files below `run` to check, instead of all of them; a name that the seal doesn't list is refused.
    """
    listed = _listed(run)
    files, links = listed["files"], listed["links"]
    for name in sorted(files) if names is None else names:
        try:
            found = sha256(run / name)
        except OSError as error:
            raise RunError(f"{run / name} can't be read ({error.strerror}): {_remedy(run)}") from None
        if found != files.get(name):
            raise RunError(f"{run / name} is not the file that the run wrote: {_remedy(run)}")
    for name, target in links.items():
        link = run / name
        if not link.is_symlink() or str(link.readlink()) != target:
            raise RunError(f"{link} is not the link that the run wrote: {_remedy(run)}")


def is_whole(run: Path) -> bool:
    """Return whether `run` is finished and unchanged, as `verify` checks."""
    try:
        verify(run)
    except RunError:
        return False
    return True


def _listed(run: Path) -> dict[str, dict[str, str]]:
    try:
        content = json.loads((run / SEAL).read_bytes())
    except FileNotFoundError:
        if not run.is_dir():
            raise RunError(f"There is no run {run}: `hmgpu runs` lists those that there are.") from None
        raise RunError(f"{run} is not finished: finish it with `hmgpu run`.") from None
    except (OSError, ValueError):
        raise RunError(f"{run / SEAL} can't be read: {_remedy(run)}") from None
    if not isinstance(content, dict):
        content = {}
    listed: dict[str, dict[str, str]] = {key: content.get(key) or {} for key in ("files", "links")}
    if content.get("sha256") != digest_of(listed):
        raise RunError(f"{run / SEAL} is not the seal that the run wrote: {_remedy(run)}")
    return listed


def _remedy(run: Path) -> str:
    return f"roll back to another run (`hmgpu rollback`), or repair {run.name} by running its command again."
