"""The sampled softmax compared with values worked out by hand, and with the full softmax that it estimates."""

import math

import pytest
import torch

from hmgpu.parts.models.training.loss import sampled_softmax

ONES = torch.ones(2)


def unit(*angles: float) -> torch.Tensor:
    return torch.tensor([[math.cos(angle), math.sin(angle)] for angle in angles])


def loss(customers, articles, bought, keys=None, log_draws=None, temperature=1.0, weights=None):
    keys = bought if keys is None else keys
    log_draws = [0.0] * len(keys) if log_draws is None else log_draws
    weights = [1.0] * len(bought) if weights is None else weights
    tensors = [torch.tensor(values) for values in (bought, keys, log_draws)]
    return sampled_softmax(customers, articles, *tensors, temperature, torch.tensor(weights)).item()


def test_equal_vectors_give_the_logarithm_of_the_batch():
    same = unit(0.3, 0.3, 0.3, 0.3)
    assert loss(same, same, [1, 2, 3, 4]) == pytest.approx(math.log(4))


def test_hand_worked_for_two_customers():
    """Own articles at cosine 1, the other customer's at cosine 0, temperature 0.5: -log(e² / (e² + 1))."""
    vectors = unit(0.0, math.pi / 2)
    expected = -math.log(math.exp(2) / (math.exp(2) + 1))
    assert loss(vectors, vectors, [1, 2], temperature=0.5) == pytest.approx(expected)


def test_an_article_that_two_customers_bought_is_not_a_negative_of_either():
    customers, articles = unit(0.0, 0.1, 2.0), unit(0.5, 0.5, 1.0)
    assert loss(customers, articles, [7, 7, 8]) == pytest.approx(
        (loss(customers[[0, 2]], articles[[0, 2]], [7, 8], weights=[1.0, 0.0]) * 1
         + loss(customers[[1, 2]], articles[[1, 2]], [7, 8], weights=[1.0, 0.0])
         + loss(customers, articles, [7, 9, 8], weights=[0.0, 0.0, 1.0])) / 3
    )  # fmt: skip


def test_extra_articles_are_negatives_of_all_but_their_buyers():
    customers, articles = unit(0.0, 1.0), unit(0.0, 1.0, 0.0)
    plain = loss(customers, articles[:2], [1, 2])
    assert loss(customers, articles, [1, 2], keys=[1, 2, 3]) > plain
    only_second = loss(customers, articles, [1, 2], keys=[1, 2, 1], weights=[1.0, 0.0])
    assert only_second == pytest.approx(loss(customers, articles[:2], [1, 2], weights=[1.0, 0.0]))


def test_what_is_not_possible_is_no_negative_and_what_was_bought_always_counts():
    customers, articles = unit(0.0, 1.0, 2.0), unit(0.0, 1.0, 2.0)
    facts = [torch.tensor(values) for values in ([1, 2, 3], [1, 2, 3], [0.0, 0.0, 0.0])]
    never, first = torch.zeros(3, 3, dtype=torch.bool), torch.tensor([1.0, 0.0, 0.0])
    assert sampled_softmax(customers, articles, *facts, 1.0, torch.ones(3), never).item() == 0
    without_third = torch.tensor([[True, True, False]] * 3)
    found = sampled_softmax(customers, articles, *facts, 1.0, first, without_third).item()
    assert found == pytest.approx(loss(customers[:2], articles[:2], [1, 2], weights=[1.0, 0.0]))


def test_in_mixed_precision_it_is_as_exact_as_in_float32():
    """At a temperature of .05, bfloat16 is off by .07, more than a pass of training changes."""
    customers, articles = (
        torch.nn.functional.normalize(torch.randn(64, 32, generator=torch.Generator().manual_seed(seed)), dim=1)
        for seed in (1, 2)
    )
    bought = list(range(64))
    expected = loss(customers, articles, bought, temperature=0.05)
    with torch.autocast("cpu", torch.bfloat16):
        assert loss(customers, articles, bought, temperature=0.05) == pytest.approx(expected, rel=1e-6)


def test_weights_weigh():
    customers, articles = unit(0.0, 1.0), unit(0.2, 2.0)
    first, second = (loss(customers, articles, [1, 2], weights=weights) for weights in ([1.0, 0.0], [0.0, 1.0]))
    assert loss(customers, articles, [1, 2], weights=[3.0, 1.0]) == pytest.approx((3 * first + second) / 4)


def test_subtracting_log_draws_recovers_the_probabilities_that_popularity_hides():
    """Whoever buys, nine in ten purchases are of article 0, so it is sampled as a negative nine times as often.

    The scores that are fitted then differ by ln 9, as the probabilities do; uncorrected they would hardly differ.
    """
    torch.manual_seed(0)
    scores = torch.zeros(2, requires_grad=True)
    optimiser = torch.optim.Adam([scores], lr=0.05)
    frequency = torch.tensor([0.9, 0.1])
    for _ in range(400):
        bought = torch.multinomial(frequency, 64, replacement=True)
        logits = scores[bought][None, :].expand(64, 64)
        # Scores stand in for dot products: vectors (1, 0) and (score, 0).
        articles = torch.stack([logits[0], torch.zeros(64)], dim=1)
        customers = torch.tensor([[1.0, 0.0]]).expand(64, 2)
        log_draws = (64 * frequency[bought]).log()
        value = sampled_softmax(customers, articles, torch.arange(64), torch.arange(64), log_draws, 1.0, torch.ones(64))
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
    gap = (scores[0] - scores[1]).item()
    assert gap == pytest.approx(math.log(9), abs=0.35)
