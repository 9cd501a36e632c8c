"""From all candidates of a customer to their list: who proposed each, at which rank, and what the ranker made of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import polars as pl

from hmgpu.app.lookups.opened import OpenRun
from hmgpu.core.parquet import scan_table
from hmgpu.core.words import first_few
from hmgpu.parts.candidates import KEYS, RANK
from hmgpu.pipeline.describe import complete
from hmgpu.pipeline.explain import Stages, facts_of
from hmgpu.pipeline.reasons import FILLED_UP, ranks_of

When = Literal["held-out week", "next week"]
FEW = 3  # retrievers named in a sentence


@dataclass(frozen=True)
class Candidate:
    """An article that was proposed, or that a list was filled up with."""

    article: int
    ranks: Mapping[str, int]
    """Its rank with each retriever that proposed it, the best one first."""
    place: int | None
    """Its place by the ranker's score; None where the ranker never saw all of it."""
    reason: str = ""
    """A sentence for its customer, where one is known."""
    contributions: Stages = field(default_factory=dict)
    """What each part adds to its score; see `pipeline.explain.Reason`. Empty where that is not known."""

    @property
    def sentence(self) -> str:
        """Why it was proposed: the reason, else by whom."""
        if self.reason:
            return self.reason
        if not self.ranks:
            return FILLED_UP
        return first_few([f"{name} {rank}" for name, rank in self.ranks.items()][:FEW], len(self.ranks))


@dataclass(frozen=True)
class Funnel:
    """All candidates of one customer, the ranker's best first."""

    retrievers: Sequence[str]
    candidates: Mapping[int, Candidate]
    """By article."""

    def of(self, article: int) -> Candidate:
        """Return the candidate; one that nobody proposed has neither ranks nor a place."""
        return self.candidates.get(article, Candidate(article, {}, None))

    @property
    def counts(self) -> dict[str, int]:
        """How many articles each retriever proposed."""
        return {name: sum(name in each.ranks for each in self.candidates.values()) for name in self.retrievers}


def funnel(opened: OpenRun, customer: int, when: When, listed: Iterable[int]) -> Funnel:
    """Return the candidates of the customer with this key; those of the next week's list, `listed`, with reasons.

    Those of the held-out week are as the run wrote them; those of the next week are computed again from what the run
    learned. Raises RunError where the data set is not the one that the run learned from, or a package is missing.
    """
    if when == "next week":
        return _computed(opened, customer, listed)
    return _funnel(opened, _written(opened, customer))


def _funnel(opened: OpenRun, rows: pl.DataFrame) -> Funnel:
    retrievers = [name for name in opened.run.config["retrievers"] if f"{name}{RANK}" in rows.columns]
    found = {}
    for row in rows.sort("place", "article", nulls_last=True).iter_rows(named=True):
        found[row["article"]] = Candidate(row["article"], dict(ranks_of(retrievers, row)), row["place"])
    return Funnel(retrievers, found)


def _written(opened: OpenRun, customer: int) -> pl.DataFrame:
    week = opened.held_out
    if week is None or not week.examples:
        return pl.DataFrame(schema={"article": pl.Int32, "place": pl.UInt32})
    mine = scan_table(list(week.examples)).filter(pl.col("customer") == customer)
    rows = opened.engine.collect(mine).sort(KEYS)
    return _placed(rows, rows.select(KEYS).with_columns(pl.Series("score", opened.model.score(rows))))


def _computed(opened: OpenRun, customer: int, listed: Iterable[int]) -> Funnel:
    learned = opened.learned
    asked = pl.DataFrame({"customer": [customer]}, schema={"customer": pl.Int32})
    proposed = learned.propose_for(asked)
    described = complete(learned.context, proposed, learned.model.promising(proposed.pairs))
    scores = described.select(KEYS).with_columns(score=learned.model.score_promising(described))
    found = _funnel(opened, _placed(proposed.pairs, scores))
    pairs = asked.join(pl.DataFrame({"article": sorted(listed)}, schema={"article": pl.Int32}), how="cross")
    facts = facts_of(learned.context, learned.model, proposed, pairs)
    reasons = {
        article: replace(found.of(article), reason=sentence, contributions=stages)
        for (_, article), (sentence, _, stages) in facts.items()
    }
    return replace(found, candidates={**found.candidates, **reasons})


def _placed(rows: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
    """Add `place`, by the score; ties break on the article, and a null score has no place."""
    ordered = scores.drop_nulls("score").sort("score", "article", descending=[True, False])
    places = ordered.select("article").with_row_index("place", 1)
    return rows.join(places, on="article", how="left")
