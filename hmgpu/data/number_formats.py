"""Read numbers with a decimal comma or separated thousands."""

import re
from dataclasses import dataclass

import polars as pl

_ALIKE = {" ": "[ \u00a0\u202f]", "'": "['\u2019]"}  # blanks and apostrophes that stand between thousands


@dataclass(frozen=True)
class NumberFormat:
    """The sign before the decimals, and the one between thousands, if any."""

    decimal: str = "."
    thousands: str | None = None

    def plain(self, text: pl.Expr) -> pl.Expr:
        """Return numbers written in this format (String) with a decimal point alone.

        Text in another format becomes text that is not a number, so that 1.234,50 is never taken for 1.234.
        """
        if self == NumberFormat():
            return text
        plain = text if self.thousands is None else text.str.replace_all(self._between(), "")
        plain = plain.str.replace(self.decimal, ".", literal=True)
        return pl.when(text.str.contains(self.pattern())).then(plain).otherwise("not " + self.decimal + text)

    def is_needed(self, text: pl.Expr) -> pl.Expr:
        """Whether any number in `text` has separated thousands, if this format has such."""
        return pl.lit(True) if self.thousands is None else text.str.contains(self._between()).any()

    def pattern(self) -> str:
        """A regular expression of a number in this format."""
        whole = "[0-9]+" if self.thousands is None else f"(?:[0-9]{{1,3}}(?:{self._between()}[0-9]{{3}})+|[0-9]+)"
        return f"^[+-]?(?:{whole})?(?:{re.escape(self.decimal)}[0-9]*)?(?:[eE][+-]?[0-9]+)?$"

    def _between(self) -> str:
        thousands = self.thousands or ""
        return _ALIKE.get(thousands, re.escape(thousands))
