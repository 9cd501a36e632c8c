"""Lists of a customer's latest articles: worked out by hand, and compared with NVTabular's own Groupby."""

import pandas as pd
import polars as pl
import pytest

from hmgpu.parts.models.encode import sessions as module
from hmgpu.parts.models.encode.columns import JUST_NOW, LATEST, RECENT, columns
from hmgpu.parts.models.encode.sessions import Lists, sessions

import nvtabular as nvt  # isort: skip  (Merlin comes after its patches)
from nvtabular import ops  # isort: skip

pytestmark = pytest.mark.filterwarnings("ignore:.*an NVTabular Dataset .* CPU mode")
BOUGHT = [(9, 1, 14), (5, 1, 13), (5, 1, 12), (2, 1, 14), (1, 1, 10), (7, 2, 11), (6, 3, 11), (6, 3, 10)]
CODES = {"article": 100, "product": 200, "product_type": 300, "department": 400, "colour": 500}


def coded(history, present=None) -> pl.DataFrame:
    """Return each article's codes: numbers from which column and article can be read."""
    names = [c.name for c in columns("article", history.present if present is None else present) if c.listed]
    keys = pl.col("article").alias("key")
    return history.articles.select(keys, *(pl.col("article").alias(name) + CODES[name] for name in names)).collect()


def everybody(*customers: int) -> pl.LazyFrame:
    return pl.LazyFrame({"customer": customers}, schema={"customer": pl.Int32})


def lists(table: pl.DataFrame) -> dict[int, dict]:
    return {row.pop("key"): row for row in table.to_dicts()}


def test_codes_of_the_latest_articles_newest_first(make_history, engine):
    history = make_history(BOUGHT)
    found = lists(sessions(history, everybody(1, 2), coded(history), 4, engine))
    assert set(found) == {1, 2}
    for name, code in CODES.items():
        assert found[1][f"{RECENT}{name}"] == [code + article for article in (10, 14, 12, 13)]
        assert found[1][f"{LATEST}{name}"] == [code + article for article in (10, 14, 12)]
        assert found[2][f"{RECENT}{name}"] == found[2][f"{LATEST}{name}"] == [code + 11]


@pytest.mark.parametrize("n", [1, 2, 3, 9])
def test_n_bounds_the_lists(make_history, engine, n):
    history = make_history(BOUGHT)
    found = lists(sessions(history, everybody(1), coded(history), n, engine))[1]
    assert found["recent_article"] == [110, 114, 112, 113][:n]
    assert found["latest_article"] == [110, 114, 112, 113][: min(n, JUST_NOW)]


@pytest.mark.parametrize("at_once", [1, 2])
def test_how_many_are_encoded_at_once_changes_nothing(make_history, engine, monkeypatch, at_once):
    history = make_history(BOUGHT)
    whole = sessions(history, everybody(1, 2, 3), coded(history), 4, engine)
    monkeypatch.setattr(module, "AT_ONCE", at_once)
    assert sessions(history, everybody(1, 2, 3), coded(history), 4, engine).equals(whole)


def test_a_customer_without_purchases_has_no_row_and_the_types_stay(make_history, engine):
    history = make_history(BOUGHT)
    nobody = sessions(history, everybody(8), coded(history), 4, engine)
    assert nobody.is_empty()
    assert nobody.schema == sessions(history, everybody(1), coded(history), 4, engine).schema
    assert set(nobody.schema.values()) == {pl.Int32, pl.List(pl.Int32)}


def test_a_bare_retailer_has_lists_of_articles(make_history, engine):
    history = make_history(BOUGHT, present=frozenset())
    assert sessions(history, everybody(1), coded(history), 4, engine).columns == [
        "key",
        "recent_article",
        "latest_article",
    ]


@pytest.mark.parametrize("rows", [0, 1, 300])
def test_lists_are_those_of_groupby(rows):
    """NVTabular's own op is the reference; ours differs only in speed."""
    table = pl.DataFrame({"row": range(rows)}, schema={"row": pl.Int32}).select(
        customer=(pl.col("row") * 7 % 41).cast(pl.Int32),
        rank=(pl.col("row") * 13 % 301).cast(pl.Int32),
        a=pl.col("row"),
        b=pl.col("row") * 2,
    )
    frame = table.to_pandas()
    aggregations = {"a": ["list"], "b": ["list"]}
    by_op = []
    for op in (Lists, ops.Groupby):
        graph = ["customer", "rank", "a", "b"] >> op(["customer"], sort_cols=["rank"], aggs=aggregations)
        workflow = nvt.Workflow(graph)
        workflow.fit(nvt.Dataset(table.head(50).to_pandas() if rows else pd.DataFrame(frame), cpu=True))
        found = workflow.transform(frame.copy())
        by_op.append({row["customer"]: (list(row["a_list"]), list(row["b_list"])) for _, row in found.iterrows()})
        assert set(found.columns) == {"customer", "a_list", "b_list"}
    assert by_op[0] == by_op[1]
    assert len(by_op[0]) == min(rows, 41)
