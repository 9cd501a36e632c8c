"""Bayesian personalised ranking: it finds tastes, and the seed alone decides the vectors."""

import dataclasses

import kit
import pytest

from hmgpu.core.engine import Engine
from hmgpu.parts.retrievers.bpr import BPR

CPU = Engine("cpu", "tests")
pytestmark = pytest.mark.usefixtures("fitted_by")


def test_it_finds_what_customers_of_the_same_taste_buy(times_popular):
    assert times_popular(BPR(n=15, factors=8)) > 2


def test_the_seed_alone_decides_the_vectors(tasteful):
    part = kit.bound(BPR(factors=8, iterations=5), tasteful, CPU)
    parts = [part, part.bind(part.context), part.bind(dataclasses.replace(part.context, seed=part.context.seed + 1))]
    first, again, other = (kit.learned(each, tasteful, CPU)["articles"].collect() for each in parts)
    assert again.equals(first)
    assert not other.equals(first)


def test_an_article_bought_longer_ago_than_its_days_has_no_vector(make_history):
    part = BPR(factors=2, days=20)
    history = make_history([(21, 0, 1), (20, 0, 2), (20, 1, 2), (1, 1, 3), (1, 2, 3)])
    assert kit.learned(kit.bound(part, history, CPU), history, CPU)["articles"].collect()["article"].to_list() == [
        2,
        3,
    ]
    assert kit.proposed(part, make_history([(21, 0, 1)]), CPU, [0]) == {0: []}
