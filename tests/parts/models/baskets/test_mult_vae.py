"""The autoencoder's loss by a few lines of NumPy, its training on a History, and the vectors that it computes."""

import kit
import numpy as np
import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.parts.models.baskets.baskets import BASKET
from hmgpu.parts.models.baskets.mult_vae import MultVAE as Network
from hmgpu.parts.models.baskets.mult_vae import torch
from hmgpu.parts.models.training.batches import whole
from hmgpu.parts.models.training.weights import load_weights
from hmgpu.parts.part import PartContext
from hmgpu.parts.retrievers.mult_vae import MultVAE

CPU = Engine("cpu", "tests")
SMALL = MultVAE(epochs=3, width=8, dimensions=4, batch=2, dropout=0.0, support=2)
BOUGHT = [(day, customer, day % 5) for day in range(1, 60) for customer in range(3)]
LISTS = [[0, 2, 3], [4], []]


def inputs():
    return whole(pl.DataFrame({BASKET: LISTS}, schema={BASKET: pl.List(pl.Int32)}), "cpu")


def network() -> Network:
    torch.manual_seed(1)
    return Network(5, SMALL)


def test_the_loss_by_hand():
    model, noise = network(), np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
    weights = {name: value.detach().numpy() for name, value in model.named_parameters()}
    found = model.losses(inputs(), *model.encode(inputs()), torch.from_numpy(noise))
    for row, bought in enumerate(LISTS):
        x = np.zeros(5)
        x[bought] = 1 / np.sqrt(max(1, len(bought)))
        hidden = np.tanh(x @ weights["bought.weight"] + weights["constant"])
        mean, log_variance = np.split(weights["ends.weight"] @ hidden + weights["ends.bias"], 2)
        vector = mean + noise[row] * np.sqrt(np.exp(log_variance))
        logits = weights["articles.weight"] @ vector + weights["articles.bias"]
        unlikely = -sum(np.log(np.exp(logits) / np.exp(logits).sum())[bought])
        divergence = 0.5 * (np.exp(log_variance) + mean**2 - 1 - log_variance).sum()
        assert [each[row].item() for each in found] == pytest.approx([unlikely, divergence], abs=1e-5)


def test_the_divergence_counts_more_with_every_step_up_to_beta():
    parts, grown = SMALL.model_copy(update={"beta": 0.5, "anneal": 4}), []
    model = Network(5, parts)
    for _ in range(6):
        torch.manual_seed(2)
        value, rows = model.loss((inputs(), None))
        torch.manual_seed(2)
        mean, log_variance = model.encode(inputs())
        unlikely, divergence = model.losses(inputs(), mean, log_variance, torch.randn_like(mean))
        grown.append(((value - unlikely.mean()) / divergence.mean()).item())
        assert rows == 3
    assert grown == pytest.approx([0.125, 0.25, 0.375, 0.5, 0.5, 0.5], abs=1e-4)


def test_vectors_order_articles_as_the_network_does(make_history, tmp_path):
    history = make_history(BOUGHT, customers={9: {}})
    part = SMALL.bind(PartContext(CPU, 1, kit.encoders, tmp_path))
    part.train(history, tmp_path, tmp_path / "work")
    tables = {name: table.collect() for name, table in kit.learned(part, history, CPU).items()}
    articles, customers = tables["articles"].drop("on_sale"), tables["customers"]
    assert articles["article"].to_list() == list(range(5))
    assert customers["customer"].to_list() == [0, 1, 2, 9]  # who bought nothing has a vector, too
    kit.check_unit_vectors(customers)
    model = Network(5, SMALL)
    load_weights(model, tmp_path / "network.npz")
    basket = whole(pl.DataFrame({BASKET: [list(range(5))]}, schema={BASKET: pl.List(pl.Int32)}), "cpu")
    logits = model.eval().articles(model.encode(basket)[0]).detach().numpy()[0]
    dots = articles.drop("article").to_numpy().astype(float) @ customers.drop("customer").to_numpy()[0] / 2048**2
    # Apart from a factor and a constant they are the same numbers, but for the steps of vectors.
    assert np.corrcoef(logits, dots)[0, 1] > 0.999
