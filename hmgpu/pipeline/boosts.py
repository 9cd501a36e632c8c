"""Read business rules: a table that raises or lowers the scores of articles, one by one or by a column's value."""

from pathlib import Path

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError, reason
from hmgpu.core.parquet import read_table
from hmgpu.data.store import Store
from hmgpu.data.tables import names

ARTICLE, COLUMN, VALUE, FACTOR, OFFSET = "article_id", "column", "value", "factor", "offset"
SCHEMA = {"article": pl.Int32, FACTOR: pl.Float64, OFFSET: pl.Float64}
SETTING = "lists.diversify.boosts"


def read_boosts(file: Path, store: Store, engine: Engine) -> pl.DataFrame:
    """Return (article, factor float64, offset float64), sorted by article: each article that a row of `file` is about.

    Of several rows about one article, factors are multiplied and offsets added, in the file's order.

    Raises DataError where the file can't be read, and for the first row that names no article or column that there is,
    or no usable number.
    """
    rows = _read(file)
    articles = engine.collect(store.articles().select("article", ARTICLE, *names("articles", ["code", "text"])))
    values = engine.collect(store.codes())
    found: dict[int, tuple[float, float]] = {}
    for number, row in enumerate(rows.iter_rows(named=True), 2 if file.suffix == ".csv" else 1):
        at = f"{SETTING}: row {number} of {file}"
        factor, offset = _number(row, FACTOR, 1.0, at), _number(row, OFFSET, 0.0, at)
        if factor < 0:
            raise DataError(f"{at} has the factor {factor:g}: a factor is 0 or more; an offset may be negative.")
        for article in _named(row, articles, values, at):
            factors, offsets = found.get(article, (1.0, 0.0))
            found[article] = (factors * factor, offsets + offset)
    table = [(article, factor, offset) for article, (factor, offset) in sorted(found.items())]
    return pl.DataFrame(table, schema=SCHEMA, orient="row")


def _read(file: Path) -> pl.DataFrame:
    try:
        table = read_table(file) if file.suffix == ".parquet" else pl.read_csv(file, infer_schema=False, glob=False)
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{SETTING}: {file} can't be read ({reason(error)}); give a CSV or Parquet file.") from None
    about, numbers = {ARTICLE, COLUMN, VALUE}, {FACTOR, OFFSET}
    unknown = [name for name in table.columns if name not in about | numbers]
    if unknown:
        raise DataError(f"{SETTING}: {file} has the unknown column {unknown[0]}; it may have {_listed()}.")
    whole = ARTICLE in table.columns or {COLUMN, VALUE} <= set(table.columns)
    if not whole or not numbers & set(table.columns):
        raise DataError(f"{SETTING}: {file} needs {ARTICLE}, or {COLUMN} and {VALUE}, and {FACTOR} or {OFFSET}.")
    return table.with_columns(pl.all().cast(pl.String))


def _listed() -> str:
    return ", ".join((ARTICLE, COLUMN, VALUE, FACTOR, OFFSET))


def _number(row: dict[str, str | None], name: str, without: float, at: str) -> float:
    text = row.get(name)
    if text is None or not text.strip():
        return without
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not abs(number) < float("inf"):
        raise DataError(f"{at} has the {name} '{text}', which is not a finite number.")
    return number


def _named(row: dict[str, str | None], articles: pl.DataFrame, values: pl.DataFrame, at: str) -> list[int]:
    """Return the articles that a row is about."""
    article, column, value = row.get(ARTICLE), row.get(COLUMN), row.get(VALUE)
    if article and (column or value):
        raise DataError(f"{at} names an article and a column: make two rows of it.")
    if article:
        found = articles.filter(pl.col(ARTICLE) == article)["article"].to_list()
        if not found:
            raise DataError(f"{at} names the unknown article {article}: remove the row, or correct its id.")
        return found
    if not column or value is None:
        raise DataError(f"{at} names neither an article nor a column and its value.")
    known = [name for name in articles.columns if name not in ("article", ARTICLE)]
    if column not in known:
        raise DataError(f"{at} names the unknown column {column}; articles have {', '.join(known)}.")
    wanted: pl.Expr = pl.col(column) == value
    if articles.schema[column] != pl.String:
        codes = values.filter((pl.col("column") == column) & (pl.col("value") == value))["code"]
        wanted = pl.col(column).is_in(codes.to_list())
    found = articles.filter(wanted)["article"].to_list()
    if not found:
        raise DataError(f"{at}: no article has the {column} '{value}'.")
    return found
