"""Rerank each customer's best candidates, after any ranker: by business rules, with limits, and for variety."""

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, Field, field_validator

from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError
from hmgpu.core.files import digest_of
from hmgpu.core.marginal_relevance import Likeness, choose, cosines, same_codes
from hmgpu.core.plans import ranked, top_n
from hmgpu.core.vector_steps import STEPS
from hmgpu.data.settings import Folder
from hmgpu.data.store import History, Store
from hmgpu.data.tables import names
from hmgpu.evaluation.variety import FIELDS
from hmgpu.parts.part import Count
from hmgpu.pipeline.boosts import FACTOR, OFFSET, read_boosts

LIKE = "lists.diversify"
RELEVANCE = "relevance"
COLUMNS = names("articles", ["code"])


class Diversify(BaseModel):
    """How each customer's best candidates are ranked again for the lists."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    relevance: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.8
    """How much the ranker's score counts, from 0 to 1, the lambda of maximal marginal relevance; the rest is how unlike
    an article is to those above it in the list. 1 leaves the ranker's order, but for `most` and `boosts`."""
    by: Literal["fields", "pictures", "text"] = "fields"
    """How alike two articles are: by the share of catalogue fields (product, product type, department, colour,
    appearance, garment group) that are the same, or by the cosine of the vectors of their pictures or texts."""
    among: Count = 100
    """Candidates that a list is chosen from, those of the highest scores; their scores are put between 0 and 1."""
    most: dict[str, Count] = {}
    """Most articles of one value of a column that a list may hold, such as `{product: 1, product_type: 4}`; best
    sellers that fill up a list don't count."""
    boosts: Folder | None = None
    """CSV or Parquet file of rules: `article_id`, or `column` and `value` of the articles, and a `factor` or an
    `offset` that scores between 0 and 1 get; null has none."""

    @field_validator("most")
    @classmethod
    def _of_catalogue(cls, most: dict[str, int]) -> dict[str, int]:
        for name in most:
            if name not in COLUMNS:
                raise ValueError(f"'{name}' is not a column of codes of the articles; these are {', '.join(COLUMNS)}")
        return most


