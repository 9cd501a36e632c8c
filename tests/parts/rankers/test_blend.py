"""Fused lists of several rankers: worked out by hand, saved and loaded, and compared with one ranker alone."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from planted import SMALL, map_of, on_disk, planted
from pydantic import ValidationError

from hmgpu.core.errors import ConfigError
from hmgpu.parts.examples import Examples
from hmgpu.parts.part import build
from hmgpu.parts.ranker import Ranker
from hmgpu.parts.rankers.blend import Blend, BlendModel
from hmgpu.parts.rankers.cascade import Cascade

BOTH = Blend(rankers={"listwise": SMALL, "pointwise": SMALL.model_copy(update={"objective": "binary:logistic"})})


class Fixed:
    """A model that returns the scores that it was created with."""

    def __init__(self, *scores: float | None) -> None:
        self.scores = scores

    def score(self, examples: pl.DataFrame) -> pl.Series:
        return pl.Series(self.scores, dtype=pl.Float32)


def test_weighted_reciprocal_ranks_by_hand():
    rows = pl.DataFrame({"customer": [1, 1, 1, 2, 2], "article": [10, 11, 12, 10, 11]})
    models: dict[str, Any] = {"a": Fixed(9.0, 5.0, 5.0, None, -1.0), "b": Fixed(0.1, 0.3, 0.2, None, None)}
    scores = BlendModel(models, {"a": 1.0, "b": 3.0}, 1.0).score(rows).to_list()
    # Customer 1: ranks 1, 2, 3 by a (the tie breaks on the article) and 3, 1, 2 by b.
    # Customer 2: neither model scores 10, and b does not score 11.
    assert scores == pytest.approx([1 / 2 + 3 / 4, 1 / 3 + 3 / 2, 1 / 4 + 3 / 3, None, 1 / 2])


@pytest.fixture
def examples(tmp_path: Path) -> tuple[Examples, Examples]:
    return on_disk(tmp_path, training=planted(150, 1)), on_disk(tmp_path, validation=planted(60, 2))


def test_it_finds_the_planted_rule_and_is_the_same_when_loaded(examples, engine, tmp_path):
    model, unseen = BOTH.fit(*examples, engine, 1), planted(60, 3)
    assert map_of(model, unseen, engine) > 0.85
    (tmp_path / "model").mkdir()
    model.save(tmp_path / "model")
    assert BOTH.load(tmp_path / "model", engine).score(unseen).equals(model.score(unseen))
    with pytest.raises(ConfigError, match="holds the rankers listwise, pointwise; the config names others"):
        Blend(rankers={"listwise": SMALL}).load(tmp_path / "model", engine)


def test_one_ranker_is_blended_into_its_own_order(examples, engine):
    alone, unseen = SMALL.fit(*examples, engine, 1), planted(20, 3)
    blended = Blend(rankers={"it": SMALL}).fit(*examples, engine, 1)
    orders = [
        unseen.select("customer", "article", score=model.score(unseen)).sort(
            "customer", "score", "article", descending=[False, True, False]
        )["article"]
        for model in (alone, blended)
    ]
    assert orders[0].equals(orders[1])


def test_it_may_be_the_second_of_a_cascade(examples, engine):
    cascade = Cascade(first=SMALL, keep=12, then=BOTH)
    assert build(Ranker, "cascade", cascade.settings()) == cascade
    assert map_of(cascade.fit(*examples, engine, 1), planted(30, 3), engine) > 0.8


def test_weights_of_an_unknown_ranker_are_refused():
    message = "weights names 'dnn', which is not a ranker here; choose from lambdarank, c"
    with pytest.raises(ValidationError, match=message):
        Blend(weights={"dnn": 2.0})
