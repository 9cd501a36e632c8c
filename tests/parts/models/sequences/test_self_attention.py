"""Self-attention: nothing is seen before its time, negatives are what was on sale, and all weights learn."""

import math

import numpy as np
import polars as pl
import pytest
import torch

from hmgpu.parts.models.sequences.self_attention import SelfAttention
from hmgpu.parts.models.sequences.supply import EDGES
from hmgpu.parts.models.training.batches import whole
from hmgpu.parts.retrievers.sasrec import SASRec

DAYS = [10, 10, 10, 17, 17, 40, 40]
BOUGHT = [0, 1, 2, 0, 3, 0, 4]  # articles 1 and 2 on day 10, 3 on day 17, 4 on day 40
CODES = torch.tensor([[1, 0], [2, 1], [0, 1], [3, 2], [4, 0]])  # an article's own embedding, and one field
NEVER_SOLD = np.zeros((20, len(CODES), 2), dtype=np.uint8)
SUPPLY = {"bought": [3, 1, 1, 1, 2], "first": [0, 0, 0, 0, 0], "last": [99, 99, 99, 99, 99]}


@pytest.fixture
def model():
    torch.manual_seed(0)
    settings = SASRec(dimensions=8, heads=2, blocks=2, extra=0, dropout=0.0, half_life=1e9)
    return SelfAttention([5, 3], settings)


def answers(model, bought=BOUGHT, days=DAYS, band=3, codes=CODES) -> torch.Tensor:
    with torch.no_grad():
        return model.answers(codes, torch.tensor([bought]), torch.tensor([days]), torch.tensor([band]))[0]


def test_answers_and_articles_have_length_one(model):
    for vectors in (answers(model), model._own(CODES)):
        assert torch.allclose(vectors.norm(dim=1), torch.ones(len(vectors)), atol=1e-5)


def test_a_later_purchase_changes_no_earlier_answer(model):
    for entry in range(1, len(BOUGHT)):
        other = [*BOUGHT[:entry], 5, *BOUGHT[entry + 1 :]]
        later = [*DAYS[:entry], *(day + 100 for day in DAYS[entry:])]
        assert torch.equal(answers(model, other)[:entry], answers(model)[:entry])
        assert torch.equal(answers(model, days=later)[:entry], answers(model)[:entry])
        assert not torch.allclose(answers(model, other)[entry:], answers(model)[entry:], atol=1e-4)


def test_purchases_of_one_day_are_asked_for_before_any_of_them(model):
    """The question of day 10 knows neither article 1 nor 2, that of day 17 both, whatever is bought on it."""
    both, first, second = answers(model), answers(model, [0, 5, 2, 0, 3, 0, 4]), answers(model, [0, 1, 5, 0, 3, 0, 4])
    assert torch.equal(both[0], first[0])
    assert torch.equal(both[0], second[0])
    for other in (first, second):
        assert not torch.allclose(both[3], other[3], atol=1e-4)
    assert torch.equal(both[3], answers(model, [0, 1, 2, 0, 5, 0, 4])[3])


def test_padding_changes_nothing(model):
    padded = answers(model, [*BOUGHT, 0, 0], [*DAYS, 0, 0])
    assert torch.allclose(padded[: len(BOUGHT)], answers(model), atol=1e-6)


def test_days_between_matter_and_the_calendar_does_not(model):
    assert torch.allclose(answers(model, days=[day + 1000 for day in DAYS]), answers(model), atol=1e-6)
    longer = [*DAYS[:5], 300, 300]
    assert not torch.allclose(answers(model, days=longer)[5], answers(model)[5], atol=1e-4)


def test_age_tells_customers_apart_who_have_not_bought(model):
    one, other = (answers(model, [0], [40], band)[0] for band in (3, 4))
    assert not torch.allclose(one, other, atol=1e-3)
    assert torch.equal(one, answers(model, [0], [40], 3, CODES[:0])[0])  # where there is no article at all


def test_fields_tell_new_articles_apart(model):
    new = model.articles(torch.tensor([[0, 0], [0, 1], [0, 1]]), torch.zeros(3, 2))
    assert not torch.allclose(new[0], new[1], atol=1e-3)
    assert torch.equal(new[1], new[2])


def batch(sequences, since=0):
    table = pl.DataFrame(sequences, schema=dict.fromkeys(("places", "days"), pl.List(pl.Int32)), orient="row")
    return whole(table.with_columns(band=pl.lit(1), since=pl.lit(since)), "cpu"), None


def loss(model, sequences, since=0, bands=NEVER_SOLD, **supply) -> tuple[float, int]:
    model.learn_from(CODES, pl.DataFrame(SUPPLY | supply), bands, 100)
    value, count = model.loss(batch(sequences, since))
    return value.item(), count


SEQUENCES = [([0, 1, 2], [10, 10, 10]), ([0, 3], [10, 10]), ([0, 4, 0, 1], [5, 5, 12, 12])]


