"""YouTube's network learns tastes and serves new customers; articles without a weight vector are left alone."""

import kit
import polars as pl
import pytest
import tastes

from hmgpu.parts.retrievers.two_tower import TwoTower
from hmgpu.parts.retrievers.youtube_dnn import YouTubeDNN

TASTE = YouTubeDNN(epochs=5, weeks=3, width=16, hidden=(32,), dimensions=32, batch=128, learning_rate=1e-2)
SMALL = YouTubeDNN(epochs=1, weeks=2, width=8, hidden=(8,), dimensions=8, batch=256, extra=16)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return tastes.trained(TASTE, tastes.tastes()[0], tmp_path_factory.mktemp("model"))


def test_it_learns_taste(trained):
    assert tastes.times_popular(trained) >= 2.5
    own, others = tastes.described(trained)
    assert own["youtube_dnn_dot"] > others["youtube_dnn_dot"] + 0.2
    assert own["youtube_dnn_place"] < 20
    # The article that was new has no weights.
    assert tastes.served_newcomers(trained) == {0: {0}, tastes.CUSTOMERS + 5: {0}}


def test_an_article_that_sold_too_little_is_not_proposed_and_has_no_score():
    """Article 7 sold three units, one fewer than it takes."""
    history = tastes.few_sold()
    found = kit.proposed(YouTubeDNN(), history, tastes.CPU)
    assert sorted(found[1]) == [0, 1, 2, 3, 4]
    described = kit.described(YouTubeDNN(), history, tastes.CPU, [(1, 3), (1, 7)])
    assert described[1, 3]["youtube_dnn_dot"] is not None
    assert described[1, 7] == {"youtube_dnn_dot": None, "youtube_dnn_place": 2}


def test_nothing_is_proposed_where_no_article_sold_often_enough(make_history, caplog):
    history = make_history([(day, day % 9, day) for day in range(1, 60)])
    assert kit.proposed(YouTubeDNN(), history, tastes.CPU) == {1: []}
    assert "youtube_dnn proposes nothing: no article that was known" in caplog.text


@pytest.mark.gpu
def test_a_gpu_learns_it_too(tmp_path, gpu):
    assert tastes.times_popular(tastes.trained(TASTE, tastes.tastes()[0], tmp_path, gpu)) >= 2.5


def test_a_customer_is_their_latest_articles_in_any_order(trained):
    """The lists of the same articles in another order make the same vector, but for the last bits of means."""
    history, _ = tastes.tastes()
    encoders = trained.context.encoders()
    few = history.of(pl.LazyFrame({"customer": range(9)}, schema={"customer": pl.Int32}))
    rows = encoders.customers(few, few.customers.select("customer"), encoders.articles(history), 3)
    turned = rows.with_columns(pl.col("^(recent|latest)_.*$").list.reverse())
    model = trained.network(encoders)
    vectors = [model.vectors(each, "customer", tastes.CPU).drop("customer") for each in (rows, turned)]
    assert max((vectors[0] - vectors[1]).select(pl.all().abs().max()).row(0)) <= 1
    assert vectors[0].is_unique().all()


OTHERS = {"last_week": "trained", "half_life": 0.5, "width": 4, "hidden": (4,), "temperature": 0.5}


def test_its_own_settings_count(tmp_path):
    """The two towers' test tries those that it shares with them, all but the half-life, which they don't use."""
    assert set(YouTubeDNN.model_fields) <= set(TwoTower.model_fields)
    assert tastes.idle_settings(SMALL, OTHERS, tmp_path) == []
