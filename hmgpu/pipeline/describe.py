"""Candidates with the columns of every feature family: what a ranker sees, and the checks that it may."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.data.segments import segments
from hmgpu.data.weeks import Week
from hmgpu.parts.candidates import RANK, SCORE, TOGETHER, merge
from hmgpu.parts.examples import KEYS
from hmgpu.parts.feature import Feature
from hmgpu.parts.models.filter import innermost
from hmgpu.parts.part import Learned, Learner
from hmgpu.parts.retriever import Retriever
from hmgpu.pipeline.learn import TABLE, Learning
from hmgpu.pipeline.quotas import chosen, counted
from hmgpu.runs.run import Step


@dataclass(frozen=True)
class Proposed:
    """All candidates of some customers, before it is chosen which of them are worth the rest of the work."""

    pairs: pl.DataFrame
    """(customer, article, every strategy's score and rank, the columns of families that compare or are to be there
    early), sorted by both."""
    learned: Mapping[str, Learned]
    """What every part knows of these customers and of everybody."""


@dataclass(frozen=True)
class Chosen:
    """Which candidates are kept."""

    keep: int
    """Of each customer."""
    step: Step
    """It left what `quotas.rates` returned."""

    @property
    def rates(self) -> pl.LazyFrame:
        return pl.scan_parquet(self.step.folder / TABLE, glob=False)


@dataclass(frozen=True)
class Describer:
    """All parts of a line at work: from customers to described candidates, in the same two calls for every week."""

    retrievers: Mapping[str, Retriever]
    features: Mapping[str, Feature]
    learning: Learning
    engine: Engine
    early: frozenset[str] = frozenset()
    """Names of features that are made for all candidates, beside those that compare them."""

    @property
    def parts(self) -> dict[str, Learner]:
        """All parts by the names of their steps."""
        parts: dict[str, Learner] = {f"retriever-{name}": part for name, part in self.retrievers.items()}
        return parts | {f"feature-{name}": part for name, part in self.features.items()}

    @property
    def settings(self) -> str:
        """All that is set of the parts, in their order, as JSON: not all of it changes what a part learns, such as how
        many it proposes, or which columns it makes."""
        return json.dumps([[name, part.settings()] for name, part in self.parts.items()])

    def propose(
        self, week: Week, learned: Mapping[str, Step], customers: pl.DataFrame, quotas: Chosen | None = None
    ) -> Proposed:
        """Every strategy's candidates of `customers` (customer), and how they compare.

        Args:
            learned: what `Learning.learn` returned for `week`.
            quotas: which of them are kept; None keeps all.
        """
        audience = self.learning.audience(week, customers)
        tables = self.learning.learn_customers(week, self.parts, learned, audience)
        retrieved = self.retrieve(tables, customers)
        kept = None
        if quotas:
            members = self.engine.collect(segments(audience, customers.lazy())).lazy()
            kept = self.engine.collect(chosen(retrieved, quotas.rates, members, quotas.keep), fits=True).lazy()
        # Executed here once: every feature family starts from the same candidates.
        pairs = self.engine.collect(merge(retrieved, kept), fits=True)
        return Proposed(self._with_columns(pairs, tables, self._is_early), tables)

    def among(self, asked: pl.DataFrame, proposed: Proposed) -> pl.DataFrame:
        """`asked` (customer, article), candidates or not, with what `propose` says of a candidate, sorted by both.

        What no strategy proposed has no scores and ranks, and is compared with no candidate.
        """
        candidates = proposed.pairs.lazy()
        found = candidates.join(asked.lazy(), on=KEYS, how="semi")
        beside = asked.lazy().join(candidates, on=KEYS, how="anti").with_columns(strategies=pl.lit(0, pl.Int32))
        others = self.engine.collect(beside.sort(KEYS), fits=True)
        if others.height:  # a family that looks at each pair for itself says of these what it says of candidates
            others = self._with_columns(others, proposed.learned, self._is_early_alone)
        return self.engine.collect(pl.concat([found, others.lazy()], how="diagonal").sort(KEYS), fits=True)

    def count(
        self, week: Week, learned: Mapping[str, Step], customers: pl.DataFrame, bought: pl.LazyFrame
    ) -> pl.DataFrame:
        """What `quotas.counted` says of the candidates of `customers`, given what they `bought` (customer, article)."""
        audience = self.learning.audience(week, customers)
        proposing = {name: part for name, part in self.parts.items() if isinstance(part, Retriever)}
        tables = self.learning.learn_customers(week, proposing, learned, audience)
        plan = counted(self.retrieve(tables, customers), segments(audience, customers.lazy()), bought)
        return self.engine.collect(plan.sort("segment", "strategy", "rank"))

    def retrieve(self, tables: Mapping[str, Learned], customers: pl.DataFrame) -> dict[str, pl.LazyFrame]:
        """Every strategy's candidates of `customers`, executed; `tables` are what the parts have learned."""
        retrieved = {}
        for name, part in self.retrievers.items():
            proposed = self.learning.at_bench(part).retrieve(tables[f"retriever-{name}"], customers.lazy())
            retrieved[name] = self.engine.collect(proposed).lazy()
        return retrieved

    def describe(self, kept: pl.DataFrame, learned: Mapping[str, Learned]) -> pl.DataFrame:
        """`kept`, some of the candidates that `propose` found, in their order and with all that is said of them.

        Args:
            learned: what came with them.
        """
        return self._with_columns(kept, learned, lambda name, part: not self._is_early(name, part))

    def families(
        self, week: Week, learned: Mapping[str, Step], customers: pl.DataFrame, quotas: Chosen | None = None
    ) -> dict[str, str]:
        """By column of the described candidates the part that makes it, as the config names it.

        What is about all strategies together belongs to `retrievers`.

        Args:
            customers: any (customer) who have candidates; of a few it is found out at once.
            quotas: as in `propose`.
        """
        proposed = self.propose(week, learned, customers, quotas)
        made = {f"{name}{end}": f"retrievers.{name}" for name in self.retrievers for end in (SCORE, RANK)}
        made |= {column: "retrievers" for column in TOGETHER if column in proposed.pairs.columns}
        for name, (part, known) in self._families(proposed.learned).items():
            columns = self._computed(name, part, known, proposed.pairs).collect_schema().names()
            made |= {column: name for column in columns if column not in KEYS}
        return made

    def _is_early(self, name: str, part: Feature) -> bool:
        return part.compares or name in {f"features.{early}" for early in self.early}

    def _is_early_alone(self, name: str, part: Feature) -> bool:
        return self._is_early(name, part) and not part.compares

    def _with_columns(
        self, pairs: pl.DataFrame, learned: Mapping[str, Learned], wanted: Callable[[str, Feature], bool]
    ) -> pl.DataFrame:
        columns = {
            name: self._computed(name, part, known, pairs)
            for name, (part, known) in self._families(learned).items()
            if wanted(name, part)
        }
        return describe(pairs, columns, self.engine)

    def _families(self, learned: Mapping[str, Learned]) -> dict[str, tuple[Any, Learned]]:
        """Every feature family by its place in the config, with what it knows."""
        # A retriever that is a feature too says something of every candidate, whoever proposed it, in a filter or not.
        also = {name: innermost(part, learned[f"retriever-{name}"]) for name, part in self.retrievers.items()}
        families: dict[str, tuple[Any, Learned]] = {
            f"retrievers.{name}": (part, known) for name, (part, known) in also.items() if isinstance(part, Feature)
        }
        return families | {f"features.{name}": (p, learned[f"feature-{name}"]) for name, p in self.features.items()}

    def _computed(self, name: str, part: Any, known: Learned, pairs: pl.DataFrame) -> pl.LazyFrame:
        """The columns of the family `name`; a retriever's begin with its name, so that there may be two of a kind."""
        columns: pl.LazyFrame = self.learning.at_bench(part).compute(known, pairs.lazy())
        section, _, entry = name.partition(".")
        if section == "features" or entry == part.kind:
            return columns
        ours = re.compile(rf"{part.kind}(?=_|$)")
        return columns.rename(lambda made: ours.sub(entry, made, count=1) if ours.match(made) else made)


