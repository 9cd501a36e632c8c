"""Merlin 23 on today's dask, pandas, torch and cuDF; imported before anything of `merlin` or `nvtabular`.

    from hmgpu.parts.models.encode import merlin
    import nvtabular as nvt  # isort: skip

Importing it applies all patches, once. `save` and `load` are for fitted workflows. On a Dask cluster Merlin works only

    with merlin.through(client):
        workflow.fit(dataset)

which gives the workers the patches too; without them a worker hangs on functions that it can't unpickle.

Merlin's last releases are of 2023. What the workflows of this folder need is here and no more, each with its reason:
`graphs` for dask's expressions, `cudf_now` for cuDF, `fitting` for results that were silently wrong or not
reproducible. All of it can go when Merlin supports dask 2025 and cuDF 25. Operators that no workflow uses, list columns
in operators, shuffled datasets and files are as Merlin left them.
"""

import importlib
import warnings
from types import SimpleNamespace

from hmgpu.core.engine import Engine, gpu_was_chosen
from hmgpu.core.errors import EngineError
from hmgpu.parts.models.encode.merlin import versions

versions.check(versions.KNOWN)

from hmgpu.parts.models.encode.merlin import clients, fitting, graphs  # noqa: E402  (of the dask that was checked)
from hmgpu.parts.models.encode.merlin.clients import through  # noqa: E402
from hmgpu.parts.models.encode.merlin.graphs import rebind, wrap  # noqa: E402
from hmgpu.parts.models.encode.merlin.saved import AGAIN, load, save  # noqa: E402

__all__ = ["AGAIN", "check_engine", "load", "save", "through"]

DONE = "patched_by_hmgpu"


def check_engine(engine: Engine) -> None:
    """Raise EngineError where `engine` is the GPU, and was chosen after Merlin had been loaded without one."""
    if engine.name == "gpu" and not importlib.import_module("merlin.core.has_gpu").HAS_GPU:
        raise EngineError(
            "Merlin was loaded for the CPU before the GPU engine was chosen: start anew and choose the GPU first."
        )


def _apply() -> None:
    """Lend dask and cuDF what Merlin imports, import Merlin, and patch it."""
    graphs.lend_names()
    with warnings.catch_warnings():
        # Of TensorFlow and Triton, which aren't needed, and of syntax in a package that Merlin imports.
        warnings.filterwarnings("ignore", message="(Tensorflow|Triton) dtype mappings did not load")
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        # Merlin counts devices, and uses them whether they were asked for or not.
        has_gpu = gpu_was_chosen()
        setattr(importlib.import_module("merlin.core.has_gpu"), "HAS_GPU", has_gpu)  # noqa: B010
        if has_gpu:
            versions.check(versions.KNOWN_ON_GPU)
            from hmgpu.parts.models.encode.merlin import cudf_now

            cudf_now.lend_names()
        merlin = _modules()
    if hasattr(merlin.utils, DONE):
        return
    _patch_everywhere(merlin)
    if has_gpu:
        _patch_for_gpu(merlin)
    _quieten()
    setattr(merlin.utils, DONE, True)


def _modules() -> SimpleNamespace:
    """The modules that hold what is patched; each loads those that import from it by name."""
    names = {
        "utils": "merlin.core.utils",
        "dispatch": "merlin.core.dispatch",
        "frames": "merlin.io.dataframe_engine",
        "dataset": "merlin.io.dataset",
        "executors": "merlin.dag.executors",
        "ops": "nvtabular.ops",
        "categorify": "nvtabular.ops.categorify",
    }
    return SimpleNamespace(**{short: importlib.import_module(name) for short, name in names.items()})


def _patch_everywhere(merlin: SimpleNamespace) -> None:
    # dask's expressions
    rebind(merlin.utils.ensure_optimize_dataframe_graph, graphs.optimized)
    wrap(merlin.dataset.Dataset, "to_ddf", graphs.indexed)
    rebind(merlin.dispatch.convert_data, graphs.plain_strings(merlin.dispatch.convert_data))
    # Merlin takes any client that is about, but for none that it was given by address; it gets what it is lent.
    rebind(merlin.utils.global_dask_client, clients.lent)
    # Right and reproducible results
    merlin.executors.DaskExecutor.fit_phase = fitting.fit_phase
    merlin.ops.FillMedian.fit = fitting.fit_median
    rebind(merlin.categorify._save_encodings, fitting.ranked(merlin.categorify._save_encodings))
    rebind(merlin.categorify._encode, fitting.encoded(merlin.categorify._encode))


def _patch_for_gpu(merlin: SimpleNamespace) -> None:
    from cudf.api import types

    from hmgpu.parts.models.encode.merlin import cudf_now

    dispatch = merlin.dispatch
    # Merlin's own import of these fails with that of `build_column`, and it goes on without.
    dispatch.cudf_is_list_dtype, dispatch.cudf_is_string_dtype = types.is_list_dtype, types.is_string_dtype
    rebind(dispatch.convert_data, cudf_now.convert(dispatch.convert_data))
    merlin.frames.DataFrameDatasetEngine._move_ddf = cudf_now.move


def _quieten() -> None:
    """Warnings that tell a user of hmgpu nothing."""
    warnings.filterwarnings("ignore", message="(Initializing|Changing) an NVTabular Dataset (in|to) CPU mode")
    # On the import of merlin.models.torch.
    warnings.filterwarnings("ignore", message="`torch.jit.script` is deprecated", category=DeprecationWarning)
    # TorchScript's, of a check in Merlin's blocks that runs in every step.
    warnings.filterwarnings("ignore", message="The inner type of a container is lost")


_apply()
