"""A ranker that is blended with simple orders of the candidates where it doesn't beat them beyond chance.

With few purchases to learn from, a ranker may be worse than no ranker. So it is tried before it is trusted: fitted on
all training weeks but the last, and set against its rivals on the lists of that last week, customers paired. Those that
it beats are forgotten. The others are fused with it by reciprocal ranks (Cormack, Clarke & Büttcher 2009), with the
convex weights that were best on that week. Where it beats all of them, its scores pass unchanged.
"""

import json
import logging
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from pydantic import Field, field_validator

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.core.plans import sample
from hmgpu.parts.candidates import KEYS, WORTH
from hmgpu.parts.examples import LABEL, Examples
from hmgpu.parts.from_yaml import part_of
from hmgpu.parts.models.rivals import ORDER, RANKER, Orders, Verdict, fused, judge, places_of, unproven
from hmgpu.parts.part import Count
from hmgpu.parts.ranker import Model, Ranker
from hmgpu.parts.rankers.order import check_known, ranked_by
from hmgpu.parts.rankers.xgboost import XGBoost

log = logging.getLogger(__name__)

FILE = "guard.json"
THEIRS = "hmgpu:theirs"
"""A column of promising candidates: whether the ranker, and not only a rival, finds them promising."""
CHAIN = ("repurchase", "popular")
LEAST = 30  # customers with a purchase among their candidates: from fewer nothing is concluded


class Guard(Ranker):
    """A ranker, fused with those of three orders that it doesn't beat beyond chance.

    `order` puts all retrievers one after another, `chain` a few of them, and `worth` goes by what `quotas` learned.
    """

    ranker: Ranker = XGBoost()
    """The ranker, by `kind`."""
    retrievers: tuple[str, ...] | None = None
    """Names of the retrievers of `chain`, the first one's candidates first; null: repurchase and popular, where the
    config has both."""
    keep: Annotated[int, Field(ge=12)] = 24
    """First places of each rival that count; its later candidates get nothing from it."""
    smooth: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 10.0
    """Added to each rank before it divides the weight: the more, the less the very first places count compared with
    the next."""
    fitted: Count | None = 20_000
    """Customers whose examples the trial is fitted on, sampled at random among those who bought a candidate; null takes
    all. The ranker that serves is fitted on all examples."""
    judged: Count | None = 10_000
    """Buyers of the last training week whose lists the trial is judged on, sampled at random; null takes all."""

    @field_validator(RANKER, mode="before")
    @classmethod
    def _build(cls, given: Any) -> Any:
        return part_of(Ranker, given)

    @field_validator(RANKER)
    @classmethod
    def _is_another_kind(cls, ranker: Ranker) -> Ranker:
        if isinstance(ranker, Guard):
            raise ValueError("a guard has guarded its ranker already; name the ranker within it")
        return ranker

    @property
    def inner(self) -> tuple[Ranker, ...]:
        return (self.ranker,)

    @property
    def keeps(self) -> int | None:
        return min(self.keep, self.ranker.keeps or self.keep)

    @property
    def needs_lists(self) -> int:
        return 1 + self.ranker.needs_lists

    @property
    def most_lists(self) -> int | None:
        if not self.ranker.needs_lists or self.judged is None:
            return self.judged
        theirs = self.ranker.most_lists
        return None if theirs is None else max(self.judged, theirs)

    @property
    def goes_by(self) -> frozenset[str]:
        return super().goes_by | frozenset(self.retrievers or ())

    def settings(self) -> dict[str, Any]:
        return super().settings() | {RANKER: self.ranker.settings()}

    def fit(
        self, training: Examples, validation: Examples, engine: Engine, seed: int, client: Any = None
    ) -> "GuardModel":
        orders = self._orders(training.features())
        verdict = self._trial(orders, training, validation, engine, seed, client)
        log.info("guard: %s", verdict.said())
        heard = {name: retrievers for name, retrievers in orders.items() if name in verdict.weights}
        served = self.ranker.fit(training, validation, engine, seed, client)
        return GuardModel(served, heard, verdict, self.keep, self.smooth)

    def refit(self, fitted: Model, training: Examples, engine: Engine, seed: int, client: Any = None) -> "GuardModel":
        assert isinstance(fitted, GuardModel)
        return replace(fitted, ranker=self.ranker.refit(fitted.ranker, training, engine, seed, client))

    def load(self, folder: Path, engine: Engine) -> "GuardModel":
        saved = json.loads((folder / FILE).read_text())
        heard = {name: tuple(retrievers) for name, retrievers in saved["rivals"].items()}
        verdict, ranker = Verdict(**saved["verdict"]), self.ranker.load(folder / RANKER, engine)
        return GuardModel(ranker, heard, verdict, saved["keep"], saved["smooth"])

    def _orders(self, columns: list[str]) -> Orders:
        """Return the rivals for candidates with these `columns`."""
        known = ranked_by(columns)
        if not known:
            raise ConfigError("ranker: a guard's rivals go by the retrievers' ranks, and there are none here.")
        check_known(self.retrievers or (), known)
        chain = self.retrievers or (CHAIN if set(CHAIN) <= set(known) else known)
        worth: Orders = {WORTH: ()} if WORTH in columns else {}
        return {ORDER: known, **worth, **({"chain": chain} if chain != known else {})}

    def _trial(
        self, orders: Orders, training: Examples, validation: Examples, engine: Engine, seed: int, client: Any
    ) -> Verdict:
        """Judge the ranker, fitted on all weeks but the last, on the lists of that one."""
        earlier, last = training.before_last_week(), training.last_lists()
        if not earlier.files:  # `weeks.train: auto` may find no more than one week
            return unproven(0)
        buyers, judged = earlier.customers_with_purchases(), sample(last.customers_with_purchases(), self.judged, seed)
        if buyers.is_empty() or judged.height < LEAST:
            return unproven(judged.height)
        with tempfile.TemporaryDirectory() as folder:
            few = sample(buyers, self.fitted, seed)
            some = earlier if few.height == buyers.height else earlier.of(few, Path(folder) / "fitted")
            tried = self.ranker.fit(some, validation, engine, seed, client)
        chosen = pl.col("customer").is_in(judged["customer"].implode())
        lists = (table.filter(chosen) for table in last.with_purchases())
        places = [places_of(tried.score(each), orders, self.keep, each).with_columns(each[LABEL]) for each in lists]
        return judge(pl.concat(places), self.smooth)


