"""A ranker above others: which weeks each of them is fitted on, and that it learns which to trust."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from planted import SMALL, map_of, on_disk, planted
from pydantic import ValidationError

from hmgpu.core.errors import ConfigError
from hmgpu.parts.examples import Examples
from hmgpu.parts.ranker import Ranker
from hmgpu.parts.rankers.blend import Blend
from hmgpu.parts.rankers.dlrm import DLRM
from hmgpu.parts.rankers.order import Order
from hmgpu.parts.rankers.stack import Stack
from hmgpu.parts.rankers.xgboost import XGBoost

STACK = Stack(rankers={"trees": SMALL, "chain": Order()}, stacker=SMALL)


class Spy(Order):
    """An order that records which customers it was fitted on."""

    def fit(self, training: Examples, validation: Examples, engine: Any, seed: int, client: Any = None) -> Any:
        SEEN.append(pl.concat(training.tables())["customer"].unique().sort().to_list())
        return super().fit(training, validation, engine, seed, client)


SEEN: list[list[int]] = []


@pytest.fixture
def weeks(tmp_path: Path) -> tuple[Examples, Examples]:
    """Two training weeks, the second in two files with half of its candidates, and a validation week."""
    last = {"b": planted(60, 2, first=200), "c": planted(60, 4, first=300)}
    sampled = {name: table.filter((pl.col("label") > 0) | (pl.col("article") % 2 == 0)) for name, table in last.items()}
    training = on_disk(tmp_path, a=planted(120, 1), **sampled)
    lists = on_disk(tmp_path, **{f"{name}_whole": table for name, table in last.items()})
    return Examples(training.files, weeks=(1, 2), lists=(lists.files,)), on_disk(tmp_path, v=planted(60, 3, first=400))


def test_rankers_see_all_weeks_but_the_last_and_the_stacker_all_candidates_of_that_one(weeks, engine, monkeypatch):
    """Among a sample of candidates, places would be better than in serving."""
    stacked: list[list[int]] = []

    def fit(self: Any, training: Examples, *rest: Any, **more: Any) -> Any:
        table = pl.concat(training.tables())
        stacked.append(table["customer"].unique().sort().to_list())
        assert set(table.columns) == {"customer", "article", "label", "a_margin", "a_place"}
        lists = pl.concat(weeks[0].last_lists().tables())
        assert table.select("customer", "article").equals(lists.select("customer", "article"))
        assert table["a_place"].max() == lists["customer"].value_counts()["count"].max()

    SEEN.clear()
    stack = Stack.model_construct(rankers={"a": Spy()}, stacker=SMALL)
    monkeypatch.setattr(type(SMALL), "fit", fit)
    stack.fit(*weeks, engine, 1)
    assert [list(range(120))] == SEEN
    assert stacked == [[*range(200, 260), *range(300, 360)]]


def test_it_trusts_the_ranker_that_is_right(weeks, engine):
    model, unseen = STACK.fit(*weeks, engine, 1), planted(60, 5)
    assert map_of(model, unseen, engine) > 0.85


def test_a_loaded_model_gives_the_same_scores(weeks, engine, tmp_path):
    model, unseen = STACK.fit(*weeks, engine, 1), planted(20, 3)
    (tmp_path / "model").mkdir()
    model.save(tmp_path / "model")
    assert STACK.load(tmp_path / "model", engine).score(unseen).equals(model.score(unseen))
    assert np.isfinite(model.score(unseen).to_numpy()).all()


def test_one_week_is_too_few(weeks, engine):
    training, validation = weeks
    with pytest.raises(ConfigError, match=r"set weeks\.train to 2 or more"):
        STACK.fit(Examples(training.files[1:]), validation, engine, 1)


def test_the_name_of_the_stacker_is_taken():
    with pytest.raises(ValidationError, match="'stacker' names the ranker above the others already"):
        Stack(rankers={"stacker": SMALL})
    assert issubclass(Stack, Ranker)


@pytest.mark.parametrize("stacker", [XGBoost(from_worth=True), DLRM(), Blend(rankers={"codes": DLRM()})])
def test_a_stacker_that_needs_more_than_scores_and_places_is_refused(stacker):
    with pytest.raises(ValidationError, match="a stacker sees only the rankers' scores and places"):
        Stack(stacker=stacker)
