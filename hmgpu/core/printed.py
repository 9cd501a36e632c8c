"""Results that print as tables, in a terminal and in a notebook."""

import io
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

WIDTH = 140  # characters, which fit into a notebook and into a terminal of today


class Printed:
    """A result that prints as tables."""

    def tables(self) -> Sequence[Table]:
        """Return the tables to print, from top to bottom."""
        raise NotImplementedError

    def __repr__(self) -> str:
        text = io.StringIO()
        Console(file=text, width=WIDTH, markup=False, no_color=True).print(*self.tables(), sep="\n")
        return "\n".join(line.rstrip() for line in text.getvalue().splitlines())
