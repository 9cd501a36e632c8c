"""DLRM: what it learns from numbers and codes, and that a loaded model is the same."""

import numpy as np
import polars as pl
import pytest
from planted import bought_something, check_saved_and_loaded, check_seed_alone_decides, idle_settings, on_disk, saved
from planted import map_of as map_of_all

from hmgpu.core.errors import ConfigError
from hmgpu.parts.examples import Examples
from hmgpu.parts.models.ranking.network import Rows, log_softmax, torch
from hmgpu.parts.rankers.dlrm import DLRM
from hmgpu.parts.rankers.order import Order
from hmgpu.parts.rankers.xgboost import XGBoost

PER_CUSTOMER = 20
SMALL = DLRM(
    epochs=7, patience=3, dimensions=8, bottom=(16,), top=(16,), batch=32, learning_rate=4e-2, without=("moment_code",)
)


def planted(customers: int, seed: int, first: int = 0) -> pl.DataFrame:
    """Bought candidates are recent and of the colour that the customer's club likes; the retriever's rank is noise."""
    random = np.random.default_rng(seed)
    rows = customers * PER_CUSTOMER
    recency = random.random(rows, dtype=np.float32)
    colour = random.integers(3, 7, rows, dtype=np.int32)
    club = np.repeat(random.integers(3, 7, customers, dtype=np.int32), PER_CUSTOMER)
    return pl.DataFrame(
        {
            "customer": np.repeat(np.arange(first, first + customers, dtype=np.int32), PER_CUSTOMER),
            "article": np.tile(np.arange(PER_CUSTOMER, dtype=np.int32), customers),
            "label": ((recency > 0.5) & (colour == club)).astype(np.int8),
            "popular_rank": np.tile(np.arange(1, PER_CUSTOMER + 1, dtype=np.int32), customers),
            "recency": recency,
            "customer_club_code": club,
            "article_colour_code": colour,
            "moment_code": np.full(rows, 3, dtype=np.int32),
        }
    )


def map_of(model, table: pl.DataFrame, engine) -> float:
    """MAP@12 of the customers who bought something."""
    return map_of_all(model, bought_something(table), engine)


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Examples:
    return on_disk(
        tmp_path_factory.mktemp("training"), one=planted(150, 1), none=planted(1, 1).clear(), two=planted(150, 4)
    )


@pytest.fixture(scope="module")
def validation(tmp_path_factory: pytest.TempPathFactory) -> Examples:
    return on_disk(tmp_path_factory.mktemp("validation"), validation=planted(40, 2))


@pytest.fixture(scope="module")
def model(training, validation):
    from hmgpu.core.engine import Engine

    return SMALL.fit(training, validation, Engine("cpu", "tests"), 1)


def test_it_learns_how_codes_and_numbers_meet(model, training, validation, engine, tmp_path):
    unseen = planted(100, 3)
    assert SMALL.loss == "listwise"
    assert map_of(model, unseen, engine) > 0.85
    binary = SMALL.model_copy(update={"loss": "binary"}).fit(training, validation, engine, 1)
    assert map_of(binary, unseen, engine) > 0.85
    ordered = unseen.with_columns(popular_score=-pl.col("popular_rank"))
    chain = Order().fit(on_disk(tmp_path, o=ordered), validation, engine, 1)
    assert map_of(chain, ordered, engine) < 0.45
    # Trees see only the number, and that is not enough.
    trees = XGBoost(rounds=20, depth=3, rows=1, columns=1).fit(training, validation, engine, 1)
    assert trees.features == ("popular_rank", "recency")
    assert map_of(trees, unseen, engine) < 0.7


def test_a_loaded_model_gives_the_same_scores_and_bytes(model, engine, tmp_path):
    unseen = planted(30, 3)
    check_saved_and_loaded(SMALL, model, unseen, tmp_path, engine)


def test_the_same_seed_gives_the_same_model_and_another_seed_another(training, validation, engine, tmp_path):
    check_seed_alone_decides(SMALL.model_copy(update={"epochs": 1}), (training, validation), tmp_path, engine)


def test_a_score_does_not_depend_on_what_else_is_scored(model):
    unseen = planted(300, 3)
    whole = model.score(unseen)
    assert unseen.height > 4096
    assert model.score(unseen[4000:4321]).equals(whole[4000:4321])
    backwards = unseen.reverse()
    assert model.score(backwards).reverse().equals(whole)


