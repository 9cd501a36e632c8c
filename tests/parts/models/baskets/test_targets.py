"""Purchases of each week, next to what their customers had bought before it, and what was on sale."""

import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.core.parquet import read_table
from hmgpu.parts.models.baskets.targets import write_targets
from hmgpu.parts.retrievers.neumf import NeuMF

CPU = Engine("cpu", "tests")


def test_a_week_is_told_with_what_was_bought_before_it_and_nothing_later(make_history, tmp_path):
    history = make_history([(20, 0, 1), (10, 0, 2), (9, 2, 1), (3, 0, 1), (3, 1, 2), (2, 0, 3), (17, 5, 3), (18, 5, 3)])
    articles = pl.DataFrame({"article": [1, 2, 3], "place": [0, 1, 2]}, schema={"article": pl.Int32, "place": pl.Int32})
    files = write_targets(history, articles, NeuMF(weeks=2, on_sale=14, power=1.0), CPU, tmp_path)
    last, before = (read_table(file).select("basket", "target").rows() for file in files.bought)
    # Customer 1 is new in the last week.
    assert last == [([0, 1], 0), ([0, 1], 2), (None, 1)]
    assert before == [(None, 0)]  # article 2, which customer 0 bought, had not been sold before
    selling = read_table(files.on_sale[0])
    assert dict(selling.rows()) == pytest.approx({0: 0.4, 1: 0.2, 2: 0.4})
    assert [int(file.stem) for file in files.on_sale] == [history.cutoff - 7, history.cutoff - 14]
