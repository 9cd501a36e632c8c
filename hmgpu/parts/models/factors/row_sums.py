"""Adding to rows of a table that are named more than once, always in the same order."""

import torch


def add_rows(table: torch.Tensor, rows: torch.Tensor, steps: torch.Tensor) -> None:
    """Add each of `steps` (n, width) to its row of `table`, in place.

    A GPU's own `index_add_` adds in whatever order its threads come, which shows in the last bits. Here the steps of a
    row are summed in their order, by one thread on any device.

    Args:
        table: (rows, width).
        rows: (n,) int64, places of rows, each as often as it likes.
        steps: (n, width).
    """
    ordered, order = rows.sort(stable=True)
    named, counts = torch.unique_consecutive(ordered, return_counts=True)
    table[named] += torch.segment_reduce(steps[order], "sum", lengths=counts, unsafe=True)  # no checks
