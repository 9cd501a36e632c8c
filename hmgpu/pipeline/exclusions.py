"""Exclude from lists the articles named in a file, and what a customer bought lately."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError, reason
from hmgpu.core.files import digest_of
from hmgpu.core.list_length import K
from hmgpu.core.parquet import read_table
from hmgpu.data.settings import Folder
from hmgpu.data.store import History, Store
from hmgpu.parts.part import Count
from hmgpu.pipeline.diversify import Diversify

ARTICLE_ID = "article_id"


class ListSettings(BaseModel):
    """The lists that customers get: their length, and what they must not hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    k: Annotated[int, Field(ge=1, le=1_000)] = K
    """Articles in a list. Figures are computed at the same k, as MAP@k; the competition's is MAP@12."""
    exclude: Folder | None = None
    """File of articles that are never recommended: one article id per line, or CSV or Parquet with a column
    `article_id`; null excludes none. Ids that are not in the data are ignored."""
    not_bought_days: Count | None = None
    """Articles that a customer bought in this many days before the week are not recommended to them; null allows
    all."""
    diversify: Diversify | None = None
    """Ranks each customer's best candidates again, for variety and by business rules; null keeps the ranker's order."""


@dataclass(frozen=True)
class Exclusions:
    """Articles that candidates and lists must not hold, for everybody and for each customer."""

    articles: pl.DataFrame | None
    """(article int32), sorted; None excludes none."""
    days: int | None
    """Days before the week in which a customer's own purchases are excluded; None excludes none."""

    @classmethod
    def of(cls, settings: ListSettings, store: Store, engine: Engine) -> "Exclusions":
        """Return the exclusions that `settings` ask for. Raises DataError where the file can't be read."""
        if settings.exclude is None:
            return cls(None, settings.not_bought_days)
        ids = pl.DataFrame({ARTICLE_ID: _read(settings.exclude)}, schema={ARTICLE_ID: pl.String}).lazy()
        known = store.article_ids().join(ids.unique(), on=ARTICLE_ID, how="semi").select("article").sort("article")
        return cls(engine.collect(known), settings.not_bought_days)

    def settings(self) -> dict[str, Any]:
        """Return what decides the exclusions, for JSON; empty where nothing is excluded."""
        articles = {} if self.articles is None else {"exclude": digest_of(self.articles["article"].to_list())}
        return articles | ({} if self.days is None else {"not_bought_days": self.days})

    def pairs(self, history: History) -> pl.LazyFrame | None:
        """Return (customer, article) that the customers of `history` bought too lately; None where all are allowed."""
        return None if self.days is None else history.last(self.days).select("customer", "article").unique()

    def most(self, history: History, engine: Engine) -> int:
        """Return the largest number of articles that are excluded for a single customer."""
        pairs = self.pairs(history)
        if pairs is None:
            return 0
        counted = pairs.group_by("customer").agg(articles=pl.len().cast(pl.Int64))
        return int(engine.collect(counted.select(pl.col("articles").max().fill_null(0))).item())

    def allowed(self, candidates: pl.LazyFrame, audience: History) -> pl.LazyFrame:
        """Return the `candidates` (customer, article, …) that may be recommended to the customers of `audience`."""
        if self.articles is not None:
            candidates = candidates.join(self.articles.lazy(), on="article", how="anti")
        pairs = self.pairs(audience)
        return candidates if pairs is None else candidates.join(pairs, on=["customer", "article"], how="anti")


def _read(file: Path) -> list[str]:
    """Return the ids in `file`, in its order. Raises DataError where it can't be read."""
    try:
        if file.suffix in (".csv", ".parquet"):
            table = pl.read_csv(file, infer_schema=False, glob=False) if file.suffix == ".csv" else read_table(file)
            if ARTICLE_ID not in table.columns:
                raise DataError(f"{file} has no column {ARTICLE_ID}: lists.exclude needs one, or one id per line.")
            return table[ARTICLE_ID].drop_nulls().cast(pl.String).to_list()
        lines = file.read_text(encoding="utf-8").splitlines()
        return [line.strip() for line in lines if line.strip()]
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        raise DataError(f"lists.exclude: {file} can't be read ({reason(error)}); give a file of article ids.") from None
