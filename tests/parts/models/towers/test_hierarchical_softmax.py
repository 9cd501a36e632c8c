"""The hierarchical softmax: likelihoods by hand that add up to 1, and classes by who buys, or by a category."""

import kit
import pytest
import torch

from hmgpu.core.engine import Engine
from hmgpu.parts.models.encode.columns import RARE
from hmgpu.parts.models.towers.hierarchical_softmax import hierarchical_softmax
from hmgpu.parts.models.training.week_files import PurchaseFiles
from hmgpu.parts.retrievers.hierarchical_softmax import HierarchicalSoftmax

CPU = Engine("cpu", "tests")
PART = HierarchicalSoftmax(width=4, hidden=(4,), dimensions=3, temperature=0.5, classes=4)
NO_FILES = PurchaseFiles([], [])


@pytest.fixture(scope="module")
def past():
    """Customers buy the even or the odd articles, of three types."""
    bought = [(day, customer, (customer + 2 * day) % 12) for day in range(1, 80) for customer in range(20)]
    return kit.testing.make_history(bought, articles={article: {"product_type": article % 3} for article in range(12)})


def prepared(past, part):
    torch.manual_seed(3)
    encoders = kit.encoders(past, CPU)
    model = hierarchical_softmax(part, encoders)
    model.prepare(past, encoders, NO_FILES, 1)
    known = encoders.articles(past)
    return model, dict(zip(known["key"], model.class_of[known["article"].to_torch().long()].tolist(), strict=True))


def test_classes_are_of_those_that_the_same_customers_buy(past):
    _, classes = prepared(past, PART.model_copy(update={"classes": 2}))
    assert [len({classes[article] for article in range(12) if article % 2 == odd}) for odd in (0, 1)] == [1, 1]
    assert len(set(classes.values())) == 2


def test_classes_of_a_category_are_its_values(past):
    model, classes = prepared(past, HierarchicalSoftmax(by="product_type"))
    assert [len({classes[article] for article in range(12) if article % 3 == of}) for of in range(3)] == [1, 1, 1]
    assert len(set(classes.values())) == 3
    assert model.classes.num_embeddings == 6  # three types, and the codes of what is missing, unknown or padding


def test_without_a_number_there_are_as_many_classes_as_articles_in_each(past):
    assert prepared(past, HierarchicalSoftmax())[0].classes.num_embeddings == 3  # of twelve articles


def test_likelihoods_by_hand_add_up_to_1(past):
    model, _ = prepared(past, PART)
    customers = torch.nn.functional.normalize(torch.randn(2, 3), dim=1)
    codes = torch.arange(RARE + 1, RARE + 1 + 12)
    unit = torch.nn.functional.normalize
    classes, articles = unit(model.classes.weight, dim=1), unit(model.articles.weight, dim=1)
    there = sorted(set(model.class_of[codes].tolist()))
    for customer in customers:
        found = torch.exp(-model.minus_log(customer.expand(12, 3), codes))
        assert found.sum().item() == pytest.approx(1, abs=1e-5)
        of_classes = torch.softmax(classes[there] @ customer / 0.5, 0)
        for code, likely in zip(codes.tolist(), found.tolist(), strict=True):
            mine = int(model.class_of[code])
            within = [other for other in codes.tolist() if model.class_of[other] == mine]
            of_mine = torch.softmax(articles[within] @ customer / 0.5, 0)[within.index(code)]
            assert likely == pytest.approx(float(of_classes[there.index(mine)] * of_mine), rel=1e-4)


def test_rows_are_answered_in_their_order_and_each_by_itself(past):
    model, _ = prepared(past, PART)
    customers, codes = torch.nn.functional.normalize(torch.randn(30, 3), dim=1), torch.randint(RARE + 1, 15, (30,))
    found = model.minus_log(customers, codes)
    alone = torch.cat([model.minus_log(customers[[row]], codes[[row]]) for row in range(30)])
    assert torch.allclose(found, alone, atol=1e-5)
