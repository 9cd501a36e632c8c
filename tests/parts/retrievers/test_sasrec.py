"""Self-attention learns what follows what, serves new customers and articles, and describes any pair."""

import random

import kit
import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.core.metrics import recall_at
from hmgpu.parts.models.training import held_out
from hmgpu.parts.part import PartContext
from hmgpu.parts.retrievers.sasrec import SASRec
from hmgpu.testing import make_history

CPU = Engine("cpu", "tests")
ARTICLES, CUSTOMERS = 120, 240
SMALL = {"dimensions": 16, "blocks": 1, "dropout": 0.0, "temperature": 0.1, "batch": 16, "extra": 16}
FOLLOWS = SASRec(epochs=8, weeks=8, learning_rate=5e-3, n=5, **SMALL)


@pytest.fixture(autouse=True)
def few_count(monkeypatch):
    """Training stops by what is among the five nearest: of 120 articles, a hundred nearest say little."""
    monkeypatch.setattr(held_out, "RECALL", 5)


@pytest.fixture(scope="module")
def data():
    """Customers who come once a week and buy the article that follows the one before, and what they buy next."""
    draw = random.Random(1)
    bought = []
    for customer in range(CUSTOMERS):
        first = draw.randrange(ARTICLES)
        bought += [(71 - 7 * week - customer % 5, customer, (first + week) % ARTICLES) for week in range(11)]
    past = [purchase for purchase in bought if purchase[0] > 0]
    labels = [(customer, article) for ago, customer, article in bought if ago <= 0]
    history = make_history(past, articles={article: {"product_type": article % 7} for article in range(ARTICLES)})
    return history, pl.DataFrame(labels, schema={"customer": pl.Int32, "article": pl.Int32}, orient="row")


def trained(part, history, folder, engine=CPU):
    folder.mkdir(exist_ok=True)
    part.bind(PartContext(engine, 1, kit.encoders)).train(history, folder, folder / "work")
    return part.bind(PartContext(engine, 1, kit.encoders, folder))


def found(part, history, customers) -> pl.DataFrame:
    engine = part.context.engine
    return engine.collect(part.retrieve(kit.learned(part, history, engine), customers.lazy().select("customer")))


def test_it_learns_what_follows(data, tmp_path):
    history, labels = data
    part = trained(FOLLOWS, history, tmp_path)
    assert recall_at(found(part, history, labels), labels, 1) > 0.3  # one in 120 by chance

    pairs = [(customer, article) for customer in range(1, 40) for article in range(ARTICLES)]
    asked = pl.LazyFrame(pairs, schema={"customer": pl.Int32, "article": pl.Int32}, orient="row")
    described = CPU.collect(part.compute(kit.learned(part, history, CPU), asked))
    right = described.join(labels, on=["customer", "article"])
    assert right["sasrec_dot"].mean() > described["sasrec_dot"].mean() + 0.3
    assert right["sasrec_place"].median() <= 5

    # New customers and articles get vectors too, and only articles on sale are retrieved.
    new = ARTICLES + 9
    later = make_history([(1, 0, 0), (40, 1, 1), (1, 2, new)], articles={new: {"product_type": 99}}, customers={7: {}})
    served = found(part, later, later.customers)
    assert served.sort("customer", "article").select("customer", "article").rows() == [
        (customer, article) for customer in (0, 1, 2, 7) for article in (0, new)
    ]


@pytest.mark.gpu
def test_a_gpu_learns_it_too(data, tmp_path, gpu):
    history, labels = data
    part = trained(FOLLOWS, history, tmp_path, gpu)
    assert recall_at(found(part, history, labels), labels, 1) > 0.3


def test_a_pair_without_vectors_is_null(data):
    history, _ = data
    described = kit.described(SASRec(), history, CPU, [(0, 1), (0, 999)])
    assert described[0, 1]["sasrec_dot"] is not None
    assert described[0, 999] == {"sasrec_dot": None, "sasrec_place": 2}


def test_heads_that_do_not_divide_the_dimensions_are_refused():
    with pytest.raises(ValueError, match="dimensions 20 can't be divided by twice the heads, 6"):
        SASRec(dimensions=20, heads=3)


OTHERS = {
    "batch": 4,
    "accumulate": 2,
    "learning_rate": 1e-4,
    "weight_decay": 0.5,
    "weeks": 2,
    "last_week": "held-out",
    "half_life": 0.5,
    "recent": 2,
    "support": 6,
    "dimensions": 8,
    "blocks": 2,
    "heads": 1,
    "dropout": 0.5,
    "temperature": 0.5,
    "extra": 0,
    "extra_power": 0.0,
    "on_sale": 2,
}
SERVING = {"n"}  # of which training knows nothing; every retriever's contract tries it


def test_every_setting_counts(tmp_path, monkeypatch):
    """The pipeline reads `refit`; epochs, patience and devices are tested with the training loop."""
    assert set(OTHERS) == set(SASRec.model_fields) - SERVING - {"refit", "epochs", "patience", "devices"}
    monkeypatch.setattr(held_out, "RECALL", 1)  # of so few articles all are among the nearest hundred
    bought = [(day, customer, (customer * day + day // 2) % 41) for day in range(1, 45, 3) for customer in range(16)]
    history = make_history(bought, articles={article: {"product_type": article % 3} for article in range(41)})
    quick = SASRec(epochs=1, weeks=3, **SMALL | {"batch": 8})

    def output(name, settings):
        part = trained(quick.model_copy(update=settings), history, tmp_path / name)
        return (part.context.model / "self_attention.npz").read_bytes()

    before = output("before", {})
    assert [name for name, value in OTHERS.items() if output(name, {name: value}) == before] == []
