"""The network that sees pictures: its loss by a few lines of NumPy, what its gradients reach, and that it resumes."""

import kit
import looks
import numpy as np
import polars as pl
import pytest
import torch

from hmgpu.core.engine import Engine
from hmgpu.parts.models.baskets.baskets import BASKET
from hmgpu.parts.models.images.feature_maps import picture
from hmgpu.parts.models.images.image_ete import ImageETE as Network
from hmgpu.parts.models.images.sampled import NEGATIVES
from hmgpu.parts.models.training.batches import TARGET, whole
from hmgpu.parts.part import PartContext
from hmgpu.parts.retrievers.image_ete import ImageETE

CPU = Engine("cpu", "tests")
SMALL = ImageETE(**kit.TINY, epochs=3, weeks=3, dimensions=4, batch=16, support=1, learning_rate=2e-2)
LISTS = {name: pl.List(pl.Int32) for name in (BASKET, NEGATIVES)}


@pytest.fixture
def history(tmp_path):
    return looks.few_sold(looks.draw(tmp_path / "images"))


def context(tmp_path, model=None):
    return PartContext(CPU, 1, kit.encoders, model, tmp_path / "cache")


def network(history, tmp_path, part=SMALL):
    """A network of six articles, without a picture of the last one."""
    ids = [f"{article:010}" for article in range(5)]
    (tmp_path / "images" / "000" / "0000000005.jpg").unlink(missing_ok=True)
    articles = pl.DataFrame({"article": range(6), "place": range(6)}, schema={"article": pl.Int32, "place": pl.Int32})
    torch.manual_seed(1)
    model = Network(6, part)
    assert model.write(history, articles, context(tmp_path), tmp_path / "purchases")
    assert [each and each[0] for each in model.pictures] == [*(f"{each}.jpg" for each in ids), None]
    return model


def batch():
    lists = {BASKET: [[0, 2], None, [5]], NEGATIVES: [[3, 1], [0], [2, 3, 4]], TARGET: [1, 4, 5]}
    return whole(pl.DataFrame(lists, LISTS | {TARGET: pl.Int32}), "cpu")


@pytest.mark.parametrize("settings", [{}, {"loss": "bce", "alpha": 0.7}])
def test_the_loss_by_hand(settings, history, tmp_path):
    part = SMALL.model_copy(update=settings)
    model, others = network(history, tmp_path, part).eval(), [[3, 1], [0, 0], [2, 4]]
    inputs = batch()
    found = model.losses(inputs, torch.tensor(others)).detach().numpy()
    with torch.no_grad():
        files = [history.pictures / "000" / f"{article:010}.jpg" for article in range(5)]
        maps = model.maps.read([picture(file) for file in files]).float()
        features = model.backbone.trained(maps).numpy().astype(float)
    weights = {name: value.detach().numpy().astype(float) for name, value in model.named_parameters()}
    scaled = (features - features.mean(0)) / np.maximum(features.std(0), 1e-3)
    vectors = weights["articles.weight"].copy()
    vectors[:5] += scaled @ weights["seen.weight"].T + weights["seen.bias"]
    for row, bought in enumerate([[0, 2], [], [5]]):
        own = weights["bought.weight"][bought].sum(0) / np.sqrt(max(1, len(bought))) + weights["constant"]
        first, *rest = (own @ vectors[place] for place in (inputs[TARGET][row].item(), *others[row]))
        if settings:
            expected = 0.7 * np.log1p(np.exp(-first)) + 0.3 * sum(np.log1p(np.exp(other)) for other in rest)
        else:
            expected = np.mean([np.log1p(np.exp(other - first)) for other in rest])
        assert found[row] == pytest.approx(expected, abs=1e-4)


def test_each_purchase_is_compared_with_its_own_negatives(history, tmp_path, monkeypatch):
    model = network(history, tmp_path, SMALL.model_copy(update={"negatives": 50}))
    seen = []
    monkeypatch.setattr(model, "losses", lambda _, others: seen.append(others) or others.float())
    assert model.loss((batch(), None))[1] == 3
    assert [set(row) for row in seen[0].tolist()] == [{1, 3}, {0}, {2, 3, 4}]


@pytest.mark.parametrize("mixed", [False, True])
def test_gradients_reach_the_trained_blocks_and_the_factors_and_nothing_else(mixed, history, tmp_path):
    model = network(history, tmp_path, SMALL.model_copy(update={"trained": 2})).train()
    for name, value in model.backbone.named_parameters():  # timm starts the last norm of a block with zeros
        torch.nn.init.ones_(value) if "bn" in name and name.endswith("weight") else None
    with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
        loss, _ = model.loss((batch(), None))
    assert loss.dtype == torch.float32
    loss.backward()
    reached = {name for name, value in model.named_parameters() if value.grad is not None and value.grad.any()}
    frozen = {name for name, _ in model.named_parameters() if name.startswith("backbone.frozen.")}
    blocks = {name for name, _ in model.named_parameters() if name.startswith("backbone.trained.")}
    assert len(blocks) > 10
    assert frozen
    assert reached == {name for name, _ in model.named_parameters()} - frozen
    groups = model.parameter_groups()
    assert [len(group["params"]) for group in groups] == [5, len(blocks)]
    assert (groups[1]["lr"], model.settings.learning_rate) == (1e-4, 2e-2)


def test_with_its_own_factors_left_out_an_article_is_its_picture(history, tmp_path):
    model = network(history, tmp_path, SMALL.model_copy(update={"unseen": 0.999_999})).train()
    model.losses(batch(), torch.tensor([[3], [0], [2]])).sum().backward()
    assert not model.articles.weight.grad.any()
    assert model.seen.weight.grad.any()


def test_what_is_kept_of_pictures_is_the_same_for_any_number_of_articles():
    digests = []
    for articles in (3, 9):
        torch.manual_seed(1)
        digests.append(Network(articles, SMALL).backbone.digest(CPU))
    assert digests[0] == digests[1]


def test_a_training_that_was_killed_ends_with_the_same_weights(history, tmp_path):
    def weights(part, folder, work):
        (tmp_path / folder).mkdir()
        part.bind(context(tmp_path)).train(history, tmp_path / folder, tmp_path / work)
        return (tmp_path / folder / "network.npz").read_bytes()

    whole_training = weights(SMALL, "whole", "a")
    weights(SMALL.model_copy(update={"epochs": 1}), "begun", "b")
    assert weights(SMALL, "resumed", "b") == whole_training


def test_where_nothing_was_sampled_nothing_is_proposed_and_a_line_says_so(make_history, tmp_path, caplog):
    bought = [(day, customer, 0) for day in range(1, 60) for customer in range(3)]
    history = make_history(bought, pictures=looks.draw(tmp_path / "images"), articles={0: {"product_type": 0}})
    part = SMALL.bind(context(tmp_path, tmp_path))
    part.train(history, tmp_path, tmp_path / "work")
    assert "image_ete proposes nothing: " in caplog.text
    tables = kit.learned(part, history, CPU)
    customer = pl.LazyFrame({"customer": [0]}, schema={"customer": pl.Int32})
    assert CPU.collect(part.retrieve(tables, customer)).is_empty()
