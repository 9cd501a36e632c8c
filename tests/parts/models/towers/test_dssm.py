"""DSSM's bags, worked out by hand, and its two sides."""

import kit
import torch

from hmgpu.core.engine import Engine
from hmgpu.parts.models.towers.dssm import dssm
from hmgpu.parts.models.training.batches import tensors
from hmgpu.parts.retrievers.dssm import DSSM

CPU = Engine("cpu", "tests")


def test_a_bag_is_the_sum_of_words_of_the_means_of_lists_and_of_weighted_numbers(make_history):
    bought = [(day, customer, (customer * 7 + day) % 20) for day in range(1, 60) for customer in range(12)]
    history = make_history(bought, articles={article: {"product_type": article % 3} for article in range(20)})
    encoders = kit.encoders(history, CPU)
    model = dssm(DSSM(hidden=(6, 5), dimensions=4), encoders)
    rows = encoders.customers(history, history.customers.select("customer"), encoders.articles(history), 3)
    bag = model.sides["customer"][0]
    words, numbers = dict(bag.words.items()), bag.numbers
    assert "customer" not in words
    assert {"club", "recent_article", "latest_product_type", "week_of_year"} < set(words)
    assert {"units", "days_since"} <= set(numbers)

    (inputs,) = tensors(rows.drop("key"), 1000, "cpu")
    found = bag(model.own(inputs, "customer"))
    for place, row in enumerate(rows.to_dicts()):
        expected = bag.projected.bias + bag.projected.weight @ torch.tensor([row[name] for name in numbers])
        for name, table in words.items():
            values = row[name] if isinstance(row[name], list) else [row[name]]
            expected = expected + table.weight[values].mean(0)
        assert torch.allclose(found[place], expected, atol=1e-5)
    # Two more layers, of 5 and 4, and no weights that both sides share.
    assert [tuple(layer.weight.shape) for layer in model.sides["customer"][2::2]] == [(5, 6), (4, 5)]
    vectors = model.encode(inputs, "customer")
    assert torch.allclose(vectors.norm(dim=1), torch.ones(12), atol=1e-5)
