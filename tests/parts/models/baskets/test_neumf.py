"""NeuMF's loss by a few lines of NumPy, and that its search finds what scoring every pair finds."""

import kit
import numpy as np
import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.parts.models.baskets.baskets import BASKET
from hmgpu.parts.models.baskets.neumf import NeuMF as Network
from hmgpu.parts.models.baskets.neumf import torch
from hmgpu.parts.models.training.batches import TARGET, whole
from hmgpu.parts.part import PartContext
from hmgpu.parts.retrievers.neumf import NeuMF

CPU = Engine("cpu", "tests")
SMALL = NeuMF(epochs=2, weeks=3, dimensions=3, layers=(4, 2), batch=8, support=1, n=5)


def test_the_loss_by_hand():
    torch.manual_seed(1)
    model, lists, target, others = Network(6, SMALL), [[0, 2], [], [5]], [1, 4, 0], [[3, 1], [0, 5], [2, 3]]
    inputs = whole(pl.DataFrame({BASKET: lists, TARGET: target}, {BASKET: pl.List(pl.Int32), TARGET: pl.Int32}), "cpu")
    found = model.losses(inputs, torch.tensor(others, dtype=torch.int32)).detach().numpy()
    weights = {name: value.detach().numpy().astype(float) for name, value in model.named_parameters()}
    for row, bought in enumerate(lists):
        own = weights["bought.weight"][bought].sum(0) / np.sqrt(max(1, len(bought))) + weights["constant"]
        expected = 0.0
        for article, label in ((target[row], 1), *((other, 0) for other in others[row])):
            if article == target[row] and not label:  # bought after all
                continue
            item = weights["articles.weight"][article]
            inner = weights["of_customer.weight"] @ own[3:] + weights["of_customer.bias"]
            inner = np.maximum(0, inner + weights["of_article.weight"] @ item[3:])
            inner = np.maximum(0, weights["layers.layers.0.weight"] @ inner + weights["layers.layers.0.bias"])
            out = weights["layers.out.weight"][0]
            chance = 1 / (
                1 + np.exp(-(out @ np.concatenate([own[:3] * item[:3], inner]) + weights["layers.out.bias"][0]))
            )
            expected -= np.log(chance if label else 1 - chance)
        assert found[row] == pytest.approx(expected, abs=1e-5)


def test_the_search_finds_the_best_of_all_pairs(make_history, tmp_path):
    bought = [(day, customer, (customer * day + day // 2) % 41) for day in range(1, 45, 3) for customer in range(16)]
    history = make_history(bought)
    part = SMALL.bind(PartContext(CPU, 1, kit.encoders, tmp_path))
    part.train(history, tmp_path, tmp_path / "work")
    tables = kit.learned(part, history, CPU)
    customers = pl.LazyFrame({"customer": range(16)}, schema={"customer": pl.Int32})
    found = CPU.collect(part.retrieve(tables, customers))
    selling = history.on_sale(part.on_sale)
    every = customers.join(selling, how="cross").sort("customer", "article")
    scored = CPU.collect(part.compute(tables, every))
    best = scored.sort("customer", "neumf_logit", "article", descending=[False, True, False], nulls_last=True)
    best = best.group_by("customer", maintain_order=True).head(5)
    assert found.select("customer", "article").rows() == best.select("customer", "article").rows()
    assert found["score"].to_list() == best["neumf_logit"].to_list()
    some = CPU.collect(part.compute(tables, every.filter(pl.col("article") % 3 == 0)))
    assert some.drop("neumf_place").equals(scored.drop("neumf_place").filter(pl.col("article") % 3 == 0))
