"""DIN: it learns from what a customer bought before; its attention by hand; a loaded model is the same."""

import numpy as np
import polars as pl
import pytest
from planted import bought_something, check_saved_and_loaded, check_seed_alone_decides, idle_settings, map_of, on_disk

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.parts.examples import Examples
from hmgpu.parts.models.ranking.din import Network
from hmgpu.parts.models.ranking.network import Columns, Rows, torch
from hmgpu.parts.models.ranking.numbers import Numbers
from hmgpu.parts.rankers.din import DIN
from hmgpu.parts.rankers.dnn import DNN

CPU = Engine("cpu", "tests")
PER_CUSTOMER, PLACES, COLOURS = 12, 3, range(3, 11)
SMALL = DIN(epochs=8, dimensions=8, attention=8, top=(16,), batch=16, learning_rate=2e-2, dropout=0.0)


def planted(customers: int, seed: int) -> pl.DataFrame:
    """Bought is what has the colour of one of the last three articles, unless that was bought a month ago."""
    random = np.random.default_rng(seed)
    rows = customers * PER_CUSTOMER
    colour = random.integers(COLOURS.start, COLOURS.stop, rows, dtype=np.int32)
    past = random.integers(COLOURS.start, COLOURS.stop, (customers, PLACES), dtype=np.int32)
    days = random.choice(np.array([2, 40], dtype=np.int32), (customers, PLACES))
    past[::5, 2], days[::5, 2] = 0, 0  # they bought two
    past, days = (np.repeat(each, PER_CUSTOMER, axis=0) for each in (past, days))
    like = ((past == colour[:, None]) & (days == 2)).any(axis=1)
    return pl.DataFrame(
        {
            "customer": np.repeat(np.arange(customers, dtype=np.int32), PER_CUSTOMER),
            "article": np.tile(np.arange(PER_CUSTOMER, dtype=np.int32), customers),
            "label": like.astype(np.int8),
            "noise": random.random(rows, dtype=np.float32),
            "article_colour_code": colour,
            "customer_club_code": np.full(rows, 3, dtype=np.int32),
            **{f"colour_{place + 1:02}_past": past[:, place] for place in range(PLACES)},
            **{f"days_{place + 1:02}_past": days[:, place] for place in range(PLACES)},
        }
    )


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Examples, Examples]:
    folder = tmp_path_factory.mktemp("weeks")
    return on_disk(folder, training=planted(400, 1)), on_disk(folder, validation=planted(40, 2))


@pytest.fixture(scope="module")
def model(weeks):
    return SMALL.fit(*weeks, CPU, 1)


def test_it_learns_which_past_articles_matter(model, weeks):
    unseen = bought_something(planted(100, 3))
    assert weeks[0].features() == ["noise"]
    assert map_of(model, unseen, CPU) > 0.85
    dense = DNN(epochs=2, hidden=(8,), batch=16).fit(*weeks, CPU, 1)  # which sees no past articles
    assert map_of(dense, unseen, CPU) < 0.6


def test_the_order_of_past_articles_says_nothing_but_their_days_do(model):
    unseen = bought_something(planted(30, 3))
    other = {1: 3, 2: 1, 3: 2}
    names = {
        f"{what}_0{place}_past": f"{what}_0{to}_past" for what in ("colour", "days") for place, to in other.items()
    }
    assert model.score(unseen.rename(names)).to_numpy() == pytest.approx(model.score(unseen).to_numpy(), abs=1e-4)
    old = unseen.with_columns((pl.col("^days.*$") > 0).cast(pl.Int32) * 40)
    assert map_of(model, old, CPU) < map_of(model, unseen, CPU) - 0.2


def test_attention_by_hand():
    torch.manual_seed(1)
    columns = Columns(
        (), (), {"article_colour_code": 10}, ("colour_01_past", "colour_02_past", "days_01_past", "days_02_past")
    )
    network = Network(SMALL, columns, Numbers(0, []))
    rows = Rows(
        torch.zeros(3, 0),
        torch.tensor([[4], [5], [4]], dtype=torch.int32),
        torch.tensor([[4, 5, 3, 70], [99, 0, 1, 0]], dtype=torch.int32),  # 99: a colour that training didn't have
        torch.tensor([0, 0, 1]),
    )
    with torch.no_grad():
        past, there = network._past(rows.past)
        candidate = network.tables[0](rows.codes[:, 0])
        found = network._attended(candidate, past[rows.query], there[rows.query]).numpy()
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    colours, since = weights["tables.0.weight"], weights["since.weight"]
    # Spans of days begin at 1, 2, 4, 8, …, 64: three days are in the second, seventy in the seventh.
    vectors = {0: [colours[4] + since[2], colours[5] + since[7]], 1: [colours[0] + since[1]]}
    for row, (own, query) in enumerate(((4, 0), (5, 0), (4, 1))):
        expected = np.zeros(8)
        for vector in vectors[query]:
            x = weights["of_past.weight"] @ vector + weights["of_both.weight"] @ (vector * colours[own])
            x = x + weights["of_candidate.weight"] @ colours[own] + weights["of_candidate.bias"]
            expected += (weights["weight.weight"][0] @ (x / (1 + np.exp(-x))) + weights["weight.bias"][0]) * vector
        assert found[row] == pytest.approx(expected, abs=1e-5)


def test_a_loaded_model_gives_the_same_scores_and_bytes(model, tmp_path):
    unseen = planted(30, 3)
    check_saved_and_loaded(SMALL, model, unseen, tmp_path, CPU)
    assert model.score(unseen[7:9]).equals(model.score(unseen)[7:9])


def test_the_seed_alone_decides_the_model(weeks, tmp_path):
    check_seed_alone_decides(SMALL.model_copy(update={"epochs": 1}), weeks, tmp_path, CPU)


@pytest.mark.parametrize(("column", "family"), [("_past", "past_articles"), ("_code", "encoded")])
def test_without_a_family_it_says_what_to_configure(column, family, tmp_path):
    bare = on_disk(tmp_path, bare=planted(5, 1).drop(pl.selectors.ends_with(column)))
    with pytest.raises(ConfigError, match=rf"add `{family}: {{}}` under features"):
        SMALL.fit(bare, bare, CPU, 1)


OTHERS = {
    "epochs": 1,
    "batch": 8,
    "accumulate": 3,
    "learning_rate": 1e-3,
    "weight_decay": 0.5,
    "loss": "binary",
    "dimensions": 4,
    "attention": 4,
    "top": (4,),
    "dropout": 0.5,
    "without": ("customer_club_code",),
}


def test_every_setting_counts(tmp_path):
    """Patience and devices are tested with the training loop: tests/parts/models/training/test_loop.py."""
    assert set(OTHERS) == set(DIN.model_fields) - {"patience", "devices"}
    weeks = on_disk(tmp_path, training=planted(80, 1)), on_disk(tmp_path, validation=planted(20, 2))
    quick, unseen = SMALL.model_copy(update={"epochs": 2}), planted(10, 5)
    assert idle_settings(quick, OTHERS, weeks, unseen, CPU) == []