@dataclass(frozen=True)
class GuardModel(Model):
    """The fitted ranker, and the rivals that have a say."""

    ranker: Model
    rivals: Orders
    verdict: Verdict
    keep: int
    smooth: float

    @property
    def within(self) -> Mapping[str, Model]:
        return {RANKER: self.ranker}

    def promising(self, candidates: pl.DataFrame) -> pl.DataFrame:
        if not self.rivals:
            return self.ranker.promising(candidates)
        places = places_of(None, self.rivals, self.keep, candidates)
        listed = places.select(listed=pl.any_horizontal(pl.col(*self.rivals).is_not_null())).to_series()
        if RANKER not in self.verdict.weights:
            return candidates.filter(listed)
        theirs = self.ranker.promising(candidates).select(KEYS).with_columns(pl.lit(True).alias(THEIRS))
        marked = candidates.join(theirs, on=KEYS, how="left", maintain_order="left")
        return marked.with_columns(pl.col(THEIRS).fill_null(False)).filter(listed | pl.col(THEIRS))

    def score(self, examples: pl.DataFrame) -> pl.Series:
        """Return the ranker's scores if it beat all rivals, else the fused ones; null where nobody gives a place.

        `examples` must hold all of a customer's rows.
        """
        if not self.rivals:
            return self.ranker.score(examples)
        return self._fused(self.ranker.score(examples) if RANKER in self.verdict.weights else None, examples)

    def score_promising(self, examples: pl.DataFrame) -> pl.Series:
        if not self.rivals:
            return self.ranker.score_promising(examples)
        if RANKER not in self.verdict.weights:
            return self._fused(None, examples)
        theirs = examples[THEIRS]
        scores = self.ranker.score_promising(examples.filter(theirs))
        nothing = pl.repeat(None, examples.height, dtype=pl.Float32, eager=True)
        return self._fused(nothing.scatter(theirs.arg_true(), scores), examples)

    def contributions(self, examples: pl.DataFrame) -> Mapping[str, pl.DataFrame]:
        """Return the ranker's stages if it beat all rivals; a fused score is a sum of places, not of columns."""
        return {} if self.rivals else self.ranker.contributions(examples)

    def _fused(self, scores: pl.Series | None, examples: pl.DataFrame) -> pl.Series:
        places = places_of(scores, self.rivals, self.keep, examples)
        return fused(places, self.verdict.weights, self.smooth)

    def save(self, folder: Path) -> None:
        saved = {"verdict": asdict(self.verdict), "rivals": self.rivals, "keep": self.keep, "smooth": self.smooth}
        (folder / FILE).write_text(json.dumps(saved, indent=1))
        (folder / RANKER).mkdir()
        self.ranker.save(folder / RANKER)