@dataclass(frozen=True)
class Reranking:
    """What ranks the best candidates again, with all that it needs but the history of the week."""

    settings: Diversify
    boosts: pl.DataFrame | None = None
    """What `read_boosts` returned; None has no rules."""
    vectors: str | None = None
    """Hash of the vectors that it goes by."""

    @classmethod
    def of(cls, settings: Diversify | None, store: Store, engine: Engine) -> "Reranking | None":
        """Return what `settings` ask for, None for None.

        Raises DataError where the data has not the columns or vectors, or the rules can't be used.
        """
        if settings is None:
            return None
        for name in settings.most:
            if name not in store.present:
                raise DataError(f"{LIKE}.most names {name}, but the articles in {store.root} have no such column.")
        vectors = None
        if settings.relevance < 1 and settings.by == "fields" and not store.present.intersection(FIELDS):
            raise DataError(
                f"{LIKE}: the articles in {store.root} have none of {', '.join(FIELDS)}; set {LIKE}.relevance to 1."
            )
        if settings.relevance < 1 and settings.by != "fields":
            if settings.by not in store.manifest.vectors:
                raise DataError(f"{LIKE}.by is {settings.by}, but {store.root} has no such vectors; `hmgpu vectors`.")
            vectors = store.manifest.files[store.manifest.vectors[settings.by].file].sha256
        return cls(settings, read_boosts(settings.boosts, store, engine) if settings.boosts else None, vectors)

    def decisive(self) -> dict[str, Any]:
        """Return what decides its lists, for JSON: of the file of rules its content, not its name."""
        rules = {} if self.boosts is None else {"boosts": digest_of([list(row) for row in self.boosts.iter_rows()])}
        vectors = {"vectors": self.vectors} if self.vectors else {}
        return {"diversify": self.settings.model_dump(mode="json", exclude={"boosts"}) | rules | vectors}

    def at(self, relevance: float) -> "Reranking":
        """Return the same with another weight of relevance."""
        return replace(self, settings=self.settings.model_copy(update={RELEVANCE: relevance}))

    def apply(self, scored: pl.LazyFrame, history: History, k: int, engine: Engine) -> pl.DataFrame:
        """Return (customer, article, score), the rows that lists are made of: where likeness counts, `k` a customer.

        Args:
            scored: (customer, article, score), all candidates of some customers; a null score proposes nothing.
            history: what was known before the week of the lists.
        """
        settings = self.settings
        fields = [name for name in FIELDS if history.has(name)] if settings.relevance < 1 else []
        catalogue = engine.collect(history.articles.select("article", *dict.fromkeys([*fields, *settings.most])))
        weighed = engine.collect(self.weighed(scored, catalogue.lazy()))
        if settings.relevance == 1 or weighed.is_empty():
            return weighed.rename({RELEVANCE: "score"})
        weighed = weighed.sort("customer", "article")
        likeness, width = self._likeness(weighed, history, catalogue.select("article", *fields), engine)
        sizes = weighed["customer"].rle().struct.field("len").to_numpy().astype(np.int64)
        places = choose(sizes, weighed[RELEVANCE].to_numpy(), likeness, width, settings.relevance, k)
        listed = weighed.select("customer", "article", score=-pl.Series(places, dtype=pl.Int64).cast(pl.Float64))
        return listed.filter(pl.col("score") < 0)

    def weighed(self, scored: pl.LazyFrame, catalogue: pl.LazyFrame) -> pl.LazyFrame:
        """Return (customer, article, relevance float64): the best candidates that `most` allows, boosted.

        Relevance is 0 for the last and 1 for the first of them, before boosts.
        """
        best = top_n(scored.drop_nulls("score").select("customer", "article", "score"), self.settings.among, "customer")
        score = pl.col("score").cast(pl.Float64)
        ends = best.group_by("customer").agg(low=score.min(), high=score.max())
        width = pl.col("high") - pl.col("low")
        share = pl.when(width > 0).then((score - pl.col("low")) / width).otherwise(1.0)
        found = best.join(ends, on="customer").select("customer", "article", relevance=share)
        if self.boosts is not None:
            boosted = found.join(self.boosts.lazy(), on="article", how="left")
            raised = pl.col(RELEVANCE) * pl.col(FACTOR).fill_null(1.0) + pl.col(OFFSET).fill_null(0.0)
            found = boosted.select("customer", "article", relevance=raised)
        for name, most in self.settings.most.items():
            placed = found.join(catalogue.select("article", value=name), on="article", how="left")
            within = ranked(placed, ["customer", "value"], score=RELEVANCE)
            allowed = within.filter(pl.col("value").is_null() | (pl.col("rank") <= most))
            found = allowed.select("customer", "article", RELEVANCE)
        return found

    def _likeness(
        self, rows: pl.DataFrame, history: History, catalogue: pl.DataFrame, engine: Engine
    ) -> tuple[Likeness, int]:
        """Return how alike two of `rows` are, and by how many numbers each is described."""
        if self.settings.by == "fields":
            described = rows.select("article").join(catalogue, on="article", how="left", maintain_order="left")
            codes = described.drop("article").cast(pl.Int32).fill_null(-1).to_numpy()
            return same_codes(np.ascontiguousarray(codes)), codes.shape[1]
        articles = rows.lazy().select("article").unique()
        known = engine.collect(history.vectors_of(self.settings.by).join(articles, on="article", how="semi"))
        numbers = known.drop("article").to_numpy()
        numbers = np.vstack([np.ascontiguousarray(numbers), np.zeros((1, numbers.shape[1]), np.int16)])
        numbered = known.select("article").with_row_index("place")
        places = rows.join(numbered, on="article", how="left", maintain_order="left")
        place = places["place"].fill_null(len(numbers) - 1).to_numpy().astype(np.int64)
        by_article = cosines(numbers, STEPS)
        return (lambda those, taken: by_article(place[those], place[taken])), numbers.shape[1]
