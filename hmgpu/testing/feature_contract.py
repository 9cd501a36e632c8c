"""What every feature family must keep, as pytest's test methods."""

import polars as pl

from hmgpu.parts.candidates import KEYS
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import Learned
from hmgpu.pipeline.describe import columns_of, with_columns
from hmgpu.testing.asking import CPU, bound, learned
from hmgpu.testing.contract_data import ContractData
from hmgpu.testing.part_contract import LearnerContract
from hmgpu.testing.worlds import worlds


class FeatureContract(LearnerContract):
    """Subclass it, and name the feature family: `part = Mine()`."""

    def results(self, part: Feature, learned: Learned, data: ContractData) -> pl.LazyFrame:
        return part.compute(learned, data.pairs)

    def test_columns_keep_the_contract(self, part: Feature, data: ContractData) -> None:
        """Keyed by customer, article or both, each key once; every other column a finite number or null."""
        part = bound(part, data.history)
        columns = CPU.collect(part.compute(learned(part, data.history), data.pairs))
        keys = [key for key in KEYS if key in columns.columns]
        assert keys
        assert columns.select(keys).is_unique().all()
        described = columns.drop(keys)
        assert described.width > 0
        assert all(dtype.is_numeric() for dtype in described.dtypes)
        finite = described.select(pl.all().cast(pl.Float64).is_finite().all())
        assert all(finite.row(0)), f"not finite: {finite}"

    def test_at_the_edges_of_the_contract_it_is_finite_or_null(self, part: Feature, data: ContractData) -> None:
        """Where next to nothing is known, all is the same, or articles are free or as dear as can be."""
        for name, world in worlds().items():
            tried = bound(part, world, trained_on=data.history)
            every = world.customers.select("customer").join(world.articles.select("article"), how="cross")
            scored = every.with_columns(popular_score=pl.lit(0.0), popular_rank=pl.lit(1, dtype=pl.Int32))
            pairs = CPU.collect(scored.sort(KEYS)).lazy()
            columns = CPU.collect(tried.compute(learned(tried, world), pairs)).drop(KEYS, strict=False)
            finite = columns.select(pl.all().cast(pl.Float64).is_finite().all())
            assert all(finite.row(0)), f"{name}: {finite}"

    def test_it_adds_columns_and_no_rows(self, part: Feature, data: ContractData) -> None:
        part = bound(part, data.history)
        columns = part.compute(learned(part, data.history), data.pairs)
        pairs = data.pairs.collect()
        described = with_columns(pairs, {"this": columns}, CPU)
        assert described.select(KEYS).equals(pairs.select(KEYS))
        assert described.width > pairs.width

    def test_what_is_said_of_a_candidate_depends_on_others_only_where_the_family_says_so(
        self, part: Feature, data: ContractData
    ) -> None:
        part = bound(part, data.history)
        tables = learned(part, data.history)
        every = data.pairs.collect()
        kept = every.filter((pl.col("customer") * 7 + pl.col("article")) % 3 == 0)
        told = [columns_of(some, part.compute(tables, some.lazy()), "this", CPU) for some in (every, kept)]
        of_kept = pl.concat([every.select(KEYS), told[0]], how="horizontal").join(kept, on=KEYS, how="semi").drop(KEYS)
        assert of_kept.equals(told[1]) or part.compares, "set `compares = True` on the class"
