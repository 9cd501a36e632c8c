"""Training a network on encoded purchases, here the two towers, and the tables of vectors that it computes."""

import json

import kit
import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.parts.part import PartContext
from hmgpu.parts.retrievers.two_tower import TwoTower

CPU = Engine("cpu", "tests")


def test_a_model_records_its_recall_of_the_held_out_week_and_returns_vectors_of_length_one(make_history):
    history = make_history([(day, customer, day % 5) for day in range(1, 60) for customer in range(3)], {9: {}})
    part = kit.bound(TwoTower(), history, CPU)
    # Five articles are on sale, so all that was bought is among the nearest hundred.
    assert json.loads((part.context.model / "training.json").read_text())["held_out_recall_at_100"] == 1.0
    training = part.training()
    articles, codes = training.article_tables(part, history, part.context).values()
    (customers,) = training.customer_tables(part, history, codes, part.context).values()
    # Article 9 is in the catalogue and was never sold.
    assert articles["article"].to_list()[:5] == list(range(5))
    assert codes["key"].sort().to_list() == articles["article"].to_list()
    assert customers["customer"].to_list() == [0, 1, 2]
    for table in (articles, customers):
        kit.check_unit_vectors(table)


def test_with_nothing_to_train_on_nobody_has_a_vector_and_a_line_says_so(make_history, tmp_path, caplog):
    history = make_history([(1, 0, 0)])
    part = TwoTower().bind(PartContext(CPU, 1, lambda: kit.encoders(history, CPU), tmp_path))
    part.train(history, tmp_path, tmp_path / "work")
    assert "two_tower proposes nothing: no article that was known was bought in the 26 weeks" in caplog.text
    tables = kit.learned(part, history, CPU)
    assert CPU.collect(part.retrieve(tables, history.customers.select("customer"))).is_empty()
    asked = pl.LazyFrame({"customer": [0], "article": [0]}, schema={"customer": pl.Int32, "article": pl.Int32})
    assert CPU.collect(part.compute(tables, asked)).row(0) == (0, 0, None, 1)
