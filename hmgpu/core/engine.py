"""CPU or GPU, chosen once: the only file that asks which, and the only one that executes a plan.

Every table operation is a Polars plan. On the CPU Polars runs it; on the GPU `pl.GPUEngine` runs the same plan in cuDF,
and a plan that cuDF can't run is an error, never a silent fallback to the CPU.
"""

import ctypes
import importlib.util
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import polars as pl

from hmgpu.core.choices import Choice
from hmgpu.core.copies import COPIED, TO_DEVICE, TO_HOST, bytes_read
from hmgpu.core.errors import EngineError

T = TypeVar("T")

OUT_OF_MEMORY = ("memoryerror", "bad_alloc", "out of memory", "can't allocate memory", "cannot allocate memory")
CHOSEN = "HMGPU_GPU_CHOSEN"
"""Set in the environment, and so in the processes that are started from here, once a GPU engine was chosen."""
GIB = 2**30


@dataclass(frozen=True)
class Engine:
    """Where plans and models run."""

    name: Literal["cpu", "gpu"]
    reason: str
    """Why this engine was chosen: for the log, the run's manifest and `hmgpu doctor`."""
    small: bool = False
    """Whether all that it executes fits into memory, as what is known of one customer does: Polars' in-memory engine
    starts in a tenth of the milliseconds that its streaming one needs."""

    @staticmethod
    def choose(choice: Choice = "auto") -> "Engine":
        """Return the engine for `choice`; `auto` takes the GPU if it works.

        Raises EngineError with what is missing where `gpu` is asked for and can't run.
        """
        if choice == "cpu":
            return Engine("cpu", "asked for")
        missing = _missing_for_gpu()
        if missing is None:
            remember_gpu()
            return Engine("gpu", "asked for" if choice == "gpu" else "a GPU and RAPIDS are there")
        if choice == "gpu":
            raise EngineError(f"The GPU engine can't run: {missing}. Fix that or use --engine cpu.")
        return Engine("cpu", missing)

    @property
    def device(self) -> str:
        """The device's name, as XGBoost and torch spell it."""
        return "cuda" if self.name == "gpu" else "cpu"

    def collect(self, plan: pl.LazyFrame, fits: bool = False) -> pl.DataFrame:
        """Execute `plan`; rows keep its order only where it ends in a sort or in joins that maintain order.

        Args:
            fits: whether inputs and result fit into memory, as a shard's do. Then the CPU uses Polars' in-memory
                engine, whose order-keeping joins are several times as fast as the streaming engine's, and the GPU
                uses cuDF's in-memory executor; otherwise both stream, part by part.
        """
        if self.name == "cpu":
            return plan.collect(engine="in-memory" if fits or self.small else "streaming")
        table = _run_in_cudf(plan, _cudf(fits))
        COPIED[TO_HOST] += int(table.estimated_size())
        return table

    def write(self, plan: pl.LazyFrame, path: Path) -> int:
        """Execute `plan`, sort the rows by all columns from left to right, write Parquet; returns the number of rows.

        The sort makes the file's bytes independent of engine and threads.
        """
        table = self.collect(in_order(plan))
        path.parent.mkdir(parents=True, exist_ok=True)
        table.write_parquet(path)
        return table.height

    def frame(self, table: pl.DataFrame) -> Any:
        """Return `table` as NVTabular takes it: a cuDF frame on the GPU, a pandas frame on the CPU."""
        if self.name == "gpu":
            import cudf

            COPIED[TO_DEVICE] += int(table.estimated_size())
            return cudf.DataFrame.from_arrow(table.to_arrow())
        return table.to_pandas()

    def columns(self, table: pl.DataFrame) -> Any:
        """Return `table` as XGBoost reads it without a copy: a cuDF frame on the GPU, `table` itself on the CPU.

        XGBoost 3.2 can't read cuDF columns with nulls, so the frame's columns are float32, as XGBoost has them inside,
        with NaN for null. Few rows are one such matrix: it takes 8 ms to look at a hundred columns.
        """
        if self.name == "cpu" and not self.small:
            return table
        plain = table.select(pl.all().cast(pl.Float32).fill_null(float("nan")))
        return self.frame(plain) if self.name == "gpu" else plain.to_numpy()

    @property
    def memory_gb(self) -> float:
        """The memory of the device in GiB, all of it, so that a plan doesn't depend on the moment; on the CPU no limit.

        On the CPU the user says what may be used of a memory that others share.
        """
        if self.name == "cpu":
            return float("inf")
        import rmm

        _, total = rmm.mr.available_device_memory()
        return float(total / GIB)

    @property
    def devices(self) -> list[str]:
        """The devices that this process may use, as CUDA_VISIBLE_DEVICES names them; none on the CPU."""
        if self.name == "cpu":
            return []
        named = os.environ.get("CUDA_VISIBLE_DEVICES")
        if named is not None:
            return [device.strip() for device in named.split(",") if device.strip()]
        import torch

        return [str(device) for device in range(torch.cuda.device_count())]

    def numpy(self, array: Any) -> Any:
        """Return, as a NumPy array, what a model on this engine returned."""
        if self.name == "cpu":
            return array
        COPIED[TO_HOST] += array.nbytes
        return array.get()

    def either(self, cpu: T, gpu: T) -> T:
        """Return the one of two that is for this engine: two ways of doing the same work, each fast on its own."""
        return gpu if self.name == "gpu" else cpu

    def table(self, frame: Any) -> pl.DataFrame:
        """Turn a frame that `frame` returned back into a table; the frame's index is dropped."""
        if self.name == "cpu":
            return pl.from_pandas(frame)
        table = pl.DataFrame(frame.to_arrow(preserve_index=False))
        COPIED[TO_HOST] += int(table.estimated_size())
        return table

    def copied(self) -> "Counter[str]":
        """Return the bytes copied to and from the device since the process started; nothing on the CPU."""
        return Counter() if self.name == "cpu" else Counter(COPIED)


