"""The autoencoder finds what customers of one taste buy, and describes any pair."""

import kit
import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.core.metrics import recall_at
from hmgpu.parts.models.training import held_out
from hmgpu.parts.part import PartContext
from hmgpu.parts.retrievers.mult_vae import MultVAE
from hmgpu.testing import make_history

CPU = Engine("cpu", "tests")
SMALL = MultVAE(
    epochs=10,
    patience=10,
    width=16,
    dimensions=8,
    batch=8,
    learning_rate=2e-2,
    anneal=100,
    support=1,
    last_week="held-out",
)


def trained(part, history, folder, engine=CPU):
    folder.mkdir(exist_ok=True)
    part.bind(PartContext(engine, 1, kit.encoders)).train(history, folder, folder / "work")
    return part.bind(PartContext(engine, 1, kit.encoders, folder))


def test_it_finds_what_customers_of_the_same_taste_buy(tasteful, purchases, tmp_path, monkeypatch):
    monkeypatch.setattr(held_out, "RECALL", 15)  # all sixty articles are among the nearest hundred
    part = trained(SMALL.model_copy(update={"n": 15}), tasteful, tmp_path)
    ahead = {(customer, article) for ago, customer, article in purchases if ago <= 0}
    labels = pl.DataFrame(sorted(ahead), schema={"customer": pl.Int32, "article": pl.Int32}, orient="row")
    tables = kit.learned(part, tasteful, CPU)
    found = CPU.collect(part.retrieve(tables, labels.lazy().select("customer").unique()))
    assert recall_at(found, labels, 15) > 0.6  # a quarter of the articles by chance

    pairs = [(customer, article) for customer in range(20) for article in range(60)]
    asked = pl.LazyFrame(pairs, schema={"customer": pl.Int32, "article": pl.Int32}, orient="row")
    described = CPU.collect(part.compute(tables, asked)).with_columns(
        liked=pl.col("article") % 4 == pl.col("customer") % 4
    )
    liked, others = (described.filter(pl.col("liked") == which)["mult_vae_place"].mean() for which in (True, False))
    assert liked < others - 15


def test_a_pair_without_vectors_is_null_and_only_what_is_on_sale_is_proposed(tmp_path):
    bought = [(day, customer, day % 3) for day in range(40, 60) for customer in range(3)]
    history = make_history([*bought, *((day, 0, 7) for day in range(1, 20))])
    part = trained(SMALL.model_copy(update={"epochs": 1}), history, tmp_path)
    tables = kit.learned(part, history, CPU)
    everybody = pl.LazyFrame({"customer": [0, 1, 9]}, schema={"customer": pl.Int32})
    found = CPU.collect(part.retrieve(tables, everybody))
    assert found.select("customer", "article").rows() == [(0, 7), (1, 7)]  # 9 is no customer of this shop
    pairs = pl.LazyFrame(
        {"customer": [0, 0, 9], "article": [1, 99, 1]}, schema={"customer": pl.Int32, "article": pl.Int32}
    )
    dots = CPU.collect(part.compute(tables, pairs))["mult_vae_dot"]
    assert dots.is_null().to_list() == [False, True, True]


@pytest.mark.gpu
def test_a_gpu_learns_it_too(tasteful, purchases, tmp_path, monkeypatch, gpu):
    monkeypatch.setattr(held_out, "RECALL", 15)
    part = trained(SMALL.model_copy(update={"n": 15}), tasteful, tmp_path, gpu)
    ahead = {(customer, article) for ago, customer, article in purchases if ago <= 0}
    labels = pl.DataFrame(sorted(ahead), schema={"customer": pl.Int32, "article": pl.Int32}, orient="row")
    found = gpu.collect(part.retrieve(kit.learned(part, tasteful, gpu), labels.lazy().select("customer").unique()))
    assert recall_at(found, labels, 15) > 0.6


OTHERS = {
    "last_week": "again",
    "batch": 4,
    "accumulate": 2,
    "learning_rate": 1e-4,
    "weight_decay": 0.5,
    "days": 20,
    "support": 4,
    "width": 4,
    "dimensions": 4,
    "dropout": 0.1,
    "beta": 5.0,
    "anneal": 1,
}
SERVING = {"n", "on_sale"}  # of which weights know nothing; `on_sale` is tried above, `n` by every retriever's contract


def test_every_setting_counts(tmp_path, monkeypatch):
    """The pipeline reads `refit`; epochs, patience and devices are tested with the training loop."""
    assert set(OTHERS) == set(MultVAE.model_fields) - SERVING - {"refit", "epochs", "patience", "devices"}
    monkeypatch.setattr(held_out, "RECALL", 1)  # of so few articles all are among the nearest hundred
    bought = [(day, customer, (customer * day + day // 2) % 41) for day in range(1, 45, 3) for customer in range(16)]
    history = make_history(bought)
    quick = SMALL.model_copy(update={"epochs": 3, "batch": 8})

    def output(name, settings):
        part = trained(quick.model_copy(update=settings), history, tmp_path / name)
        return (part.context.model / "network.npz").read_bytes()

    before = output("before", {})
    assert [name for name, value in OTHERS.items() if output(name, {name: value}) == before] == []
