"""Ranking the best candidates again: for variety, with limits and by rules; and a whole run with all of it."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError
from hmgpu.core.metrics import map_at
from hmgpu.core.parquet import read_table
from hmgpu.data.store import History, Store
from hmgpu.pipeline.boosts import SCHEMA, read_boosts
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.diversify import Diversify, Reranking
from hmgpu.pipeline.exclusions import ListSettings
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.pipeline import Pipeline

CPU = Engine("cpu", "tests")
SCORED = {"customer": pl.Int32, "article": pl.Int32, "score": pl.Float32}


@pytest.fixture
def history(make_history: Any) -> History:
    """Articles 1 to 4 are of products 1, 1, 2 and unknown; 2 has no vector."""
    products = {1: {"product": 1}, 2: {"product": 1}, 3: {"product": 2}, 4: {}}
    vectors = {"text": {1: [1.0, 0.0], 3: [0.6, 0.8], 4: [1.0, 0.0]}}
    bought = [(1, 9, article) for article in products]
    return make_history(bought, articles=products, vectors=vectors, present=frozenset({"product"}))


def reranked(history: History, k: int = 4, boosts: list[tuple[int, float, float]] | None = None, **how: Any) -> list:
    """Of scores 4, 3, 2, 1 of articles 1 to 4, the articles in their new order."""
    rows = [(7, 1, 4.0), (7, 2, 3.0), (7, 3, 2.0), (7, 4, 1.0), (7, 5, None), (8, 2, -1.0)]
    rules = None if boosts is None else pl.DataFrame(boosts, schema=SCHEMA, orient="row")
    scored = pl.LazyFrame(rows, schema=SCORED, orient="row")
    table = Reranking(Diversify(**how), rules).apply(scored, history, k, CPU)
    assert table.filter(customer=8)["article"].to_list() == [2]
    own = table.filter(customer=7).sort(["score", "article"], descending=[True, False])
    return own["article"].to_list()


def test_relevance_alone_keeps_the_order(history: History) -> None:
    assert reranked(history, relevance=1) == [1, 2, 3, 4]
    assert reranked(history, relevance=1, among=2) == [1, 2]


def test_likeness_to_what_is_above_counts_against_an_article(history: History) -> None:
    # Relevance is 1, 2/3, 1/3, 0; 2 is of the same product as 1.
    assert reranked(history, relevance=0.5) == [1, 3, 4, 2]
    assert reranked(history, relevance=0.8) == [1, 2, 3, 4]
    # By text 4 is as 1 is, and 3 partly.
    assert reranked(history, relevance=0.4, by="text") == [1, 2, 3, 4]
    assert reranked(history, relevance=0.0, by="text", k=3) == [1, 2, 3]


def test_a_value_has_so_many_articles_at_most(history: History) -> None:
    assert reranked(history, relevance=1, most={"product": 1}) == [1, 3, 4]
    assert reranked(history, relevance=0.5, most={"product": 1}, k=2) == [1, 3]


def test_rules_raise_and_lower(history: History) -> None:
    assert reranked(history, boosts=[(4, 1.0, 2.0), (1, 0.1, 0.0)], relevance=1) == [4, 2, 3, 1]


def test_the_plan_translates_to_cudf(history: History, untranslated: Any) -> None:
    how = Diversify(relevance=1, most={"product": 1, "department": 2})
    rules = pl.DataFrame([(4, 1.0, 2.0)], schema=SCHEMA, orient="row")
    scored = pl.DataFrame([(7, 1, 4.0)], schema=SCORED, orient="row")
    assert untranslated(Reranking(how, rules).weighed(scored.lazy(), history.articles)) == []


def rules(folder: Path, *lines: str) -> Path:
    file = folder / "rules.csv"
    file.write_text("\n".join([*lines, ""]))
    return file


def test_rules_of_articles_and_of_values(store: Store, tmp_path: Path) -> None:
    table = CPU.collect(store.articles().sort("article"))
    ids, name = table["article_id"].to_list(), table["product_type_name"][0]
    lines = [f"{ids[0]},,,0.5,", f",product_type_name,{name},,-0.25", f"{ids[0]},,,4,1"]
    found = read_boosts(rules(tmp_path, "article_id,column,value,factor,offset", *lines), store, CPU)
    assert found.row(0) == (0, 2.0, 0.75)
    assert found.height == table.filter(product_type_name=name).height
    code = CPU.collect(store.values("product_type").join(store.articles(), left_on="code", right_on="product_type"))
    by_code = rules(tmp_path, "column,value,factor", f"product_type,{code['value'][0]},2")
    same = code.filter(value=code["value"][0])
    assert sorted(read_boosts(by_code, store, CPU)["article"]) == sorted(same["article"].unique())


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["article_id,factor", "nobody,2"], r"row 2 of .*rules\.csv names the unknown article nobody"),
        (["column,value,offset", "hue,red,2"], r"row 2 .* unknown column hue; articles have product, "),
        (["column,value,offset", "department_name,x,2"], r"row 2 .*: no article has the department_name 'x'"),
        (["column,value,offset", ",x,2"], "names neither an article nor a column"),
        (["article_id,factor", "a,-2"], "has the factor -2: a factor is 0 or more"),
        (["article_id,factor", "a,much"], "has the factor 'much', which is not a finite number"),
        (["article_id,boost", "a,2"], r"rules\.csv has the unknown column boost; it may have article_id"),
        (["article_id", "a"], "and factor or offset"),
    ],
)
def test_rules_that_can_not_be_used(store: Store, tmp_path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_boosts(rules(tmp_path, *lines), store, CPU)


def test_what_the_data_lacks_is_said(store: Store, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"lists\.diversify\.by is text, but .* has no such vectors"):
        Reranking.of(Diversify(by="text"), store, CPU)
    with pytest.raises(DataError, match=r"lists\.diversify\.boosts: .*none\.csv can't be read"):
        Reranking.of(Diversify(boosts=tmp_path / "none.csv"), store, CPU)


def served(pipeline: Pipeline) -> pl.DataFrame:
    return pl.concat(read_table(step.folder / "table.parquet") for step in pipeline.recommend())


def test_lists_that_are_judged_and_served_are_ranked_again(begun: Config) -> None:
    """Three runs share a model: without reranking, with it, and with one that changes nothing."""

    def opened(how: Diversify | None) -> Pipeline:
        return open_pipeline(begun.model_copy(update={"lists": ListSettings(diversify=how)}), CPU)

    plain, pipeline = opened(None), opened(Diversify(relevance=0.5, most={"product_type": 3}))
    assert pipeline.run.folder != plain.run.folder
    week, store = plain.weeks.validation, plain.store
    judged = [read_table(each.judge(week).with_name("lists.parquet")) for each in (plain, pipeline)]
    types = CPU.collect(store.articles().select("article", "product_type"))

    def kinds(lists: pl.DataFrame) -> float:
        return lists.join(types, on="article").unique(["customer", "product_type"]).height

    before, after = served(plain), served(pipeline)
    for old, new in (judged, (before, after)):
        assert kinds(new) > kinds(old)
        assert new.group_by("customer").len()["len"].unique().to_list() == [12]
    assert map_at(judged[1], CPU.collect(store.sold_in(week))) > 0
    assert served(opened(Diversify(relevance=1, among=1000))).equals(before)
