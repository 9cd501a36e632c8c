"""The dense network: what it learns from numbers, a loaded model is the same, and its layers worked out by hand."""

import numpy as np
import polars as pl
import pytest
from planted import check_saved_and_loaded, check_seed_alone_decides, idle_settings, map_of, on_disk, planted

from hmgpu.core.engine import Engine
from hmgpu.parts.examples import Examples
from hmgpu.parts.models.ranking.dnn import Network
from hmgpu.parts.models.ranking.network import Columns, Rows, torch
from hmgpu.parts.models.ranking.numbers import Numbers
from hmgpu.parts.rankers.dnn import DNN
from hmgpu.parts.rankers.order import Order

CPU = Engine("cpu", "tests")
SMALL = DNN(epochs=6, hidden=(16, 8), batch=16, learning_rate=2e-2, dropout=0.1)


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Examples, Examples]:
    folder = tmp_path_factory.mktemp("weeks")
    training = on_disk(folder, one=planted(150, 1), none=planted(1, 1).clear(), two=planted(100, 4, first=200))
    return training, on_disk(folder, validation=planted(40, 2))


@pytest.fixture(scope="module")
def model(weeks):
    return SMALL.fit(*weeks, CPU, 1)


def test_it_finds_the_planted_rule(model, weeks):
    unseen = planted(100, 3)
    assert map_of(model, unseen, CPU) > 0.85
    assert map_of(Order().fit(*weeks, CPU, 1), unseen, CPU) < 0.5
    listwise = SMALL.model_copy(update={"loss": "listwise"}).fit(*weeks, CPU, 1)
    assert map_of(listwise, unseen, CPU) > 0.85


def test_a_loaded_model_gives_the_same_scores_and_bytes(model, tmp_path):
    unseen = planted(30, 3)
    check_saved_and_loaded(SMALL, model, unseen, tmp_path, CPU)


def test_fitted_again_it_takes_as_many_passes_and_learns_of_the_weeks_that_it_is_given(model, weeks, tmp_path):
    """In the first weeks price_fit and recency decide, in the next `noise` does."""
    other = planted(250, 4, 500).with_columns(label=(pl.col("noise") > 0.9).cast(pl.Int8))
    again = SMALL.refit(model, on_disk(tmp_path, few=planted(30, 1), many=other), CPU, 1)
    assert again.passes == model.passes <= SMALL.epochs
    unseen = planted(60, 5).with_columns(label=(pl.col("noise") > 0.9).cast(pl.Int8))
    assert map_of(again, unseen, CPU) > 0.5 > map_of(model, unseen, CPU)


def test_the_seed_alone_decides_the_model(weeks, tmp_path):
    check_seed_alone_decides(SMALL.model_copy(update={"epochs": 1}), weeks, tmp_path, CPU)


def test_a_score_does_not_depend_on_what_else_is_scored(model):
    unseen = planted(300, 3)
    assert unseen.height > 4096
    assert model.score(unseen[4000:4321]).equals(model.score(unseen)[4000:4321])


def test_its_layers_by_hand():
    torch.manual_seed(1)
    network = Network(SMALL, Columns(("a", "b"), (1,), {}, ()), Numbers(2, [1])).eval()
    raw = np.array([[0.5, np.nan], [-1.0, 2.0], [3.0, 0.0]], dtype=np.float32)
    empty = torch.zeros(3, 0, dtype=torch.int32)
    with torch.no_grad():
        found = network(Rows(torch.from_numpy(raw), empty, empty, torch.arange(3))).numpy()
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    normal = np.column_stack([np.nan_to_num(raw), np.isnan(raw[:, 1])]) / np.sqrt(1 + 1e-5)
    hidden = normal
    for layer in range(2):
        hidden = hidden @ weights[f"layers.{layer}.weight"].T + weights[f"layers.{layer}.bias"]
        hidden = hidden / (1 + np.exp(-hidden))
    expected = np.hstack([hidden, normal]) @ weights["out.weight"].T + weights["out.bias"]
    assert found == pytest.approx(expected[:, 0], abs=1e-5)


def test_one_customer_with_one_candidate_is_enough(tmp_path):
    one = on_disk(tmp_path, one=planted(1, 1).head(1).with_columns(label=pl.lit(1, pl.Int8)))
    model = SMALL.model_copy(update={"epochs": 1}).fit(one, one, CPU, 1)
    assert model.score(planted(2, 1)).is_finite().all()
    assert model.score(planted(1, 1).clear()).to_list() == []


OTHERS = {
    "epochs": 1,
    "batch": 8,
    "accumulate": 3,
    "learning_rate": 1e-3,
    "weight_decay": 0.5,
    "loss": "listwise",
    "hidden": (4,),
    "dropout": 0.5,
}


def test_every_setting_counts(tmp_path):
    """Patience and devices are tested with the training loop: tests/parts/models/training/test_loop.py."""
    assert set(OTHERS) == set(DNN.model_fields) - {"patience", "devices"}
    weeks = on_disk(tmp_path, training=planted(60, 1)), on_disk(tmp_path, validation=planted(20, 2))
    quick, unseen = SMALL.model_copy(update={"epochs": 2}), planted(10, 5)
    assert idle_settings(quick, OTHERS, weeks, unseen, CPU) == []
