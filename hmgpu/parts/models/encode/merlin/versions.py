"""The releases that the patches were written for; any other is refused, since a patch that misses is a silent error."""

from importlib.metadata import PackageNotFoundError, version

from hmgpu.core.errors import EngineError
from hmgpu.core.extras import remedy

KNOWN = {
    "merlin-core": "23.8.0",
    "nvtabular": "23.8.0",
    "merlin-models": "23.12.0",
    "dask": "2026.1.1",
    "distributed": "2026.1.1",
    "pandas": "2.3",
}
KNOWN_ON_GPU = {"cudf-cu13": "26.6", "dask-cudf-cu13": "26.6"}


def check(known: dict[str, str]) -> None:
    """EngineError if a package of `known` is missing or is not of the release that is given there."""
    for package, wanted in known.items():
        try:
            found = version(package)
        except PackageNotFoundError:
            how = "make setup-gpu" if package in KNOWN_ON_GPU else remedy("merlin")
            raise EngineError(f"Merlin needs {package} {wanted}, which is not installed: {how}.") from None
        if found != wanted and not found.startswith(f"{wanted}."):
            raise EngineError(f"{package} is {found}, and hmgpu knows how to run {wanted} alone: run make setup.")
