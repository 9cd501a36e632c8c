"""Networks that know customers by what they bought: what they are trained on, that they resume, and whom they know."""

import json

import kit
import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.parts.models.baskets.baskets import baskets, known_articles
from hmgpu.parts.part import PartContext
from hmgpu.parts.retrievers.mult_vae import MultVAE
from hmgpu.parts.retrievers.neumf import NeuMF

CPU = Engine("cpu", "tests")
BOUGHT = [(day, customer, day % 5) for day in range(1, 60) for customer in range(3)]
PARTS = [
    MultVAE(epochs=3, width=8, dimensions=4, batch=2, support=2),
    NeuMF(epochs=3, weeks=3, dimensions=4, layers=(4,), batch=8, support=2),
]
each_part = pytest.mark.parametrize("part", PARTS, ids=lambda part: part.kind)


def train(part, history, folder, work):
    folder.mkdir()
    part.bind(PartContext(CPU, 1, kit.encoders)).train(history, folder, work)
    return (folder / "network.npz").read_bytes()


def test_baskets_hold_what_was_bought_lately_each_once(make_history):
    history = make_history([(1, 0, 5), (3, 0, 4), (3, 0, 4), (9, 0, 6), (2, 1, 6), (2, 2, 9), (40, 3, 4)])
    articles = known_articles(history, 30, 1, CPU).filter(pl.col("article") < 9)
    assert articles.rows() == [(4, 0), (5, 1), (6, 2)]
    assert baskets(history, articles, 8, CPU).rows() == [(0, [0, 1]), (1, [2])]
    assert known_articles(history, 30, 2, CPU)["article"].to_list() == [4, 6]


@each_part
def test_a_training_that_was_killed_ends_with_the_same_weights(part, make_history, tmp_path):
    history = make_history(BOUGHT)
    whole = train(part, history, tmp_path / "whole", tmp_path / "a")
    train(part.model_copy(update={"epochs": 1}), history, tmp_path / "begun", tmp_path / "b")
    assert train(part, history, tmp_path / "resumed", tmp_path / "b") == whole
    # Five articles are on sale, so all that was bought is among the best hundred.
    assert json.loads((tmp_path / "whole" / "training.json").read_text())["held_out_recall_at_100"] == 1.0


@each_part
def test_with_nothing_to_train_on_nothing_is_proposed_and_a_line_says_so(part, make_history, tmp_path, caplog):
    history = make_history([(1, 0, 0), (9, 0, 0)])
    part = part.bind(PartContext(CPU, 1, kit.encoders, tmp_path))
    part.train(history, tmp_path, tmp_path / "work")
    assert f"{part.kind} proposes nothing: no article was bought 2 times" in caplog.text
    tables = kit.learned(part, history, CPU)
    customer = pl.LazyFrame({"customer": [0]}, schema={"customer": pl.Int32})
    assert CPU.collect(part.retrieve(tables, customer)).is_empty()
    pair = pl.LazyFrame({"customer": [0], "article": [0]}, schema={"customer": pl.Int32, "article": pl.Int32})
    assert CPU.collect(part.compute(tables, pair))[f"{part.kind}_{part.column}"].to_list() == [None]