def in_order(plan: pl.LazyFrame) -> pl.LazyFrame:
    """Sort the rows of `plan` by all columns from left to right, as they are written."""
    return plan.sort(plan.collect_schema().names(), nulls_last=True)


def remember_gpu() -> None:
    """Note that a GPU engine was chosen: here, or by the process that this one works for."""
    os.environ[CHOSEN] = "1"


def gpu_was_chosen() -> bool:
    """Whether a GPU engine was chosen in this process, or in the one that started it."""
    return CHOSEN in os.environ


def ran_out_of_memory(error: Exception) -> bool:
    """Whether `error` says that the machine or the GPU ran out of memory.

    Polars wraps cuDF's errors in its own, and torch, CuPy and XGBoost have theirs, so only the text is left to look at.
    """
    text = f"{type(error).__name__}: {error}".lower()
    return isinstance(error, MemoryError) or any(sign in text for sign in OUT_OF_MEMORY)


def _run_in_cudf(plan: pl.LazyFrame, engine: pl.GPUEngine) -> pl.DataFrame:
    """Execute `plan` as `collect(engine=engine)` does, and count what it reads from the host's memory."""
    from cudf_polars import execute_with_cudf

    def execute(tree: Any, started: int | None) -> None:
        COPIED[TO_DEVICE] += bytes_read(tree)
        execute_with_cudf(tree, started, config=engine)

    return plan.collect(engine=engine, post_opt_callback=execute)  # type: ignore[call-overload, no-any-return]


def _cudf(fits: bool = True) -> pl.GPUEngine:
    """Return cuDF's engine, which raises where it can't run a plan; what it can't stream it runs in one part."""
    if fits:
        return pl.GPUEngine(executor="in-memory", raise_on_fail=True)
    return pl.GPUEngine(executor="streaming", raise_on_fail=True, executor_options={"fallback_mode": "silent"})


def _missing_for_gpu() -> str | None:
    """What keeps plans from running on a GPU, as half a sentence; None if they run."""
    if importlib.util.find_spec("cudf_polars") is None:
        return "RAPIDS is not installed (make setup-gpu, or the extra hmgpu[gpu]; Linux x86-64 only)"
    # Checked before cuDF is loaded: without a driver, loading RAPIDS slowed XGBoost's training on the CPU 30 times.
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "there is no NVIDIA driver (no libcuda.so.1)"
    try:
        pl.LazyFrame({"x": [1]}).select(pl.col("x").sum()).collect(engine=_cudf())
    except Exception as error:  # no driver, no device, a driver too old: each layer raises its own type
        return f"cuDF finds no working NVIDIA GPU ({str(error).strip().splitlines()[0][:160]})"
    return None
