"""Hash whole files, and write files whole or not at all."""

import errno
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hmgpu.core.errors import ConfigError, DiskError

UNFINISHED = ".unfinished-"


def sha256(file: Path) -> str:
    """Hash a file's bytes, in hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_vacant(folder: Path) -> bool:
    """Whether `folder` does not exist or is empty, such as a freshly mounted volume."""
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


def hashes(folder: Path) -> dict[str, str]:
    """Hash every file below `folder`, by its path relative to it."""
    return {str(file.relative_to(folder)): sha256(file) for file in sorted(folder.rglob("*")) if file.is_file()}


def digest_of(content: Any) -> str:
    """Hash anything that JSON can hold, whatever the order of its keys; a step's digest is that of its `hashes`."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def swap_link(link: Path, target: Path | str, draft: Path) -> None:
    """Point `link` at `target` in one atomic move: the new link is created as `draft` and renamed over `link`."""
    draft.unlink(missing_ok=True)
    draft.symlink_to(target)
    os.replace(draft, link)


def write_json(path: Path, content: Any) -> None:
    """Write JSON whole or not at all."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def write_result(path: Path, content: Mapping[str, Any], named_by: Sequence[str]) -> None:
    """Write JSON that a command computed to the file that its user named, and make the file's folder.

    A file that is there is replaced only by the same result: one whose keys `named_by` are equal. Raises ConfigError
    for any other.
    """
    new = json.loads(json.dumps(content))
    if path.exists():
        try:
            there = json.loads(path.read_bytes())
        except (OSError, ValueError):
            there = None
        if not isinstance(there, dict) or any(there.get(key) != new[key] for key in named_by):
            raise ConfigError(f"{path} is there already and holds something else: name another file, or remove it.")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, content)


def write_text(path: Path, text: str) -> None:
    """Write text whole or not at all: into a file next to `path`, which is then renamed over it."""
    draft = path.with_name(f"{UNFINISHED}{path.name}")
    try:
        with needing_room(path.parent):
            draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    except BaseException as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)  # half a file takes up space, which may be what ran out
        if isinstance(error, OSError):
            error.filename = str(path)  # the caller knows this path, not the draft's
        raise


@contextmanager
def needing_room(folder: Path) -> Iterator[None]:
    """Raise DiskError where the block fails because the disk of `folder` is full."""
    try:
        yield
    except Exception as error:
        if not disk_is_full(error, folder):
            raise
        raise DiskError(
            f"The disk of {folder} is full: make room and run the command again; it goes on after the last finished "
            "step."
        ) from None


def disk_is_full(error: Exception, folder: Path) -> bool:
    """Whether `error` was raised because the disk of `folder` is full.

    Libraries wrap the system's error in their own, so only its text can be recognised; where a Parquet file's headers
    are written (by Thrift), not even that is left.
    """
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    said = str(error).lower()
    nothing_free = "thrift: transport error" in said and os.statvfs(folder).f_bavail == 0
    return nothing_free or os.strerror(errno.ENOSPC).lower() in said
