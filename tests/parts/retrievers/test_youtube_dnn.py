"""YouTube's network learns tastes, and serves new customers and articles."""

import polars as pl
import pytest
import tastes
import torch

from hmgpu.parts.models.encode.columns import RARE
from hmgpu.parts.retrievers.two_tower import TwoTower
from hmgpu.parts.retrievers.youtube_dnn import YouTubeDNN

TASTE = YouTubeDNN(
    last_week="trained", epochs=5, weeks=3, width=16, hidden=(32,), dimensions=32, batch=128, learning_rate=1e-2
)
SMALL = YouTubeDNN(last_week="trained", epochs=1, weeks=2, width=8, hidden=(8,), dimensions=8, batch=256, extra=16)


def test_it_learns_taste(trained):
    assert tastes.times_popular(trained) >= 2.5
    own, others = tastes.described(trained)
    assert own["youtube_dnn_dot"] > others["youtube_dnn_dot"] + 0.2
    assert own["youtube_dnn_place"] < 20
    both = {0, tastes.ARTICLES + 9}
    assert tastes.served_newcomers(trained) == {0: both, tastes.CUSTOMERS + 5: both}


def test_articles_that_sold_too_little_are_told_apart_by_how_they_sell(trained):
    """Both have the code of what is rare; one sells more."""
    model = trained.network(trained.context.encoders())
    columns = {name: torch.tensor([0.0, 1.0, 0.0]) for name in model.numbers}
    assert {"sales_7", "sales_28", "days_on_sale"} <= set(columns)
    rare, selling, known = model.encode({"article": torch.tensor([RARE, RARE, RARE + 1]), **columns}, "article")
    assert len({tuple(vector.tolist()) for vector in (rare, selling, known)}) == 3
    weights = model.articles.weight[RARE]
    assert torch.allclose(rare, weights / weights.norm(), atol=1e-6)
    assert torch.allclose(selling, torch.nn.functional.normalize(weights + model.now.weight.sum(1), dim=0), atol=1e-6)


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


OTHERS = {"last_week": "held-out", "half_life": 0.5, "width": 4, "hidden": (4,), "temperature": 0.5}


def test_its_own_settings_count(tmp_path):
    """The two towers' test tries those that it shares with them, all but the half-life, which they don't use."""
    assert set(YouTubeDNN.model_fields) <= set(TwoTower.model_fields)
    assert tastes.idle_settings(SMALL, OTHERS, tmp_path) == []
