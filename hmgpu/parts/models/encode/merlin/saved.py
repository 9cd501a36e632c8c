"""Fitted workflows on disk, as JSON and Parquet: the same bytes for the same fit, in a folder that may be moved.

    fitted.json               the types of the columns, and the statistics of each operator, in the order of the graph
    categories/*.parquet      the tables of Categorify and JoinGroupby

`Workflow.save` pickles the graph, and loading a pickle runs whatever code is in it (CVE-2025-33214, CVE-2026-24221,
CVE-2026-24237). Here the code that reads a workflow builds the graph again, and only numbers and names are read.
"""

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hmgpu.core.errors import DataError, RunError, reason
from hmgpu.core.files import write_json
from hmgpu.parts.models.encode.merlin.fitting import refuse_shared_tables

FITTED = "fitted.json"
TABLES = "categories"  # as Merlin calls the folder
AGAIN = "compute the run again"
NUMBERS = {"FillMedian": ("medians",), "Normalize": ("means", "stds")}
"""The statistics of operators that have a number a column, by the operator's name."""
WITH_TABLES = ("Categorify", "JoinGroupby")


def save(workflow: Any, folder: Path) -> None:
    """Write the fitted `workflow`, its tables of categories included; `folder` then holds nothing else.

    From here on the workflow reads its tables from `folder`. Raises DataError for an operator whose statistics are none
    that can be written here.
    """
    folder = Path(folder)
    nodes = list(_nodes(workflow))
    refuse_shared_tables([node.op for node in nodes], by=lambda path: Path(path).name)
    fitted = {
        "inputs": _types(workflow.input_schema),
        "operators": [
            {"operator": _name(node), "types": _types(node.output_schema), **_statistics(node.op)} for node in nodes
        ],
    }
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for node in nodes:
        if _name(node) in WITH_TABLES:
            node.op.set_storage_path(str(folder), copy=True)
    write_json(folder / FITTED, fitted)
    _build_schemas(workflow, fitted)


def load(graph: Any, folder: Path) -> Any:
    """Return the workflow that `save` wrote in `folder`.

    Args:
        graph: the operators of the workflow that was saved, built again and not fitted.
        folder: where it was saved, or has been moved to.

    Raises RunError where it can't be read, or is a pickle, as older versions wrote.
    """
    import nvtabular

    workflow = nvtabular.Workflow(graph)
    if not (folder / FITTED).exists() and any(folder.glob("*.pkl")):
        raise RunError(
            f"{folder} holds a pickle, as hmgpu wrote encoders before it had {FITTED}; reading one would run whatever "
            f"code is in it: {AGAIN}."
        )
    try:
        fitted = json.loads((folder / FITTED).read_text(encoding="utf-8"))
        for node, kept in zip(_nodes(workflow), fitted["operators"], strict=True):
            if _name(node) != kept["operator"]:
                raise ValueError(f"it has {kept['operator']} where {_name(node)} belongs")
            _fill(node.op, kept, folder)
        _build_schemas(workflow, fitted)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise RunError(f"The encoders in {folder} can't be read ({reason(error)}): {AGAIN}.") from None
    return workflow


def _statistics(operator: Any) -> dict[str, Any]:
    """Return what `operator` was fitted with, as JSON can hold it."""
    from merlin.dag.ops.stat_operator import StatOperator

    name = type(operator).__name__
    if name in WITH_TABLES:
        files = {column: Path(path).name for column, path in operator.categories.items()}
        return {"tables": files, "stored_as": operator.storage_name}
    if name in NUMBERS:
        # A median of nothing is NaN, which JSON doesn't have.
        return {
            kind: {column: None if math.isnan(value) else value for column, value in getattr(operator, kind).items()}
            for kind in NUMBERS[name]
        }
    if isinstance(operator, StatOperator):
        raise DataError(f"The statistics of {name} can't be saved: add what it learns to {__name__}.")
    return {}


def _fill(operator: Any, kept: dict[str, Any], folder: Path) -> None:
    """Give `operator` the statistics that `_statistics` returned."""
    name = type(operator).__name__
    if name in WITH_TABLES:
        # Only the names of the files are believed, never a path.
        operator.categories = {
            column: str(folder / TABLES / Path(file).name) for column, file in kept["tables"].items()
        }
        operator.storage_name, operator.out_path = dict(kept["stored_as"]), str(folder)
    for kind in NUMBERS.get(name, ()):
        values = {column: math.nan if value is None else float(value) for column, value in kept[kind].items()}
        setattr(operator, kind, values)
    if hasattr(operator, "fitted"):
        operator.fitted = True


def _build_schemas(workflow: Any, fitted: dict[str, Any]) -> None:
    """Let all schemas of a workflow have the types of the fit, and the tables where they are now."""
    from merlin.schema import ColumnSchema, Schema

    inputs = Schema([ColumnSchema(name, dtype=dtype) for name, dtype in fitted["inputs"].items()])
    workflow.graph.construct_schema(inputs)
    for node, kept in zip(_nodes(workflow), fitted["operators"], strict=True):
        # Merlin finds out the types of some operators only by running them.
        columns = [column.with_dtype(kept["types"][column.name]) for column in node.output_schema]
        node.output_schema = Schema(columns)
    workflow.graph.construct_schema(inputs, preserve_dtypes=True)


def _types(schema: Any) -> dict[str, str]:
    return {column.name: column.dtype.name for column in schema}


def _name(node: Any) -> str:
    return type(node.op).__name__


def _nodes(workflow: Any) -> Iterator[Any]:
    from merlin.dag import iter_nodes

    yield from iter_nodes([workflow.output_node])
