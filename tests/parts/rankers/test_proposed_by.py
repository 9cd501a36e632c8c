"""A ranker for the candidates of some retrievers: what it sees, what it scores, and what it is served."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from planted import SMALL, map_of, planted

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.parts.examples import Examples
from hmgpu.parts.part import build
from hmgpu.parts.ranker import Ranker
from hmgpu.parts.rankers.blend import Blend
from hmgpu.parts.rankers.cascade import Cascade
from hmgpu.parts.rankers.order import Order
from hmgpu.parts.rankers.proposed_by import ProposedBy
from hmgpu.pipeline.config import load_config

CPU = Engine("cpu", "tests")
OWN = ("own",)


def two_ways(customers: int, seed: int) -> pl.DataFrame:
    """Candidates of two retrievers: `popular` proposed all, `own` those with an even article, the lowest first."""
    table = planted(customers, seed)
    even = pl.col("article") % 2 == 0
    return table.with_columns(
        own_score=pl.when(even).then(-pl.col("article").cast(pl.Float32)),
        own_rank=pl.when(even).then(pl.col("article") // 2 + 1),
    )


def written(folder: Path, name: str, table: pl.DataFrame) -> Examples:
    file = folder / f"{name}.parquet"
    Examples.write(file, table, ["popular_score", "popular_rank", "own_score", "own_rank"])
    return Examples((file,))


@pytest.fixture
def weeks(tmp_path: Path) -> tuple[Examples, Examples]:
    training = written(tmp_path, "training", two_ways(150, 1))
    lists = written(tmp_path, "lists", two_ways(20, 4))
    return replace(training, lists=(lists.files,)), written(tmp_path, "validation", two_ways(60, 2))


class Seen(Order):
    """An order that keeps what it is fitted on."""

    def fit(self, training: Examples, validation: Examples, engine: Any, seed: int, client: Any = None) -> Any:
        lists = Examples(training.lists[0]) if training.lists else training
        SEEN.extend(pl.concat(each.tables()) for each in (training, lists, validation) if each.files)
        return super().fit(training, validation, engine, seed, client)


SEEN: list[pl.DataFrame] = []


def test_it_is_fitted_on_their_candidates_alone_with_their_scores_and_ranks(weeks: tuple[Examples, Examples]) -> None:
    SEEN.clear()
    ProposedBy(retrievers=OWN, ranker=Seen()).fit(*weeks, CPU, 1)
    assert [table["article"].unique().sort().to_list() for table in SEEN] == [[*range(0, 20, 2)]] * 3
    assert [table.height for table in SEEN] == [1_500, 200, 600]
    for table in SEEN:
        assert {"own_score", "own_rank", "price_fit", "label"} <= set(table.columns)
        assert not {"popular_score", "popular_rank"} & set(table.columns)


def test_others_have_no_score_and_the_order_is_of_its_own_retrievers(weeks: tuple[Examples, Examples]) -> None:
    model = ProposedBy(retrievers=OWN, ranker=Order()).fit(*weeks, CPU, 1)
    unseen = two_ways(2, 3)
    scored = unseen.with_columns(score=model.score(unseen)).filter(pl.col("customer") == 1)
    assert scored.filter(pl.col("score").is_null())["article"].to_list() == [*range(1, 20, 2)]
    assert scored.drop_nulls("score").sort("score", descending=True)["article"].to_list() == [*range(0, 20, 2)]


def test_what_is_served_in_two_steps_is_what_is_served_in_one(weeks: tuple[Examples, Examples], tmp_path: Path) -> None:
    ranker = ProposedBy(retrievers=OWN, ranker=Cascade(first=Order(), keep=12, then=SMALL))
    model, unseen = ranker.fit(*weeks, CPU, 1), two_ways(30, 3)
    promising = model.promising(unseen)
    assert promising.height == 30 * 10
    at_once = unseen.select("customer", "article", score=model.score(unseen)).drop_nulls()
    in_two = promising.select("customer", "article", score=model.score_promising(promising)).drop_nulls()
    assert at_once.equals(in_two)
    (tmp_path / "model").mkdir()
    model.save(tmp_path / "model")
    assert ranker.load(tmp_path / "model", CPU).score(unseen).equals(model.score(unseen))
    assert build(Ranker, "proposed_by", ranker.settings()) == ranker


def test_two_ways_are_fused(weeks: tuple[Examples, Examples]) -> None:
    """What both propose has a place by both; what one proposes has one."""
    ways = {name: ProposedBy(retrievers=(name,), ranker=SMALL) for name in ("own", "popular")}
    model, unseen = Blend(rankers=ways).fit(*weeks, CPU, 1), two_ways(30, 3)
    assert model.score(unseen).null_count() == 0
    assert map_of(model, unseen, CPU) > map_of(ways["own"].fit(*weeks, CPU, 1), unseen, CPU)


def test_it_is_fitted_again_on_their_candidates(weeks: tuple[Examples, Examples]) -> None:
    ranker = ProposedBy(retrievers=OWN, ranker=SMALL)
    again = ranker.refit(ranker.fit(*weeks, CPU, 1), replace(weeks[1], lists=()), CPU, 1)
    unseen = two_ways(30, 3)
    assert again.score(unseen).null_count() == 30 * 10
    assert map_of(again, unseen.filter(pl.col("article") % 2 == 0), CPU) > 0.6


def test_an_unknown_retriever_is_refused(config) -> None:
    settings = {"ranker": {"kind": "proposed_by", "retrievers": ["repurchase", "als"]}, "runs": str(config.runs)}
    with pytest.raises(ConfigError, match="retrievers names the unknown 'als'"):
        load_config("demo", settings)
