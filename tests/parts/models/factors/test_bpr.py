"""BPR in torch: a step by hand, what is sampled, and the loss of implicit after as many passes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from liked_articles import liked, summed
from scipy.sparse import csr_matrix

from hmgpu.parts.models.factors import bpr, by_implicit
from hmgpu.parts.models.factors.bpr import Ranking

SETTINGS = Ranking(factors=8, learning_rate=0.15, l2=0.03, iterations=20, seed=1)


@pytest.fixture(scope="module")
def bought() -> csr_matrix:
    """Purchases of 1200 customers, who each like an eighth of 400 articles; some articles sell much more."""
    purchases = liked(np.random.default_rng(3), customers=1200, least=2, articles=50)
    return summed(np.ones(len(purchases[0]), dtype=np.float32), purchases)


def loss(bought: csr_matrix, customers: np.ndarray, articles: np.ndarray) -> float:
    """Return the mean of -ln σ(how much nearer a bought article is than another), over pairs sampled as in a fit."""
    batches = list(bpr._pairs(bought, 20, np.random.default_rng(9), "cpu"))
    customer, article, other = (torch.cat([batch[place] for batch in batches]).numpy() for place in range(3))
    apart = (customers[customer] * (articles[article] - articles[other])).sum(1)
    return float(np.logaddexp(0, -apart).mean())


def test_a_step_by_hand():
    """Customer (1, 1) bought the first article, at (0, 2), and not the second, at (0, 1): σ(-(2 - 1)) = .2689."""
    customers, articles = torch.tensor([[1.0, 1.0]]), torch.tensor([[0.0, 2.0], [0.0, 1.0]])
    pairs = (torch.tensor([0]), torch.tensor([0]), torch.tensor([1]))
    bpr._step(customers, articles, pairs, replace(SETTINGS, learning_rate=0.5, l2=0.1))
    wrong = 1 / (1 + np.e)
    # The customer's last number belongs to popularity and stays; all else shrinks by the penalty, too.
    assert customers.tolist() == [[pytest.approx(1 - 0.5 * 0.1), 1.0]]
    assert articles[0].tolist() == pytest.approx([0.5 * wrong, 2 + 0.5 * (wrong - 0.1 * 2)])
    assert articles[1].tolist() == pytest.approx([-0.5 * wrong, 1 + 0.5 * (-wrong - 0.1 * 1)])


def test_pairs_of_one_article_are_added_up():
    customers, articles = torch.tensor([[1.0, 1.0], [2.0, 1.0]]), torch.zeros(2, 2)
    pairs = (torch.tensor([0, 1]), torch.tensor([0, 0]), torch.tensor([1, 1]))
    bpr._step(customers, articles, pairs, replace(SETTINGS, learning_rate=1.0, l2=0.0))
    assert articles.tolist() == [[1.5, 1.0], [-1.5, -1.0]]


def test_the_first_article_was_bought_and_the_other_was_not(bought):
    pairs = list(bpr._pairs(bought, 20, np.random.default_rng(1), "cpu"))
    customer, article, other = (torch.cat([batch[place] for batch in pairs]).numpy() for place in range(3))
    taken = bought.toarray() > 0
    assert taken[customer, article].all()
    assert not taken[customer, other].any()
    assert 19 * bought.nnz < len(customer) < 20 * bought.nnz
    # Both are sampled by their sales.
    sales = taken.sum(0)
    assert np.corrcoef(np.bincount(article, minlength=len(sales)), sales)[0, 1] > 0.99
    assert np.corrcoef(np.bincount(other, minlength=len(sales)), sales)[0, 1] > 0.99


def test_who_bought_everything_teaches_nothing():
    assert list(bpr._pairs(csr_matrix(np.ones((2, 3), dtype=np.float32)), 5, np.random.default_rng(1), "cpu")) == []


def test_the_loss_is_that_of_implicit_after_as_many_passes(bought, monkeypatch):
    """On the average of three seeds: one seed's is up to 2 % from another's, in implicit as here."""
    monkeypatch.setattr(bpr, "PER_PAIR", 1)  # larger batches, which take a quarter of the time
    each = [replace(SETTINGS, seed=seed) for seed in (1, 2, 3)]
    ours = np.mean([loss(bought, *bpr.ranked(bought, settings, "cpu")) for settings in each])
    theirs = np.mean([loss(bought, *by_implicit.ranked(bought, settings)) for settings in each])
    assert ours == pytest.approx(theirs, rel=0.01)
    assert ours < 0.2 * np.log(2)  # that of an untaught model


def test_the_seed_alone_decides_the_bytes(bought):
    few = replace(SETTINGS, iterations=2)
    first, again = (bpr.ranked(bought, few, "cpu") for _ in range(2))
    assert [each.tobytes() for each in first] == [each.tobytes() for each in again]
    assert first[1].tobytes() != bpr.ranked(bought, replace(few, seed=2), "cpu")[1].tobytes()


@pytest.mark.gpu
def test_a_gpu_fits_the_same_each_time(bought, gpu):
    first, again = (bpr.ranked(bought, SETTINGS, gpu.device) for _ in range(2))
    assert [each.tobytes() for each in first] == [each.tobytes() for each in again]
    assert loss(bought, *first) == pytest.approx(loss(bought, *bpr.ranked(bought, SETTINGS, "cpu")), rel=1e-3)
