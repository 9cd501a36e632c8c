"""NeuMF finds what customers of one taste buy, and every setting of it counts."""

import pytest
import tastes

from hmgpu.parts.models.training import held_out
from hmgpu.parts.retrievers.neumf import NeuMF

TASTE = NeuMF(
    epochs=6, weeks=6, dimensions=16, layers=(16,), batch=128, learning_rate=2e-2, support=1, last_week="held-out"
)
SMALL = NeuMF(epochs=1, weeks=3, dimensions=4, layers=(4,), batch=8, support=1, last_week="held-out")


def test_it_learns_taste(trained):
    assert tastes.times_popular(trained) >= 2.5
    own, others = tastes.described(trained)
    assert own["neumf_logit"] > others["neumf_logit"] + 1
    assert own["neumf_place"] < 20


def test_an_article_that_it_does_not_know_is_not_proposed(trained):
    served = tastes.served_newcomers(trained)
    assert served == {0: {0}, tastes.CUSTOMERS + 5: {0}}


@pytest.mark.gpu
def test_a_gpu_learns_it_too(tmp_path, gpu):
    assert tastes.times_popular(tastes.trained(TASTE, tastes.tastes()[0], tmp_path, gpu)) >= 2.5


OTHERS = {
    "last_week": "again",
    "batch": 4,
    "accumulate": 2,
    "learning_rate": 1e-4,
    "weight_decay": 0.5,
    "days": 10,
    "weeks": 2,
    "on_sale": 4,
    "support": 4,
    "negatives": 2,
    "power": 1.0,
    "dimensions": 8,
    "layers": (4, 4),
}
SERVING = {"n"}  # of which training knows nothing; every retriever's contract tries it


def test_every_setting_counts(tmp_path, monkeypatch):
    """The pipeline reads `refit`; epochs, patience and devices are tested with the training loop."""
    assert set(OTHERS) == set(NeuMF.model_fields) - SERVING - {"refit", "epochs", "patience", "devices"}
    monkeypatch.setattr(held_out, "RECALL", 1)  # of so few articles all are among the best hundred
    assert tastes.idle_settings(SMALL, OTHERS, tmp_path) == []
