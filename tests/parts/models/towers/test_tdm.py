"""A tree-based deep model: its loss by hand, its tree between passes, and a training that was killed."""

import math

import kit
import pytest
import torch

from hmgpu.core.engine import Engine
from hmgpu.parts.models.encode.columns import RARE
from hmgpu.parts.models.towers.tdm import tdm
from hmgpu.parts.models.training.batches import WEIGHT, tensors
from hmgpu.parts.models.training.week_files import PurchaseFiles
from hmgpu.parts.part import PartContext
from hmgpu.parts.retrievers.tdm import TDM

CPU = Engine("cpu", "tests")
PART = TDM(epochs=3, weeks=3, width=4, hidden=(4,), layers=(4,), dimensions=4, branches=2, negatives=3, batch=64, n=3)


@pytest.fixture(scope="module")
def past():
    """Customers buy the even or the odd articles."""
    bought = [(day, customer, (customer + 2 * day) % 12) for day in range(1, 80) for customer in range(20)]
    return kit.testing.make_history(bought)


def prepared(past):
    torch.manual_seed(3)
    encoders = kit.encoders(past, CPU)
    model = tdm(PART, encoders)
    model.prepare(past, encoders, PurchaseFiles([], []), 1)
    return model, encoders


def test_the_first_tree_is_by_who_buys(past):
    model, encoders = prepared(past)
    known = encoders.articles(past)
    top = model.home[known["article"].to_torch().long()] // 2
    assert [len(set(top[known["key"].to_torch() % 2 == odd].tolist())) for odd in (0, 1)] == [1, 1]


def test_between_passes_the_tree_follows_the_vectors_and_nodes_begin_at_the_means_of_their_articles(past):
    model, _ = prepared(past)
    codes = torch.arange(RARE + 1, len(model.home))
    with torch.no_grad():
        model.tree.leaves.weight[codes] = torch.nn.functional.one_hot((codes // 4) % 4, 4).float()
    model.between_passes()
    for of in range(4):
        assert len(set(model.home[codes[(codes // 4) % 4 == of]].tolist())) <= 1
    for level, nodes in enumerate(model.tree.inner):
        above = model.home[codes] // 2 ** (1 - level)
        for node in set(above.tolist()):
            assert torch.allclose(nodes.weight[node], model.tree.leaves.weight[codes[above == node]].mean(0), atol=1e-6)


def test_the_loss_is_the_mean_cross_entropy_on_all_levels(past, monkeypatch):
    """With the same negatives drawn again: of twelve articles, by their codes."""
    model, encoders = prepared(past)
    articles = encoders.articles(past)
    customers = encoders.customers(past, past.customers.select("customer"), articles, PART.recent)
    (inputs,) = tensors(customers.head(5).drop("key"), 5, "cpu")
    bought, weights = torch.tensor([3, 4, 5, 6, 14]), torch.tensor([1.0, 1, 1, 0.5, 0.5])
    drawn = torch.tensor([[3, 4, 14], [3, 4, 5], [9, 9, 5], [7, 8, 9], [3, 10, 11]])
    monkeypatch.setattr(torch, "randint", lambda *given, **named: drawn)
    found, rows = model.loss((inputs | {"article": bought, WEIGHT: weights}, None))
    assert rows == 5
    own = model.encode(inputs, "customer")
    lists = customers.head(5)["recent_article"].list.head(PART.recent).to_list()
    expected = 0.0
    for row in range(5):
        history = torch.tensor([lists[row]])
        for level in range(3):
            of = [
                int(code if level == 2 else model.home[code] // 2 ** (1 - level)) for code in (bought[row], *drawn[row])
            ]
            for node in [of[0], *(other for other in of[1:] if other != of[0])]:
                vector = model.tree.nodes(torch.tensor([[node]]), level)
                logit = model.tree(vector, history, own[row : row + 1]).item()
                likely = 1 / (1 + math.exp(-logit))
                cost = -math.log(likely if node == of[0] else 1 - likely)
                expected += weights[row].item() * cost / (4 * 5 * 3)
    assert found.item() == pytest.approx(expected, rel=1e-4)


def test_a_training_that_was_killed_ends_with_the_same_weights(past, tmp_path):
    encoders = kit.encoders(past, CPU)

    def train(part, name, work):
        (tmp_path / name).mkdir()
        part.bind(PartContext(CPU, 1, lambda: encoders)).train(past, tmp_path / name, tmp_path / work)
        return (tmp_path / name / part.weights).read_bytes()

    part = PART.model_copy(update={"last_week": "trained"})
    whole = train(part, "whole", "a")
    train(part.model_copy(update={"epochs": 1}), "begun", "b")
    assert train(part, "resumed", "b") == whole
    assert train(part.model_copy(update={"rebuild": False}), "one tree", "c") != whole
