"""Training self-attention on a History, and the tables of vectors that it computes."""

import json

import kit
import numpy as np
import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.core.vectors import STEPS
from hmgpu.parts.models.sequences.sasrec import article_tables, customer_tables
from hmgpu.parts.part import PartContext
from hmgpu.parts.retrievers.sasrec import SASRec

CPU = Engine("cpu", "tests")
BOUGHT = [(day, customer, day % 5) for day in range(1, 60) for customer in range(3)]


def train(part, history, folder, work):
    folder.mkdir()
    part.bind(PartContext(CPU, 1, kit.encoders)).train(history, folder, work)
    return (folder / "self_attention.npz").read_bytes()


def test_a_model_records_its_recall_of_the_held_out_week_and_returns_vectors_of_length_one_at_most(make_history):
    history = make_history(BOUGHT, articles={3: {"product_type": 7}}, customers={9: {"age": 30}})
    part = kit.bound(SASRec(), history, CPU)
    # Five articles are on sale, so all that was bought is among the nearest hundred.
    assert json.loads((part.context.model / "training.json").read_text())["held_out_recall_at_100"] == 1.0
    articles, codes = article_tables(part, history, part.context).values()
    (customers,) = customer_tables(part, history, codes, part.context).values()
    assert articles["article"].to_list() == list(range(5))
    assert customers["customer"].to_list() == [0, 1, 2, 9]  # who never bought has a vector too
    kit.check_unit_vectors(customers)
    lengths = np.linalg.norm(articles.drop("article").to_numpy() / STEPS, axis=1)
    assert lengths.max() == pytest.approx(1, abs=5e-3)  # what sells more may be longer than what sells less


def test_an_article_that_training_did_not_know_has_its_fields(make_history):
    history = make_history(BOUGHT, articles={article: {"product_type": article} for article in range(5)})
    part = kit.bound(SASRec(), history, CPU)
    new = {7: {"product_type": 3}, 8: {"product_type": 3}, 9: {"product_type": 99}, 10: {}}
    later = make_history([(1, 0, article) for article in (3, *new)], articles={3: {"product_type": 3}, **new})
    vectors, codes = article_tables(part, later, part.context).values()
    product_type = codes.select("article", "id", "product_type").rows()
    assert product_type == [(3, 4, 4), (7, 0, 4), (8, 0, 4), (9, 0, 0), (10, 0, 0)]
    of = {row[0]: row[1:] for row in vectors.rows()}
    assert of[7] == of[8] != of[9] == of[10]


def test_a_training_that_was_killed_ends_with_the_same_weights(make_history, tmp_path):
    history = make_history(BOUGHT)
    part = SASRec(epochs=3, weeks=6, dimensions=8, heads=1, batch=2, extra=4)
    whole = train(part, history, tmp_path / "whole", tmp_path / "a")
    train(part.model_copy(update={"epochs": 1}), history, tmp_path / "begun", tmp_path / "b")
    assert train(part, history, tmp_path / "resumed", tmp_path / "b") == whole


def test_with_nothing_to_train_on_nobody_has_a_vector_and_a_line_says_so(make_history, tmp_path, caplog):
    history = make_history([(1, 0, 0)])
    part = SASRec().bind(PartContext(CPU, 1, kit.encoders, tmp_path))
    part.train(history, tmp_path, tmp_path / "work")
    assert "sasrec proposes nothing: nobody bought in the 26 weeks before the held-out one" in caplog.text
    tables = kit.learned(part, history, CPU)
    assert CPU.collect(part.retrieve(tables, history.customers.select("customer"))).is_empty()
    asked = pl.LazyFrame({"customer": [0], "article": [0]}, schema={"customer": pl.Int32, "article": pl.Int32})
    assert CPU.collect(part.compute(tables, asked)).row(0) == (0, 0, None, 1)
