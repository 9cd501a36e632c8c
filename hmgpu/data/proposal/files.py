"""Tell which file of a folder holds which table, and which of its columns is what."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from hmgpu.core.errors import DataError
from hmgpu.data.ingest import guess
from hmgpu.data.ingest.rawfiles import RawFile, is_folder_of_parquet, open_raw
from hmgpu.data.proposal.roles import KEYS, recognise
from hmgpu.data.tables import TableName

NEEDED = ("day", "customer", "article")
MOST_ODD = 0.1  # share of rows that may describe their article otherwise
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif")


@dataclass(frozen=True)
class Found:
    """A file that was taken for a table."""

    raw: RawFile
    look: guess.Look
    columns: Mapping[str, str]
    """The file's name of each of the contract's columns that was recognised."""

    def values(self, role: str) -> list[str]:
        """Return the first values of a column, without missing ones."""
        return [value for value in self.look.columns[self.columns[role]] if value]


def find_tables(folder: Path) -> tuple[dict[TableName, Found], list[str]]:
    """Return the files that hold transactions, articles and customers, and a sentence about each that was left aside.

    Raises DataError where no file holds a day, a customer and an article in each row.
    """
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}: name the one with the raw files.")
    files, aside = _readable(folder)
    looks = [(raw, guess.look(raw)) for raw in files]
    found = {"transactions": _transactions(folder, looks, aside)}
    ids = [found["transactions"].columns[key] for key in KEYS]
    rest = [(raw, look) for raw, look in looks if raw.path != found["transactions"].raw.path]
    tables: tuple[tuple[TableName, str], ...] = (("articles", "article"), ("customers", "customer"))
    for table, key in tables:
        likely = [each for each in (_of(table, *pair, ids) for pair in rest) if _describes(each, key)]
        # The more attributes are recognised, the likelier it is the table.
        if best := max(likely, key=lambda each: (len(each.columns), each.raw.path.name), default=None):
            found[table] = best
            rest = [pair for pair in rest if pair[0].path != best.raw.path]
    return found, [*aside, *(f"{raw.path.name}: none of the three tables" for raw, _ in rest)]  # type: ignore[return-value]


def _readable(folder: Path) -> tuple[list[RawFile], list[str]]:
    files, aside = list[RawFile](), list[str]()
    for path in sorted(folder.iterdir()):
        skipped = path.name.startswith((".", "_")) or path.suffix.lower() in PICTURES
        if skipped or (path.is_dir() and not is_folder_of_parquet(path)):
            continue
        try:
            files.append(open_raw("transactions", path))
        except DataError as error:
            aside.append(str(error))
    return files, aside


def _transactions(folder: Path, looks: Sequence[tuple[RawFile, guess.Look]], aside: Sequence[str]) -> Found:
    every = [_of("transactions", raw, look) for raw, look in looks]
    whole = [each for each in every if all(role in each.columns for role in NEEDED)]
    if not whole:
        seen = "; ".join(f"{raw.path.name} has {', '.join(look.columns)}" for raw, look in looks) or "there is none"
        more = f" {' '.join(aside)}" if aside else ""
        raise DataError(
            f"No file in {folder} was recognised as the purchases, with a day, a customer and an article in each row "
            f"({seen}): name its columns in `data.columns.transactions` of a config.{more}"
        )
    return max(whole, key=lambda each: (len(each.columns), each.raw.size))


def _of(table: TableName, raw: RawFile, look: guess.Look, ids: Iterable[str] = ()) -> Found:
    return Found(raw, look, recognise(table, look.columns, ids))


def _describes(found: Found, key: str) -> bool:
    """Whether the file has a row for each value of the table's `key`, and something to say about it."""
    if key not in found.columns or len(found.columns) == 1:
        return False
    values = found.values(key)
    return len(set(values)) == len(values)


def attributes_in(bought: Found) -> Found | None:
    """Return the attributes of articles that stand in the purchases themselves; None where there are none.

    They are columns that the purchases don't need, with the same value nearly wherever an article is bought.
    """
    left = {name: values for name, values in bought.look.columns.items() if name not in bought.columns.values()}
    names = recognise("articles", left)
    names.pop("article", None)
    article = pl.Series(bought.look.columns[bought.columns["article"]])
    columns = {role: name for role, name in names.items() if _says_of(article, left[name])}
    return Found(bought.raw, bought.look, columns) if columns else None


def _says_of(article: pl.Series, values: Sequence[str | None]) -> bool:
    """Whether `values` are those of the articles next to them, but for a few."""
    pairs = pl.DataFrame({"article": article, "value": values}, schema_overrides={"value": pl.String}).drop_nulls()
    usual = pairs.group_by("article", "value").len().group_by("article").agg(pl.col("len").max())["len"].sum()
    return pairs["article"].n_unique() < pairs.height and usual >= pairs.height * (1 - MOST_ODD)
