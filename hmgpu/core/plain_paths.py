"""Paths for libraries that can't cope with every name a folder may have."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def plain_path(folder: Path, plain: Callable[[str], bool]) -> Iterator[Path]:
    """Yield a path of `folder` that is `plain`: its own, or that of a link to it among the temporary files."""
    if plain(str(folder.absolute())):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="hmgpu-") as elsewhere:
        link = Path(elsewhere) / "it"
        link.symlink_to(folder.absolute())
        yield link
