"""Filters around other retrievers: their settings, needs and tables, and what they leave unchanged."""

import kit
import pytest
from pydantic import ValidationError

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.parts.part import build
from hmgpu.parts.retriever import Retriever
from hmgpu.parts.retrievers.als import ALS
from hmgpu.parts.retrievers.copurchase import CoPurchase
from hmgpu.parts.retrievers.out_of_stock import OutOfStock
from hmgpu.parts.retrievers.popular_by import PopularBy
from hmgpu.parts.retrievers.repurchase import Repurchase
from hmgpu.parts.retrievers.still_on_sale import StillOnSale
from hmgpu.pipeline.config import load_config

CPU = Engine("cpu", "tests")

# Customer 1 bought 10, 20 and 30, the latter two lately by others too.
BOUGHT = [(90, 1, 10), (60, 1, 20), (30, 1, 30), (2, 5, 20), (2, 5, 30)]


def test_what_is_left_keeps_scores_and_order_and_moves_up(make_history):
    history = make_history([*BOUGHT, (1, 1, 40), (1, 1, 40)])
    plain = dict(kit.scored(Repurchase(), history, CPU)[1])
    assert list(plain) == [40, 30, 20, 10]
    part = StillOnSale(days=2, of=Repurchase(n=60))
    assert kit.scored(part, history, CPU)[1] == [(article, plain[article]) for article in (40, 30, 20)]


def test_both_numbers_of_candidates_count(make_history):
    history = make_history(BOUGHT)
    assert kit.proposed(StillOnSale(days=2, of=Repurchase(), n=1), history, CPU)[1] == [30]
    assert kit.proposed(StillOnSale(days=2, of=Repurchase(n=1)), history, CPU)[1] == [30]
    assert kit.proposed(StillOnSale(days=90, of=Repurchase(n=2)), history, CPU)[1] == [30, 20]


def test_the_yaml_names_the_inner_retriever():
    given = {"days": 5, "of": {"kind": "popular_by", "by": "age_band", "n": 60}, "n": 10}
    part = build(Retriever, "still_on_sale", given)
    assert part == StillOnSale(days=5, of=PopularBy(by="age_band", n=60), n=10)
    inner = PopularBy(by="age_band", n=60)
    assert part.settings()["of"] == inner.settings() == {"kind": "popular_by", **inner.model_dump(mode="json")}
    assert build(Retriever, "still_on_sale", part.settings()) == part


def test_settings_of_the_inner_decide_what_is_reused():
    """Steps of a run are computed again when the settings change."""
    assert StillOnSale(of=Repurchase(days=5)).settings() != StillOnSale(of=Repurchase(days=6)).settings()


def test_it_needs_what_the_inner_needs():
    assert OutOfStock(of=PopularBy(by="price_level")).needs() == {"price"}
    assert OutOfStock(of=Repurchase()).needs() == frozenset()


def test_the_inner_works_in_the_filters_context(make_history):
    """Als fits with the seed of the context, copurchase estimates with its engine."""
    history = make_history([(day, c, a) for c in range(6) for day, a in ((5, c % 3), (3, 10 + c % 3))])
    for inner in (ALS(factors=2), CoPurchase(support=1)):
        assert kit.proposed(StillOnSale(of=inner), history, CPU, range(6)) == kit.proposed(
            inner, history, CPU, range(6)
        )


def test_filters_of_filters(make_history):
    # Article 10 sold lately, but much less than before; 20 sells as before; 30 no longer sells.
    sold = {10: [(20, 10), (2, 1)], 20: [(20, 3), (2, 3)], 30: [(20, 3)]}
    rows = [(ago, 100 + k, a) for a, weeks in sold.items() for ago, units in weeks for k in range(units)]
    history = make_history([*rows, *((25, 1, a) for a in sold)])
    inner = OutOfStock(of=StillOnSale(days=25, of=Repurchase()))
    assert kit.proposed(inner, history, CPU)[1] == [20]
    assert kit.proposed(StillOnSale(days=7, of=inner), history, CPU)[1] == [20]
    assert sorted(kit.proposed(StillOnSale(days=7, of=StillOnSale(days=25, of=Repurchase())), history, CPU)[1]) == [
        10,
        20,
    ]


def test_a_retriever_with_a_model_is_refused():
    with pytest.raises(ValidationError, match="'two_tower' has a model of its own, which a filter can't train"):
        build(Retriever, "still_on_sale", {"of": {"kind": "two_tower"}})


def test_what_is_wrong_within_is_said_with_its_place(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("retrievers:\n  again: {kind: still_on_sale, of: {kind: repurchase, dayz: 3}}\n")
    with pytest.raises(ConfigError, match=r"retrievers\.again\.of\.dayz") as caught:
        load_config(file)
    assert "days" in str(caught.value)
