"""Fitted workflows on disk: the same bytes for the same fit, in a folder that may be moved."""

import io
import json
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudpickle

from hmgpu.parts.models.encode.merlin.fitting import refuse_shared_tables

IN_PROCESS = "<folder>"  # stands in the pickle for the folder that it lies in
WORKFLOW = "workflow.pkl"
FACTS = "metadata.json"


def save(workflow: Any, folder: Path) -> None:
    """Writes the fitted `workflow`, its tables of categories included; `folder` then holds nothing else.

    `Workflow.save` also writes the time, the build of Python, this machine's memory and the folder's path, which
    `Workflow.load` fixes in some places only. From here on the workflow reads its tables from `folder`.
    """
    folder = Path(folder)
    refuse_shared_tables([node.op for node in _nodes(workflow)], by=lambda path: Path(path).name)
    shutil.rmtree(folder, ignore_errors=True)
    workflow.save(str(folder))
    facts = json.loads((folder / FACTS).read_text())
    facts["versions"]["python"] = platform.python_version()
    facts["generated_timestamp"] = 0
    (folder / FACTS).write_text(json.dumps(facts, sort_keys=True))
    _point(workflow, IN_PROCESS)
    try:
        (folder / WORKFLOW).write_bytes(_pickled(workflow))
    finally:
        _point(workflow, str(folder))


def load(folder: Path) -> Any:
    """The workflow that `save` wrote in `folder`. It is a pickle: load none that our own manifest doesn't vouch for."""
    import nvtabular

    workflow = nvtabular.Workflow.load(str(folder))
    _point(workflow, str(folder))
    return workflow


def _pickled(workflow: Any) -> bytes:
    from merlin.schema.tags import TagSet

    # A pickle notes which equal strings are one object, and those that came from a worker are not.
    for node in _nodes(workflow):
        vars(node.op).update({name: _interned(value) for name, value in vars(node.op).items()})
    # A TagSet is a set of strings, whose order differs from process to process.
    ordered = {TagSet: lambda tags: (TagSet, (sorted(tags, key=str),))}
    # Read when a pickler is made, so a class of its own.
    pickler = type("Pickler", (cloudpickle.Pickler,), {"dispatch_table": cloudpickle.Pickler.dispatch_table | ordered})
    file = io.BytesIO()
    pickler(file, protocol=5).dump(workflow)
    return file.getvalue()


def _interned(value: Any) -> Any:
    """`value` with equal strings as one object."""
    if isinstance(value, str):
        return sys.intern(value)
    if type(value) is dict:
        return {_interned(key): _interned(each) for key, each in value.items()}
    return type(value)(map(_interned, value)) if type(value) in (list, tuple) else value


def _point(workflow: Any, folder: str) -> None:
    """Lets the operators and schemas of a workflow speak of their tables as lying in `folder`."""
    for node in _nodes(workflow):
        if hasattr(node.op, "set_storage_path"):
            node.op.set_storage_path(folder, copy=False)
        if hasattr(node.op, "cardinality_memory_limit"):
            node.op.cardinality_memory_limit = None  # an eighth of the memory, which the next fit looks up again
        for schema in (node.input_schema, node.output_schema):
            for column in schema or ():
                if column.properties.get("cat_path"):
                    # Merlin's pattern wherever it was fitted: <folder>/categories/<file>
                    column.properties["cat_path"] = "/".join([folder, *Path(column.properties["cat_path"]).parts[-2:]])


def _nodes(workflow: Any) -> Iterator[Any]:
    from merlin.dag import iter_nodes

    yield from iter_nodes([workflow.output_node])
