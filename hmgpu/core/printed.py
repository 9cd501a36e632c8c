"""Results that print as tables, in a terminal and in a notebook."""

import io
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

WIDTH = 140  # characters, which fit into a notebook and into a terminal of today


def figures_table(title: str, names: Sequence[str], numbers: Sequence[str], caption: str = "") -> Table:
    """Return an empty table whose columns `names` fold in a narrow terminal, and whose `numbers` are never cut."""
    table = Table(
        title=f"\n{title}",  # a line between tables
        caption=caption or None,
        box=SIMPLE_HEAD,
        title_justify="left",
        title_style="bold",
        caption_justify="left",
    )
    for name in names:
        table.add_column(name, overflow="fold")
    for number in numbers:
        table.add_column(number, justify="right", no_wrap=True)
    return table


class Printed:
    """A result that prints as tables."""

    def tables(self) -> Sequence[Table]:
        """Return the tables to print, from top to bottom."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return as_text(self.tables(), WIDTH)


def as_text(tables: Sequence[Table], width: int) -> str:
    """Return `tables` as they are printed where `width` characters fit, without spaces at the ends of lines."""
    text = io.StringIO()
    Console(file=text, width=width, markup=False, no_color=True, highlight=False).print(*tables, sep="\n")
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())