def describe(pairs: pl.DataFrame, families: Mapping[str, pl.LazyFrame], engine: Engine) -> pl.DataFrame:
    """`pairs` with the columns of all `families`.

    Each family is worked out for itself and its columns are laid beside the others, so that no join carries along what
    has been joined before.

    Args:
        pairs: candidates (customer, article, …), each pair once, sorted by both.
        families: by its place in the config (`features.<name>`) what each feature family's `compute` returned.

    Raises ConfigError where two families make one column, or one gives more than one row for a key: joined, that would
    repeat candidates.
    """
    made = pairs
    for name, columns in families.items():
        table = columns_of(pairs, columns, name, engine)
        clash = set(table.columns) & set(made.columns)
        if clash:
            raise ConfigError(f"{name} makes the column '{min(clash)}', which is there already; drop one of the two.")
        made = made.hstack(table)
    return made


def columns_of(pairs: pl.DataFrame, columns: pl.LazyFrame, name: str, engine: Engine) -> pl.DataFrame:
    """The columns of the feature family `name`, without keys, a row for each of `pairs` in their order."""
    keys = [key for key in KEYS if key in columns.collect_schema().names()]
    table = engine.collect(columns, fits=True)
    if table.select(keys).equals(pairs.select(keys)) and keys == list(KEYS):
        return table.drop(keys)
    # Before the join: a key that comes a thousand times would make a thousand rows of every candidate.
    if table.select(keys).is_duplicated().any():
        raise ConfigError(f"{name} gives more than one row for a key; see Feature.compute.")
    asked = pairs.lazy().select(keys)
    joined = asked.join(table.lazy(), on=keys, how="left", maintain_order="left")
    return engine.collect(joined, fits=True).drop(keys)
