"""One XGBoost model fitted by several processes, each of which reads its own files of examples.

The processes are workers of a Dask cluster. `xgboost.dask` needs all rows of a worker in memory as a frame; here each
worker reads from disk as a single process does, and they exchange sums through XGBoost's collective, as in its
distributed external-memory training. With another number of processes, sums are added in another order; so the number
is a setting of the ranker, and the same number gives the same trees.

Measured on 2026-11-30 (2 cores of an Intel Xeon, 23.5 GiB; xgboost 3.2, 8 files of 250,000 rows x 100 float32 columns,
one worker; memory at its peak beyond what the worker held after its imports): 968 MiB here, and 1,640 MiB with
`xgboost.dask` (1,699 MiB with queries); for half of the rows 676 and 1,000 MiB.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import polars as pl
import xgboost as xgb
from distributed import Client, Future
from distributed.utils import get_ip
from xgboost.collective import CommunicatorContext
from xgboost.tracker import RabitTracker

from hmgpu.core.errors import RunError
from hmgpu.parts.examples import Examples
from hmgpu.parts.models.trees.boosting import boosted
from hmgpu.parts.models.trees.fitting import Fitting

SECONDS = 300  # within which all processes must have connected


def fit_together(
    fitting: Fitting, training: Examples, validation: Examples, watched: pl.DataFrame, client: Client, processes: int
) -> xgb.Booster:
    """Run `fitting` on several workers of `client`'s cluster at once; see `boosted`.

    There are never more workers than files with purchases, or watched customers. Raises RunError if a worker is lost.
    """
    files = [file for file in training.files if Examples((file,)).customers_with_purchases().height]
    # A process without validation customers would spoil the metric by which all decide when to stop.
    count = min(processes, len(files), watched.height or len(files))
    workers = sorted(client.scheduler_info(n_workers=-1)["workers"])
    ours = get_ip(urlsplit(client.scheduler.address).hostname)  # type: ignore[union-attr, no-untyped-call]
    tracker = RabitTracker(count, ours, sortby="task", timeout=SECONDS)
    tracker.start()
    futures = [
        client.submit(
            _fit,
            {**tracker.worker_args(), "dmlc_task_id": f"{rank:06}"},
            fitting,
            Examples(tuple(files[rank::count]), training.only_early),
            validation,
            watched[rank::count],
            workers=[worker],
            pure=False,
        )
        for rank, worker in zip(range(count), workers, strict=False)
    ]
    try:
        _await(futures, workers[:count], client)
        return xgb.Booster(model_file=bytearray(futures[0].result()))
    except (xgb.core.XGBoostError, LostError) as error:
        # The other workers wait for the lost one; only a restart stops that.
        with suppress(ValueError):  # a worker without a nanny ends by itself, some minutes later
            client.restart_workers([*set(workers) & {*client.scheduler_info(n_workers=-1)["workers"]}])
        raise RunError(
            f"Fitting trees with {count} processes failed ({str(error).strip().splitlines()[-1][:160]}). If one of "
            "them was lost, run the command again: all steps that were finished before are kept."
        ) from None
    finally:
        client.cancel(futures)  # type: ignore[no-untyped-call]
        with suppress(xgb.core.XGBoostError):  # left to Python, it would complain of the lost process again
            tracker.free()


class LostError(Exception):
    """Raised when a worker of the cluster is gone."""


def _await(futures: Sequence["Future[bytes]"], workers: Sequence[str], client: Client) -> None:
    """Wait until all futures are done, and raise the first error, or LostError if a worker is gone.

    Without this, the task of a lost worker would be waited for forever.
    """
    while not all(future.done() for future in futures):  # type: ignore[no-untyped-call]
        if lost := set(workers) - {*client.scheduler_info(n_workers=-1)["workers"]}:
            raise LostError(f"the worker {min(lost)} is gone")
        time.sleep(0.2)
        for future in futures:
            if future.status == "error":
                future.result()


def _fit(
    meeting: dict[str, Any], fitting: Fitting, training: Examples, validation: Examples, watched: pl.DataFrame
) -> bytes:
    with CommunicatorContext(**meeting):
        return bytes(boosted(fitting, training, validation, watched).save_raw("ubj"))
