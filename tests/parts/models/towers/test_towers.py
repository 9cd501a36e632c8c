"""The towers: unit vectors, one side at a time, shared tables, small starts, and weights that load again."""

import math

import kit
import pytest
import torch

from hmgpu.core.engine import Engine
from hmgpu.parts.models.towers.towers import Towers
from hmgpu.parts.models.towers.towers import towers as towers_of
from hmgpu.parts.models.training.batches import LOG_DRAWS, TARGET, WEEK, WEIGHT, tensors
from hmgpu.parts.retrievers.two_tower import TwoTower

CPU = Engine("cpu", "tests")


@pytest.fixture
def encoded(make_history):
    bought = [(day, customer, (customer * 7 + day) % 20) for day in range(1, 60) for customer in range(12)]
    history = make_history(bought, articles={article: {"product_type": article % 3} for article in range(20)})
    return history, kit.encoders(history, CPU)


def towers(encoders) -> Towers:
    torch.manual_seed(0)
    return towers_of(TwoTower(width=8, hidden=(16,), dimensions=12), encoders)


def rows(encoded, side):
    history, encoders = encoded
    articles = encoders.articles(history)
    customers = encoders.customers(history, history.customers.select("customer"), articles, 5)
    return next(tensors({"customer": customers, "article": articles}[side].drop("key"), 1000, "cpu"))


@pytest.mark.parametrize(("side", "count"), [("customer", 12), ("article", 20)])
def test_each_side_gives_vectors_of_length_one_from_its_own_columns(encoded, side, count):
    vectors = towers(encoded[1]).encode(rows(encoded, side), side)
    assert vectors.shape == (count, 12)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(count), atol=1e-5)
    assert len({tuple(vector.tolist()) for vector in vectors}) == count


def test_the_latest_articles_are_looked_up_in_the_articles_own_table(encoded):
    model = towers(encoded[1])
    customers = rows(encoded, "customer")
    before = model.encode(customers, "customer")
    (table,) = (m for m in model.modules() if type(m).__name__ == "EmbeddingTable" and "article" in m.feature_to_domain)
    assert set(table.feature_to_domain) == {"article", "recent_article", "latest_article"}
    with torch.no_grad():
        table.table.weight += torch.randn_like(table.table.weight)
    assert not torch.allclose(before, model.encode(customers, "customer"))


def test_embeddings_start_small(encoded):
    weights = [m.weight for m in towers(encoded[1]).modules() if isinstance(m, torch.nn.Embedding)]
    assert weights
    assert torch.cat([weight.flatten() for weight in weights]).std().item() == pytest.approx(0.05, rel=0.1)


def test_weights_load_into_other_towers(encoded):
    first, second = towers(encoded[1]), towers(encoded[1])
    with torch.no_grad():
        for parameter in first.parameters():
            parameter.add_(0.1)
    second.load_state_dict(first.state_dict())
    articles = rows(encoded, "article")
    assert torch.equal(first.encode(articles, "article"), second.encode(articles, "article"))


def test_without_any_preference_the_loss_is_that_of_guessing(encoded):
    """Before training, the loss of eight customers and articles is about ln 8, and every table has a gradient."""
    model = towers(encoded[1])
    model.temperature = 1e6
    history, encoders = encoded
    articles = encoders.articles(history)
    customers = encoders.customers(history, history.customers.select("customer"), articles, 5)
    some = next(tensors(customers.head(8).drop("key"), 8, "cpu")) | next(
        tensors(articles.head(8).drop("key"), 8, "cpu")
    )
    facts = {TARGET: torch.arange(8), WEEK: torch.zeros(8), LOG_DRAWS: torch.zeros(8), WEIGHT: torch.ones(8)}
    loss, count = model.loss((some | facts, None))
    assert count == 8
    assert loss.item() == pytest.approx(math.log(8), abs=1e-3)
    model.temperature = 0.05
    model.loss((some | facts, None))[0].backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in model.parameters())
