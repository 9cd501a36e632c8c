"""What every ranker must keep, as pytest's test methods."""

import functools
import tempfile
from pathlib import Path

import polars as pl
import pytest

from hmgpu.core.files import hashes
from hmgpu.data.weeks import Week
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.examples import LABEL, Examples
from hmgpu.parts.ranker import Model, Ranker
from hmgpu.testing.asking import CPU, SEED
from hmgpu.testing.contract_data import candidates, contract_data
from hmgpu.testing.part_contract import GivenPart

_folder = tempfile.TemporaryDirectory(prefix="hmgpu-testing-")


@functools.cache
def labelled_weeks() -> tuple[Examples, Examples]:
    """Labelled candidates of the buyers of the last complete week but one, and of the last."""
    store, cutoff = contract_data().store, contract_data().cutoff
    written = []
    for week in (Week(cutoff).back(1), Week(cutoff)):
        sold = CPU.collect(store.sold_in(week)).lazy()
        found = candidates(store.as_of(week.first_day), sold.select("customer").unique())
        bought = sold.select(*KEYS, pl.lit(1, pl.Int8).alias(LABEL))
        plan = found.join(bought, on=KEYS, how="left").with_columns(pl.col(LABEL).fill_null(0)).sort(KEYS)
        table = CPU.collect(plan)
        file = Path(_folder.name) / f"{week}.parquet"
        Examples.write(file, table, [name for name in table.columns if name not in KEYS])
        written.append(Examples((file,)))
    return written[0], written[1]


class RankerContract(GivenPart):
    """Subclass it, and name the ranker: `part = Mine()`."""

    @pytest.fixture
    def weeks(self) -> tuple[Examples, Examples]:
        """Examples to fit on and to stop by; override this fixture for others."""
        return labelled_weeks()

    def test_scores_are_one_a_row_and_finite_or_null(self, part: Ranker, weeks: tuple[Examples, Examples]) -> None:
        model, table = self._fitted(part, weeks), next(weeks[1].tables())
        scores = model.score(table)
        assert scores.dtype == pl.Float32
        assert len(scores) == table.height
        assert scores.drop_nulls().is_finite().all()
        assert scores.null_count() < table.height
        assert scores.n_unique() > 1, "all candidates have one score"

    def test_a_customers_scores_depend_on_no_other(self, part: Ranker, weeks: tuple[Examples, Examples]) -> None:
        model, table = self._fitted(part, weeks), next(weeks[1].tables())
        half = (pl.col("customer") % 2) == 0
        everybody = table.with_columns(model.score(table).alias("score")).filter(half)
        assert model.score(table.filter(half)).equals(everybody["score"], check_names=False)

    def test_it_scores_what_it_was_not_told_the_purchases_of(
        self, part: Ranker, weeks: tuple[Examples, Examples]
    ) -> None:
        model, table = self._fitted(part, weeks), next(weeks[1].tables())
        assert model.score(table.drop(LABEL)).equals(model.score(table), check_names=False)

    def test_contributions_add_up_to_the_score(self, part: Ranker, weeks: tuple[Examples, Examples]) -> None:
        """Those of the last stage; a ranker may have none."""
        model, table = self._fitted(part, weeks), next(weeks[1].tables()).head(200)
        stages = list(model.contributions(table).values())
        if not stages:
            return
        assert {each.height for each in stages} == {table.height}
        summed = stages[-1].select(score=pl.sum_horizontal(pl.all().cast(pl.Float64))).to_series()
        scores = model.score(table)
        error = (summed - scores).abs().filter(scores.is_not_null()).max()
        assert isinstance(error, float)
        assert error < 1e-4, "a row's contributions don't add up to its score"

    def test_what_is_saved_is_what_is_loaded(
        self, part: Ranker, weeks: tuple[Examples, Examples], tmp_path: Path
    ) -> None:
        """Its scores, and its bytes when it is saved again."""
        model, table = self._fitted(part, weeks), next(weeks[1].tables())
        first, second = tmp_path / "first", tmp_path / "second"
        first.mkdir()
        second.mkdir()
        model.save(first)
        loaded = part.load(first, CPU)
        assert loaded.score(table).equals(model.score(table), check_names=False)
        loaded.save(second)
        assert hashes(first) == hashes(second)

    def test_the_same_examples_fit_the_same_model(
        self, part: Ranker, weeks: tuple[Examples, Examples], tmp_path: Path
    ) -> None:
        files = []
        for name in ("first", "second"):
            (tmp_path / name).mkdir()
            self._fitted(part, weeks).save(tmp_path / name)
            files.append(hashes(tmp_path / name))
        assert files[0]
        assert files[0] == files[1]

    def _fitted(self, part: Ranker, weeks: tuple[Examples, Examples]) -> Model:
        return part.fit(*weeks, CPU, SEED)
