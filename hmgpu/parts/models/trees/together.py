"""One model fitted by several processes: XGBoost's distributed training, each process on its own files of examples.

The ranks are workers of a Dask cluster. `xgboost.dask` wants all rows of a worker in its memory as a frame; here each
rank feeds itself from disk as a single process does, and they meet in XGBoost's collective, the way its distributed
external-memory training works. Sums go round in another order with every number of processes, so that is a setting of
the ranker: the same number gives the same trees.
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
from hmgpu.parts.models.trees.fitting import Fitting

SECONDS = 300  # until all have met


def fit_together(
    fitting: Fitting, training: Examples, validation: Examples, watched: pl.DataFrame, client: Client, processes: int
) -> xgb.Booster:
    """As `Fitting.run`, by so many workers of the cluster of `client`, or by one a file where there are fewer files.

    Raises RunError where a worker is lost at it.
    """
    files = [file for file in training.files if Examples((file,)).customers_with_purchases().height]
    # One without validation customers would spoil the figure that all stop by.
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
        # Those that are left wait for the lost one, and can't be told otherwise.
        with suppress(ValueError):  # a worker without a nanny ends by itself, some minutes later
            client.restart_workers([*set(workers) & {*client.scheduler_info(n_workers=-1)["workers"]}])
        raise RunError(
            f"Fitting trees with {count} processes failed ({str(error).strip().splitlines()[-1][:160]}). If one of "
            "them was lost, run it again: all that was finished before is kept."
        ) from None
    finally:
        client.cancel(futures)  # type: ignore[no-untyped-call]
        with suppress(xgb.core.XGBoostError):  # freed by Python, it would complain of the lost rank once more
            tracker.free()


class LostError(Exception):
    """A worker is gone."""


def _await(futures: Sequence["Future[bytes]"], workers: Sequence[str], client: Client) -> None:
    """Returns when all are done, and raises the first error; a lost worker's task would wait for it for ever."""
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
        return bytes(fitting.run(training, validation, watched).save_raw("ubj"))
