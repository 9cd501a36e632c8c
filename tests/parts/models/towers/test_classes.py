"""Likelihoods of articles within classes, worked out by hand from vectors; they add up to 1 over all articles."""

import numpy as np
import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.core.vectors import STEPS
from hmgpu.parts.models.space import topk
from hmgpu.parts.models.towers.classes import UNIT, ClassScores

CPU = Engine("cpu", "tests")
SCORES = ClassScores(0.25)
ARTICLES, CUSTOMERS, CLASSES = 70, 9, 6


def table(key: str, vectors: np.ndarray, keys: list[int] | None = None) -> pl.DataFrame:
    whole = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True) * STEPS).round().astype(np.int16)
    columns = {f"v{place:03}": whole[:, place] for place in range(whole.shape[1])}
    return pl.DataFrame({key: pl.Series(keys or list(range(len(vectors))), dtype=pl.Int32)} | columns)


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    """Articles in the classes 0, 2 and 5 of six, two thirds of them on sale."""
    draw = np.random.default_rng(4)
    articles = table("article", draw.normal(size=(ARTICLES, 8))).with_columns(
        pl.Series("class", np.array([0, 2, 5])[draw.integers(0, 3, ARTICLES)], pl.Int32),
        (pl.col("article") % 3 > 0).cast(pl.Int8).alias("on_sale"),
    )
    classes = table("class", draw.normal(size=(3, 8)), [0, 2, 5])
    return {"articles": articles, "classes": classes, "customers": table("customer", draw.normal(size=(CUSTOMERS, 8)))}


def all_pairs() -> pl.DataFrame:
    pairs = [(customer, article) for customer in range(CUSTOMERS) for article in range(ARTICLES)]
    return pl.DataFrame(pairs, schema={"customer": pl.Int32, "article": pl.Int32}, orient="row")


def softmax(logits: np.ndarray) -> np.ndarray:
    return np.exp(logits) / np.exp(logits).sum()


def test_the_likelihoods_are_those_of_the_class_times_those_within_and_add_up_to_1(tables):
    found = SCORES.of(all_pairs(), tables, CPU).to_numpy().reshape(CUSTOMERS, ARTICLES)
    assert np.exp(found.astype(float)).sum(axis=1) == pytest.approx(np.ones(CUSTOMERS), abs=1e-3)

    customers, articles, classes = (
        tables[name].select("^v.*$").to_numpy() / STEPS for name in ("customers", "articles", "classes")
    )
    of = tables["articles"]["class"].to_numpy()
    for customer, scores in zip(customers, found, strict=True):
        expected = np.zeros(ARTICLES)
        for likely, number in zip(softmax(classes @ customer / 0.25), (0, 2, 5), strict=True):
            expected[of == number] = likely * softmax(articles[of == number] @ customer / 0.25)
        assert np.exp(scores) == pytest.approx(expected, rel=1e-3)


def test_the_best_are_those_of_the_highest_scores_on_sale(tables):
    best = SCORES.best(tables, 7, CPU)
    scored = all_pairs().with_columns(SCORES.of(all_pairs(), tables, CPU))
    expected = scored.filter(pl.col("article") % 3 > 0).sort(
        "customer", "score", "article", descending=[False, True, False]
    )
    assert best.drop("rank").equals(expected.group_by("customer", maintain_order=True).head(7))


def test_articles_with_the_same_vector_are_in_the_order_of_their_ids(tables):
    one = tables["articles"].with_columns(pl.col("^v.*$").first(), pl.lit(0, pl.Int32).alias("class"))
    found = SCORES.best(tables | {"articles": one.sample(fraction=1.0, shuffle=True, seed=1)}, 4, CPU)
    assert found["article"].to_list() == [1, 2, 4, 5] * CUSTOMERS
    assert found["score"].n_unique() == CUSTOMERS


def test_blocks_and_missing_rows_change_nothing(tables, monkeypatch):
    pairs = all_pairs().vstack(pl.DataFrame({"customer": [99], "article": [1]}, schema=all_pairs().schema))
    whole = SCORES.best(tables, 5, CPU), SCORES.of(pairs, tables, CPU)
    assert whole[1].null_count() == 1
    assert (whole[1].drop_nulls() * UNIT % 1 == 0).all()
    monkeypatch.setattr(topk, "BLOCK_BYTES", 1)
    assert SCORES.best(tables, 5, CPU).equals(whole[0])
    assert SCORES.of(pairs, tables, CPU).equals(whole[1])


def test_where_nothing_is_known_nothing_is_found(tables):
    for name in ("articles", "customers"):
        empty = tables | {name: tables[name].clear()}
        assert SCORES.best(empty, 5, CPU).is_empty()
        assert SCORES.of(all_pairs(), empty, CPU).null_count() == CUSTOMERS * ARTICLES
