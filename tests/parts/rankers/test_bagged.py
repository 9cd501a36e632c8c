"""Rankers on different negatives: what each of them is shown, and that together they learn and are saved."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from planted import SMALL, map_of, on_disk, planted

from hmgpu.core.engine import Engine
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.examples import Examples
from hmgpu.parts.models.stacking import StackModel
from hmgpu.parts.rankers.bagged import Bagged
from hmgpu.parts.rankers.dnn import DNN

CPU = Engine("cpu", "tests")
BAGGED = Bagged(ranker=SMALL, bags=3, negatives=2)


@pytest.fixture
def weeks(tmp_path: Path) -> tuple[Examples, Examples]:
    """Three training weeks with lists of the last, and a validation week."""
    tables = {name: planted(60, seed, first=100 * seed) for seed, name in enumerate("abc")}
    training = on_disk(tmp_path, **tables)
    weeks = Examples(training.files, weeks=(1, 1, 1), lists=(training.files[2:],))
    return weeks, on_disk(tmp_path, v=planted(60, 7, first=700))


def shown(examples: Examples, number: int, folder: Path, seed: int = 1) -> pl.DataFrame:
    return pl.concat(BAGGED.drawn(f"bag{number}", examples, seed, folder).tables())


def test_a_bag_has_all_that_was_bought_and_its_own_draw_of_the_rest(weeks, tmp_path):
    every = pl.concat(weeks[0].tables())
    draws = {number: shown(weeks[0], number, tmp_path / str(number)) for number in (1, 2)}
    for table in draws.values():
        assert table.filter(pl.col("label") == 1).equals(every.filter(pl.col("label") == 1))
        counts = table.group_by("customer").agg(bought=pl.col("label").sum(), rest=(pl.col("label") == 0).sum())
        there = every.group_by("customer").agg(rest=(pl.col("label") == 0).sum(), bought=pl.col("label").sum())
        joined = there.join(counts, on="customer", how="left", suffix="_shown").fill_null(0)
        expected = np.minimum(2 * joined["bought"].cast(int), joined["rest"].cast(int))
        assert joined["rest_shown"].cast(int).to_list() == expected.to_list()
    assert not draws[1].equals(draws[2])
    assert not draws[1].equals(shown(weeks[0], 1, tmp_path / "other-seed", seed=2))
    rest = pl.concat(draws.values()).filter(pl.col("label") == 0)
    assert rest.select(KEYS).unique().height > 1.5 * draws[1].filter(pl.col("label") == 0).height


def test_a_draw_does_not_depend_on_the_files_that_examples_lie_in(weeks, tmp_path):
    one = Examples(on_disk(tmp_path, one=pl.concat(weeks[0].tables())).files)
    assert shown(one, 1, tmp_path / "one").equals(shown(weeks[0], 1, tmp_path / "three"))


def test_weeks_and_lists_stay_apart(weeks, tmp_path):
    drawn = BAGGED.drawn("bag1", weeks[0], 1, tmp_path / "drawn")
    assert drawn.weeks == (1, 1, 1)
    assert drawn.lists == weeks[0].lists
    assert pl.concat(drawn.before_last_week().tables())["customer"].max() < 200


def test_it_learns_the_planted_rule_and_is_the_same_when_loaded(weeks, tmp_path):
    model, unseen = BAGGED.fit(*weeks, CPU, 1), planted(60, 9)
    assert isinstance(model, StackModel)
    assert list(model.models) == ["bag1", "bag2", "bag3"]
    assert isinstance(BAGGED.stacker, DNN)
    scores = [each.score(unseen) for each in model.models.values()]
    assert not scores[0].equals(scores[1])
    assert map_of(model, unseen, CPU) > 0.85
    (tmp_path / "model").mkdir()
    model.save(tmp_path / "model")
    assert BAGGED.load(tmp_path / "model", CPU).score(unseen).equals(model.score(unseen))
    again = BAGGED.fit(*weeks, CPU, 1).score(unseen)
    assert again.equals(model.score(unseen))
