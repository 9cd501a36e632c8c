"""DSSM learns tastes, serves new customers and articles by their fields, and describes any pair."""

import pytest
import tastes

from hmgpu.parts.retrievers.dssm import DSSM
from hmgpu.parts.retrievers.two_tower import TwoTower

TASTE = DSSM(last_week="trained", epochs=6, weeks=3, hidden=(32,), dimensions=32, batch=128, learning_rate=2e-2)
SMALL = DSSM(last_week="trained", epochs=1, weeks=2, hidden=(8,), dimensions=8, batch=256, extra=16)


def test_it_learns_taste(trained):
    assert tastes.times_popular(trained) >= 2.5
    own, others = tastes.described(trained)
    assert own["dssm_dot"] > others["dssm_dot"] + 0.1
    assert own["dssm_place"] < 20
    both = {0, tastes.ARTICLES + 9}
    assert tastes.served_newcomers(trained) == {0: both, tastes.CUSTOMERS + 5: both}


@pytest.mark.gpu
def test_a_gpu_learns_it_too(tmp_path, gpu):
    assert tastes.times_popular(tastes.trained(TASTE, tastes.tastes()[0], tmp_path, gpu)) >= 2.5


OTHERS = {"last_week": "held-out", "half_life": 0.5, "hidden": (4,), "temperature": 0.5}


def test_its_own_settings_count(tmp_path):
    """The two towers' test tries those that DSSM shares with them, all but the half-life, which they don't use."""
    assert set(DSSM.model_fields) <= set(TwoTower.model_fields)
    assert tastes.idle_settings(SMALL, OTHERS, tmp_path) == []