def test_without_any_preference_the_loss_is_that_of_guessing_among_what_others_bought(model):
    """Five purchases; the loss of each is the logarithm of itself and what others bought, corrected for its draws."""
    model.settings = model.settings.model_copy(update={"temperature": 1e9})
    share = {1: 3 / 8, 2: 1 / 8, 3: 1 / 8, 4: 1 / 8}

    def alone(own, *others):
        return math.log(sum(1 / share[article] for article in (own, *others)) * share[own])

    # Customer 0 bought 1 and 2, 1 bought 3, and 2 bought 4 and 1; nobody's own purchases are negatives of theirs.
    losses = [alone(1, 3, 4), alone(2, 3, 4, 1), alone(3, 1, 2, 4, 1), alone(4, 1, 2, 3), alone(1, 2, 3)]
    assert loss(model, SEQUENCES) == (pytest.approx(sum(losses) / 5, abs=1e-4), 5)


def test_an_article_is_a_negative_only_while_it_was_on_sale(model):
    """On day 10, article 4 was no longer on sale: so only who bought on day 5 and 12 has negatives besides it."""
    model.settings = model.settings.model_copy(update={"temperature": 1e9})
    plain, count = loss(model, [SEQUENCES[1], ([0, 4], [5, 5])])
    assert plain == pytest.approx(math.log(2), abs=1e-4)
    gone, _ = loss(model, [SEQUENCES[1], ([0, 4], [5, 5])], last=[99, 99, 99, 9, 99])
    assert (gone, count) == (pytest.approx(math.log(2) / 2, abs=1e-4), 2)
    not_yet, _ = loss(model, [SEQUENCES[1], ([0, 4], [5, 5])], first=[0, 0, 6, 6, 0], last=[99, 99, 99, 99, 99])
    assert not_yet == pytest.approx(math.log(2) / 2, abs=1e-4)


def test_only_purchases_from_the_given_day_on_are_predicted(model):
    assert loss(model, SEQUENCES, since=10)[1] == 4
    assert loss(model, SEQUENCES, since=12)[1] == 1


def test_older_purchases_weigh_less(model):
    """Customer 0 bought 1 and, a week later, 2; customer 1 then bought 3, which has 1 and 2 as negatives."""
    old = [([0, 1, 0, 2], [5, 5, 12, 12]), ([0, 3], [12, 12])]
    for half_life, weights in ((1e9, (1, 1, 1)), (1.0, (0.5, 1, 1)), (1e-3, (0, 1, 1))):
        model.settings = model.settings.model_copy(update={"temperature": 1e9, "half_life": half_life})
        losses = [math.log(1 + 3), math.log(2), math.log(2 + 1 / 3)]
        expected = sum(weight * each for weight, each in zip(weights, losses, strict=True)) / sum(weights)
        assert loss(model, old)[0] == pytest.approx(expected, abs=1e-4)


def test_every_weight_has_a_gradient(model):
    model.settings = model.settings.model_copy(update={"extra": 8})
    bands = np.arange(NEVER_SOLD.size, dtype=np.uint8).reshape(NEVER_SOLD.shape) % (len(EDGES) + 1)
    model.learn_from(CODES, pl.DataFrame(SUPPLY), bands, 100)
    value, _ = model.loss(batch([*SEQUENCES, (BOUGHT, DAYS), ([0, 5], [17, 17])]))
    value.backward()
    idle = [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.abs().sum()]
    assert idle == []


def test_sales_count_in_training_as_they_do_in_serving(model):
    """A purchase on day 93 knows the sales before day 93, the first of the last week before the cutoff 100."""
    torch.nn.init.normal_(model.sales)
    bands = NEVER_SOLD.copy()
    bands[1] = [[2, 3], [0, 1], [5, 5], [0, 0], [7, 9]]
    model.learn_from(CODES, pl.DataFrame(SUPPLY), bands, 100)
    customer, keys = answers(model)[:1], torch.arange(len(CODES))
    with torch.no_grad():
        near = customer @ model._own(CODES).T / model.settings.temperature
        before, earlier = (model._for_sales(customer, keys, torch.tensor([ago])) for ago in (1, 2))
        served = customer @ model.articles(CODES, torch.from_numpy(bands[1])).T / model.settings.temperature
    assert torch.allclose(near + before, served, atol=1e-4)
    assert not torch.allclose(before, earlier, atol=0.1)


@pytest.mark.parametrize(("ago", "matters"), [(0, False), (1, True), (2, False)])
def test_a_purchase_knows_the_sales_before_its_week_alone(model, ago, matters):
    torch.nn.init.normal_(model.sales)
    bought, bands = [([0, 1], [93, 93]), ([0, 2], [99, 99])], NEVER_SOLD.copy()
    bands[ago, 0] = 9
    assert (loss(model, bought, bands=bands)[0] != loss(model, bought)[0]) == matters
