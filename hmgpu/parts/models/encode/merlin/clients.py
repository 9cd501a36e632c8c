"""Which Dask client Merlin works through: the one that it is lent, and none else."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from hmgpu.core.engine import gpu_was_chosen, remember_gpu

_LENT: ContextVar[Any] = ContextVar("lent", default=None)


def lent() -> Any:
    """For `global_dask_client`, which takes whatever client is about."""
    return _LENT.get()


@contextmanager
def through(client: Any) -> Iterator[None]:
    """Lends Merlin `client`, whose workers then get its patches, those too that come later; None lends nothing."""
    if client is None:
        yield
        return
    from distributed import WorkerPlugin

    class Patches(WorkerPlugin):
        name = "hmgpu-merlin"
        gpu = gpu_was_chosen()

        def setup(self, worker: Any) -> None:
            if self.gpu:
                remember_gpu()
            import hmgpu.parts.models.encode.merlin  # noqa: F401

    client.register_plugin(Patches())
    token = _LENT.set(client)
    try:
        with client.as_current():
            yield
    finally:
        _LENT.reset(token)
