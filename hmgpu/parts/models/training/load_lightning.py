"""Load Lightning without what torchmetrics loads for metrics of pictures, texts and sound, which takes as long again.

    from hmgpu.parts.models.training import load_lightning
    import pytorch_lightning  # isort: skip

Imported before anything of Lightning or `merlin.models`. Lightning loads torchmetrics as a whole, and that loads
torchvision, transformers, matplotlib and scipy.signal where they are installed. In this process torchmetrics then takes
them for missing, unless it was loaded before; hmgpu uses none of its metrics.
"""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError
from typing import Any

UNUSED = frozenset({"torchvision", "transformers", "matplotlib", "scipy"})


@contextmanager
def taken_for_missing() -> Iterator[None]:
    """Let Lightning's own look-ups of packages find none of `UNUSED`."""
    try:
        places: Any = importlib.import_module("lightning_utilities.core.imports")
    except ModuleNotFoundError:  # Lightning isn't there either, and importing it says so
        yield
        return
    before = {name: getattr(places, name) for name in ("_version", "package_available", "module_available")}

    def version(name: str) -> Any:
        if name in UNUSED:
            raise PackageNotFoundError(name)
        return before["_version"](name)

    def among_others(name: str) -> Callable[[str], bool]:
        return lambda package: package not in UNUSED and before[name](package)

    places._version = version
    places.package_available, places.module_available = map(among_others, ("package_available", "module_available"))
    try:
        yield
    finally:
        vars(places).update(before)


with taken_for_missing():
    importlib.import_module("pytorch_lightning")
