"""What every negative sampler must keep, as pytest's test methods."""

import functools

import polars as pl
import pytest

from hmgpu.parts.candidates import KEYS
from hmgpu.parts.negative_sampler import NegativeSampler, TrainingWeek
from hmgpu.testing.asking import CPU
from hmgpu.testing.contract_data import contract_data
from hmgpu.testing.part_contract import GivenPart
from hmgpu.testing.translation import untranslated

PAIR = {"customer": pl.Int32, "article": pl.Int32}


@functools.cache
def training_week() -> TrainingWeek:
    """The last week of the contracts' data, its candidates the best sellers before it."""
    store, history = contract_data().store, contract_data().history
    sold = CPU.collect(store.purchases_in(store.last_complete_week)).lazy()
    best = history.last(14).group_by("article").len().sort("len", "article", descending=True).head(200)
    candidates = sold.select("customer").unique().join(best.select("article"), how="cross")
    bought = sold.select(KEYS).unique()
    found = candidates.join(bought, on=KEYS, how="semi").collect().lazy()
    others = candidates.join(found, on="customer", how="semi").join(bought, on=KEYS, how="anti").collect().lazy()
    return TrainingWeek(others, found, sold, history, 5)


class NegativeSamplerContract(GivenPart):
    """Subclass it, and name the negative sampler: `part = Mine()`."""

    @pytest.fixture
    def week(self) -> TrainingWeek:
        """The week that is drawn for; override this fixture for another."""
        return training_week()

    def test_known_articles_for_those_who_bought_a_candidate(self, part: NegativeSampler, week: TrainingWeek) -> None:
        found = CPU.collect(part.draw(week))
        assert dict(found.select(KEYS).schema) == PAIR
        assert found.height > 10
        assert found.join(week.customers.collect(), on="customer", how="anti").is_empty()
        assert found.join(week.history.articles.collect(), on="article", how="anti").is_empty()

    def test_draws_depend_on_no_other_customer(self, part: NegativeSampler, week: TrainingWeek) -> None:
        half = (pl.col("customer") % 2) == 0
        some = TrainingWeek(week.recalled.filter(half), week.bought.filter(half), week.sold, week.history, week.seed)
        everybody, of_half = (CPU.collect(part.draw(asked).select(KEYS).unique().sort(KEYS)) for asked in (week, some))
        assert of_half.height > 0
        assert of_half.equals(everybody.filter(half))

    def test_draws_translate_to_cudf(self, part: NegativeSampler, week: TrainingWeek) -> None:
        assert untranslated(part.draw(week)) == []

    def test_nobody_bought_anything(self, part: NegativeSampler, week: TrainingWeek) -> None:
        nobody = pl.LazyFrame(schema=PAIR)
        nothing = TrainingWeek(nobody, nobody, week.sold.filter(pl.lit(False)), week.history, 1)
        assert CPU.collect(part.draw(nothing)).is_empty()
