"""The tree-based deep model learns tastes; articles without a place in the tree are left alone; its settings count."""

import kit
import pytest
import tastes

from hmgpu.parts.retrievers.tdm import TDM
from hmgpu.parts.retrievers.two_tower import TwoTower

SMALL = TDM(epochs=2, weeks=2, width=8, hidden=(8,), layers=(8,), dimensions=8, batch=256, last_week="trained")
TASTE = SMALL.model_copy(
    update={"epochs": 3, "dimensions": 16, "width": 16, "hidden": (32,), "learning_rate": 2e-2, "batch": 64}
)


def test_it_learns_taste(trained):
    assert tastes.times_popular(trained) >= 2.5
    own, others = tastes.described(trained)
    assert own["tdm_logit"] > others["tdm_logit"] + 1
    assert own["tdm_place"] < 20
    assert tastes.served_newcomers(trained) == {0: {0}, tastes.CUSTOMERS + 5: {0}}


@pytest.mark.gpu
def test_a_gpu_learns_it_too(tmp_path, gpu):
    assert tastes.times_popular(tastes.trained(TASTE, tastes.tastes()[0], tmp_path, gpu)) >= 2.5


def test_an_article_that_sold_too_little_is_not_proposed_and_has_no_score():
    """Article 7 sold three units, one fewer than it takes."""
    history = tastes.few_sold()
    assert sorted(kit.proposed(TDM(), history, tastes.CPU)[1]) == [0, 1, 2, 3, 4]
    described = kit.described(TDM(), history, tastes.CPU, [(1, 3), (1, 7)])
    assert described[1, 3]["tdm_logit"] is not None
    assert described[1, 7] == {"tdm_logit": None, "tdm_place": 2}


OTHERS = {"half_life": 0.5, "width": 4, "hidden": (4,), "layers": (4,), "levels": 1, "branches": 3, "negatives": 2}
SEARCHING = {"beam"}  # which training doesn't look at; see models/towers/test_tree_search.py
REBUILDING = {"rebuild"}  # see models/towers/test_tdm.py


def test_its_own_settings_count(tmp_path):
    """The two towers' test tries those that it shares with them, all but the half-life, which they don't use."""
    own = set(TDM.model_fields) - set(TwoTower.model_fields)
    assert own <= set(OTHERS) | SEARCHING | REBUILDING
    assert tastes.idle_settings(SMALL, OTHERS, tmp_path) == []
