"""Bytes copied between the host's memory and the device's, as the engine hands them over.

Counted since the process started: tables in memory that plans read, what plans return, and frames. Not counted: files,
which cuDF reads by itself, and what torch and CuPy copy.
"""

from collections import Counter
from typing import Any

from polars._utils.wrap import wrap_df  # the plan's tables are not wrapped yet

TO_DEVICE, TO_HOST = "to_device_bytes", "to_host_bytes"
COPIED = Counter({TO_DEVICE: 0, TO_HOST: 0})


def bytes_read(tree: Any) -> int:
    """Return the bytes of the columns that a plan reads from tables in memory; cuDF copies them for each scan.

    Args:
        tree: the optimised plan, as `LazyFrame.collect` hands it to a `post_opt_callback`. Afterwards it points at its
            root, as before.
    """
    root, total = tree.get_node(), 0
    ahead, seen = [root], set[int]()
    while ahead:
        node = ahead.pop()
        if node in seen:  # common parts of a plan are run once
            continue
        seen.add(node)
        tree.set_node(node)
        ahead += tree.get_inputs()
        total += _bytes_of(tree)
    tree.set_node(root)
    return total


def _bytes_of(tree: Any) -> int:
    """Return the bytes of the table in memory that the current node of `tree` reads; 0 for all other nodes."""
    try:
        node = tree.view_current_node()
    except NotImplementedError:  # a node that cuDF can't run either
        return 0
    if type(node).__name__ != "DataFrameScan":
        return 0
    table = wrap_df(node.df)
    return int((table if node.projection is None else table.select(node.projection)).estimated_size())
