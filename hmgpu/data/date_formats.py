"""Read and write days in a format of strftime codes, with times and offsets from UTC or without."""

import datetime
import re
from dataclasses import dataclass

import polars as pl

_CODE = re.compile(r"%(?P<pad>[-_0]?)(?P<code>:{0,3}z|#z|\.?[369]?f|.)", re.DOTALL)
_COMPOSITE = {"F": "%Y-%m-%d", "T": "%H:%M:%S", "R": "%H:%M", "D": "%m/%d/%y"}
_DIGITS = {"Y": 4, "G": 4, "j": 3, "u": 1, "w": 1, **dict.fromkeys("dmyHIMSUWVgC", 2)}
_OTHER = {
    **dict.fromkeys("bhBaA", r"[^0-9\s]+"),
    **dict.fromkeys("ekl", r"[ 0-9][0-9]"),
    **dict.fromkeys("nt", r"\s"),
    **dict.fromkeys(("z", ":z", "::z", ":::z", "#z"), r"(?P<offset>Z|[+-][0-9]{2}(?::?[0-9]{2})?)"),
    **dict.fromkeys("pP", "[AaPp][Mm]"),
    "f": r"[0-9]{1,9}",
    ".f": r"(?:\.[0-9]+)?",
    "s": r"-?[0-9]+",
    "%": "%",
}


@dataclass(frozen=True)
class DateFormat:
    """A format of strftime codes, such as `%Y-%m-%d` or `%d/%m/%Y %H:%M`, and the time zone that days are counted in.

    Where the format has an offset (`%z`), a day is that of the text's own clock, or with a `zone` that of the zone's
    clock at that moment. Codes are strict: `%d` has two digits, `%-d` one or two.
    """

    codes: str
    zone: str | None = None

    def is_complete(self) -> bool:
        """Whether days that are written in this format can be read again."""
        days = pl.Series("day", [datetime.date(2020, 9, 22), datetime.date(2021, 1, 7)])
        try:
            text = self.write(days)
            return text.to_frame().select(self.read(pl.col("day"))).to_series().equals(days.to_physical())
        except (pl.exceptions.PolarsError, re.error):
            return False

    def looks_like(self, text: str) -> bool:
        """Whether digits, letters and signs stand in `text` as in this format, whatever the numbers."""
        return re.match(self._pattern(), text) is not None

    def read(self, text: pl.Expr) -> pl.Expr:
        """Return the days since 1970-01-01 (Int32) of `text` (String); null where it is not written in this format."""
        whole, rest = self._pattern(), self._without_offset()
        text = pl.when(text.str.contains(whole)).then(text)
        if rest is None:
            return text.str.to_date(self._polars(), strict=False).to_physical()
        local = text.str.replace(whole, "${before}${after}")
        if self.zone is None:
            return local.str.to_date(rest, strict=False).to_physical()
        offset = text.str.extract(whole, 2).str.replace("Z", "+00", literal=True)
        minutes = offset.str.slice(1, 2).cast(pl.Int64, strict=False) * 60
        minutes += offset.str.slice(3).str.strip_prefix(":").cast(pl.Int64, strict=False).fill_null(0)
        minutes = pl.when(offset.str.starts_with("-")).then(-minutes).otherwise(minutes)
        moment = local.str.to_datetime(rest, time_unit="us", strict=False) - pl.duration(minutes=minutes)
        return moment.dt.replace_time_zone("UTC").dt.convert_time_zone(self.zone).dt.date().to_physical()

    def write(self, days: pl.Series) -> pl.Series:
        """Write `days` (Date) as text that `read` gives back."""
        noon = days.cast(pl.Datetime("us")).dt.offset_by("12h")  # noon exists in every zone, also when clocks change
        if self._without_offset() is not None:
            noon = noon.dt.replace_time_zone(self.zone or "UTC")
        return noon.dt.strftime(self._polars())

    def _polars(self) -> str:
        """The codes as Polars knows them: its fraction of a second has the point in the code."""
        return self.codes.replace(".%f", "%.f")

    def _without_offset(self) -> str | None:
        """The codes without that of the offset; None if there is none."""
        rest = re.sub(r"(?<!%)((?:%%)*)%(?::{0,3}|#)z", r"\1", self._polars())
        return rest if rest != self._polars() else None

    def _pattern(self) -> str:
        """A regular expression of what is written in this format; with an offset, its groups are named around it."""
        codes = self._polars()
        for code, meaning in _COMPOSITE.items():
            codes = re.sub(rf"(?<!%)((?:%%)*)%{code}", rf"\1{meaning}", codes)
        pattern, end = "", 0
        for found in _CODE.finditer(codes):
            pattern += re.escape(codes[end : found.start()]) + _of(found["code"], found["pad"])
            end = found.end()
        pattern += re.escape(codes[end:])
        before, offset, after = pattern.partition(_OTHER["z"])
        return f"^(?P<before>{before}){offset}(?P<after>{after})$" if offset else f"^{pattern}$"


def _of(code: str, pad: str) -> str:
    """The regular expression of one code."""
    if code in _DIGITS:
        most = _DIGITS[code]
        return {"-": rf"[0-9]{{1,{most}}}", "_": rf"[ 0-9]{{{most - 1}}}[0-9]"}.get(pad, rf"[0-9]{{{most}}}")
    if code[-1] == "f" and code[-2:-1].isdigit():
        return (r"\." if code.startswith(".") else "") + rf"[0-9]{{{code[-2]}}}"
    return _OTHER.get(code, ".+")
