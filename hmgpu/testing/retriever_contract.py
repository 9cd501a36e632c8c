"""What every retriever must keep, as pytest's test methods."""

import polars as pl

from hmgpu.parts.candidates import KEYS
from hmgpu.parts.part import Learned
from hmgpu.parts.retriever import Retriever
from hmgpu.testing.asking import CPU, bound, learned
from hmgpu.testing.contract_data import ContractData
from hmgpu.testing.part_contract import LearnerContract
from hmgpu.testing.worlds import worlds


class RetrieverContract(LearnerContract):
    """Subclass it, and name the retriever: `part = Mine()`."""

    def results(self, part: Retriever, learned: Learned, data: ContractData) -> pl.LazyFrame:
        return part.retrieve(learned, data.customers)

    def test_candidates_keep_the_contract(self, part: Retriever, data: ContractData) -> None:
        """Shape, dtypes, known customers and articles, at most `n`, ranks from 1, ties on the article."""
        part = bound(part, data.history)
        plan = part.retrieve(learned(part, data.history), data.customers)
        found = CPU.collect(plan.sort("customer", "rank"))
        assert {"customer": pl.Int32, "article": pl.Int32, "rank": pl.Int32}.items() <= dict(found.schema).items()
        assert found["score"].dtype.is_numeric()
        assert found.null_count().select("customer", "article", "score", "rank").row(0) == (0, 0, 0, 0)
        assert found.select(KEYS).is_unique().all()
        assert found.join(data.customers.collect(), on="customer", how="anti").is_empty()
        assert found.join(data.history.articles.collect(), on="article", how="anti").is_empty()
        places = found.with_columns(place=pl.int_range(1, pl.len() + 1).over("customer"))
        assert (places["place"] == places["rank"]).all()
        assert places.height > 0, "nothing was proposed on the synthetic data, so nothing was checked"
        assert places.filter(pl.col("rank") > part.n).is_empty()
        by_score = found.sort("customer", "score", "article", descending=[False, True, False])
        assert by_score["article"].to_list() == found["article"].to_list()

    def test_it_finds_nothing_without_error(self, part: Retriever, data: ContractData) -> None:
        """Nobody asks, and next to nothing is known."""
        little = worlds()["one purchase"]
        part = bound(part, little, trained_on=data.history)
        nobody = pl.LazyFrame(schema={"customer": pl.Int32})
        assert CPU.collect(part.retrieve(learned(part, little), nobody)).is_empty()

    def test_at_the_edges_of_the_contract_scores_are_finite(self, part: Retriever, data: ContractData) -> None:
        """Where next to nothing is known, all is the same, or articles are free or as dear as can be."""
        for name, world in worlds().items():
            tried = bound(part, world, trained_on=data.history)
            found = CPU.collect(tried.retrieve(learned(tried, world), world.customers.select("customer")))
            assert found["score"].cast(pl.Float64).is_finite().all(), name
            assert found["score"].null_count() == 0, name
            assert found.join(world.articles.collect(), on="article", how="anti").is_empty(), name

    def test_n_bounds_the_candidates(self, part: Retriever, data: ContractData) -> None:
        few = bound(part, data.history).model_copy(update={"n": 2})
        found = CPU.collect(few.retrieve(learned(few, data.history), data.customers))
        assert found.group_by("customer").len()["len"].max() in (None, 1, 2)