def test_logits_keep_their_digits_in_mixed_precision(model):
    """In bfloat16 many candidates would have one score."""
    columns = model.network.columns
    numbers = torch.rand(400, len(columns.numbers), generator=torch.Generator().manual_seed(1))
    codes = torch.full((400, len(columns.codes)), 3, dtype=torch.int32)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        logits = model.network(Rows(numbers, codes, torch.zeros(400, 0, dtype=torch.int32), torch.arange(400)))
    assert logits.dtype == torch.float32
    assert not torch.equal(logits, logits.bfloat16().float())


def test_columns_are_taken_by_name_and_all_are_needed(model):
    unseen = planted(20, 3)
    with pytest.raises(pl.exceptions.ColumnNotFoundError, match="recency"):
        model.score(unseen.drop("recency"))
    assert model.score(unseen.select(reversed(unseen.columns), spare=1).drop("moment_code")).equals(model.score(unseen))


def test_codes_that_training_never_saw_say_nothing(model):
    unseen = planted(20, 3)
    between, beyond, padding = (
        model.score(unseen.with_columns(article_colour_code=pl.lit(code, pl.Int32))) for code in (1, 10**6, 0)
    )
    assert between.equals(padding)
    assert beyond.equals(padding)
    assert model.score(unseen.with_columns(article_colour_code=pl.lit(None, pl.Int32))).equals(padding)
    assert not model.score(unseen).equals(padding)


def test_missing_values_are_not_numbers(validation, engine, tmp_path):
    # A candidate is bought if the column is missing; zero and one are known values.
    table = planted(200, 1)
    unknown = np.random.default_rng(1).random(table.height) < 0.2
    value = pl.Series(np.random.default_rng(2).integers(0, 2, table.height)).set(pl.Series(unknown), None)
    table = table.with_columns(known=value, label=pl.Series(unknown).cast(pl.Int8), nothing=pl.lit(None, pl.Float32))
    examples = on_disk(tmp_path, all=table)
    model = SMALL.fit(examples, examples, engine, 1)
    assert map_of(model, table, engine) > 0.99
    odd = table.with_columns(recency=pl.lit(None), popular_rank=pl.lit(-(10**9)), nothing=pl.lit(10.0**9))
    assert model.score(odd).is_finite().all()


def test_without_codes_it_says_what_to_configure(training, validation, engine, tmp_path):
    bare = on_disk(tmp_path, bare=planted(5, 1).drop("customer_club_code", "article_colour_code"))
    with pytest.raises(ConfigError, match=r"encoded: \{\}"):
        SMALL.fit(bare, bare, engine, 1)


def test_nothing_bought_in_the_validation_week(training, engine, tmp_path):
    none = on_disk(tmp_path, none=planted(5, 2).with_columns(label=pl.lit(0, pl.Int8)))
    model = SMALL.model_copy(update={"epochs": 3, "patience": 1}).fit(training, none, engine, 1)
    assert map_of(model, planted(100, 3), engine) > 0.6


def test_no_candidates_no_scores(model):
    assert model.score(planted(1, 3).clear()).to_list() == []


def test_listwise_compares_within_a_query_only():
    logits = torch.tensor([1.0, 2.0, 0.5, -1.0, 3.0])
    found = log_softmax(logits, torch.tensor([0, 0, 1, 1, 1]), torch.tensor([0, 2, 5]))
    assert torch.allclose(found[:2], logits[:2].log_softmax(0))
    assert torch.allclose(found[2:], logits[2:].log_softmax(0))


@pytest.mark.gpu
def test_a_gpu_learns_as_much_and_its_model_scores_alike_on_a_cpu(training, validation, engine, gpu, tmp_path):
    unseen = planted(100, 3)
    model = SMALL.fit(training, validation, gpu, 1)
    assert map_of(model, unseen, engine) > 0.8
    saved(model, tmp_path / "model")
    there, here = model.score(unseen), SMALL.load(tmp_path / "model", engine).score(unseen)
    assert there.to_numpy() == pytest.approx(here.to_numpy(), abs=1e-3)


OTHERS = {
    "epochs": 1,
    "batch": 16,
    "accumulate": 3,
    "learning_rate": 1e-3,
    "weight_decay": 0.5,
    "loss": "binary",
    "dimensions": 4,
    "bottom": (4,),
    "top": (4,),
    "dropout": 0.5,
    "without": (),
}


def test_every_setting_counts(training, validation, engine):
    """Patience and devices are tested with the training loop: tests/parts/models/training/test_loop.py."""
    assert set(OTHERS) == set(DLRM.model_fields) - {"patience", "devices"}
    quick, unseen = SMALL.model_copy(update={"epochs": 2}), planted(10, 5)
    assert idle_settings(quick, OTHERS, (training, validation), unseen, engine) == []
