"""Results that show themselves as tables when they are printed, in a terminal as in a notebook."""

import io
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

WIDTH = 140  # characters; a notebook and a terminal of today hold as many


class Printed:
    """A result whose text is its tables."""

    def tables(self) -> Sequence[Table]:
        """What is shown, from top to bottom."""
        raise NotImplementedError

    def __repr__(self) -> str:
        text = io.StringIO()
        Console(file=text, width=WIDTH, markup=False, no_color=True).print(*self.tables(), sep="\n")
        return "\n".join(line.rstrip() for line in text.getvalue().splitlines())
