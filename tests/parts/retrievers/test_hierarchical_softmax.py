"""The hierarchical softmax learns tastes; articles without weights are left alone; its settings count."""

import json

import kit
import pytest
import tastes
from pydantic import ValidationError

from hmgpu.parts.retrievers.hierarchical_softmax import HierarchicalSoftmax
from hmgpu.parts.retrievers.two_tower import TwoTower

SMALL = HierarchicalSoftmax(last_week="trained", epochs=1, weeks=2, width=8, hidden=(8,), dimensions=8, batch=256)
TASTE = SMALL.model_copy(update={"epochs": 3, "dimensions": 32, "hidden": (32,), "learning_rate": 1e-2, "batch": 128})


def test_it_learns_taste(trained):
    assert tastes.times_popular(trained) >= 2.5
    own, others = tastes.described(trained)
    assert own["hierarchical_softmax_log"] > others["hierarchical_softmax_log"] + 2
    assert own["hierarchical_softmax_place"] < 20
    assert tastes.served_newcomers(trained) == {0: {0}, tastes.CUSTOMERS + 5: {0}}


@pytest.mark.gpu
def test_a_gpu_learns_it_too(tmp_path, gpu):
    assert tastes.times_popular(tastes.trained(TASTE, tastes.tastes()[0], tmp_path, gpu)) >= 2.5


def test_an_article_that_sold_too_little_is_not_proposed_and_has_no_score():
    """Article 7 sold three units, one fewer than it takes; all others are on sale, so all that was bought is found."""
    history = tastes.few_sold()
    part = kit.bound(HierarchicalSoftmax(), history, tastes.CPU)
    assert json.loads((part.context.model / "training.json").read_text())["held_out_recall_at_100"] == 1.0
    assert sorted(kit.proposed(HierarchicalSoftmax(), history, tastes.CPU)[1]) == [0, 1, 2, 3, 4]
    described = kit.described(HierarchicalSoftmax(), history, tastes.CPU, [(1, 3), (1, 7)])
    assert described[1, 3]["hierarchical_softmax_log"] < 0
    assert described[1, 7] == {"hierarchical_softmax_log": None, "hierarchical_softmax_place": 2}


OTHERS = {
    "last_week": "held-out",
    "half_life": 0.5,
    "width": 4,
    "hidden": (4,),
    "temperature": 0.5,
    "classes": 4,
    "by": "product_type",
}


def test_its_own_settings_count(tmp_path):
    """The two towers' test tries those that it shares with them, all but the half-life, which they don't use."""
    assert set(HierarchicalSoftmax.model_fields) - set(TwoTower.model_fields) <= set(OTHERS)
    assert tastes.idle_settings(SMALL, OTHERS, tmp_path) == []


def test_a_number_of_classes_next_to_a_category_is_refused():
    with pytest.raises(ValidationError, match="classes does nothing here, it counts without a category"):
        HierarchicalSoftmax(by="department", classes=9)
