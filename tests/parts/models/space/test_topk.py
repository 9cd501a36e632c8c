"""Exact nearest neighbours: compared with plain sorting, with ties, in any block size, and for missing vectors."""

import hypothesis.strategies as st
import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings

from hmgpu.core.engine import Engine
from hmgpu.core.vectors import STEPS, quantised, shortened
from hmgpu.parts.models.space import topk
from hmgpu.parts.models.space.topk import dots, in_chunks, nearest, search

CPU = Engine("cpu", "tests")


def table(key: str, vectors: np.ndarray, keys: list[int] | None = None) -> pl.DataFrame:
    columns = {f"v{place:03}": vectors[:, place].astype(np.int16) for place in range(vectors.shape[1])}
    return pl.DataFrame({key: pl.Series(keys or list(range(len(vectors))), dtype=pl.Int32)} | columns)


def test_vectors_are_kept_in_steps_and_sorted():
    kept = quantised(torch.tensor([5, 2]), torch.tensor([[1.0, -1.0], [0.5, 1 / STEPS]]), "customer")
    assert kept.rows() == [(2, 1024, 1), (5, 2048, -2048)]
    assert kept.schema == {"customer": pl.Int32, "v000": pl.Int16, "v001": pl.Int16}


def test_shortened_vectors_keep_their_proportions():
    assert shortened(torch.tensor([[0.0, 4.0], [1.0, 0.0]])).tolist() == [[0.0, 1.0], [0.25, 0.0]]
    assert shortened(torch.zeros(2, 3)).tolist() == [[0.0] * 3] * 2
    assert shortened(torch.empty(0, 3)).shape == (0, 3)


def test_hand_worked():
    customers = table("customer", np.array([[2048, 0], [0, 2048]]), [10, 11])
    articles = table("article", np.array([[2048, 0], [1024, 1024], [0, 512]]), [7, 3, 5])
    assert nearest(customers, articles, 2, CPU).rows() == [
        (10, 7, 1.0, 1),
        (10, 3, 0.5, 2),
        (11, 3, 0.5, 1),
        (11, 5, 0.25, 2),
    ]


def test_ties_break_on_the_smaller_article_whatever_the_order_of_rows():
    articles = table("article", np.ones((6, 3)), [9, 4, 7, 1, 8, 2])
    found = nearest(table("customer", np.ones((1, 3))), articles, 3, CPU)
    assert found["article"].to_list() == [1, 2, 4]


def test_fewer_articles_than_asked_for_and_none_at_all():
    customers, articles = table("customer", np.ones((2, 2))), table("article", np.ones((3, 2)))
    assert nearest(customers, articles, 10, CPU)["rank"].to_list() == [1, 2, 3] * 2
    assert nearest(customers, articles.clear(), 10, CPU).is_empty()
    assert nearest(customers.clear(), articles, 10, CPU).schema == nearest(customers, articles, 10, CPU).schema


def test_articles_that_are_left_out_are_not_found_and_leave_lists_short():
    """Of 20 articles the first customer may have three, the second none; the last article is beside the padding."""
    scores = torch.full((20, 2), -torch.inf)
    scores[[3, 4, 19], 0] = torch.tensor([5.0, 7.0, 5.0])
    customers, articles = pl.DataFrame({"customer": [8, 9]}), pl.Series(range(100, 120))
    found = search(customers, articles, 4, lambda rows: in_chunks(scores).T, 2, 10)
    assert found.rows() == [(8, 104, 3.5, 1), (8, 103, 2.5, 2), (8, 119, 2.5, 3)]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 8), st.integers(0, 10_000))
def test_the_same_as_sorting_all_scores(n_articles, n_customers, n, seed):
    draw = np.random.default_rng(seed)
    left, right = draw.integers(-3, 4, (n_customers, 4)), draw.integers(-3, 4, (n_articles, 4))
    found = nearest(table("customer", left), table("article", right), n, CPU)
    scores = left @ right.T
    for customer in range(n_customers):
        expected = sorted(range(n_articles), key=lambda article: (-scores[customer, article], article))[:n]
        assert found.filter(pl.col("customer") == customer)["article"].to_list() == expected


def test_block_size_changes_nothing(monkeypatch):
    draw = np.random.default_rng(0)
    vectors = draw.normal(size=(50, 16))
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True) * STEPS).round()
    customers, articles = table("customer", unit), table("article", unit[::-1].copy())
    pairs = pl.DataFrame(
        {"customer": [0, 49, 7], "article": [3, 0, 42]}, schema={"customer": pl.Int32, "article": pl.Int32}
    )
    whole = nearest(customers, articles, 5, CPU), dots(pairs, customers, articles, CPU)
    monkeypatch.setattr(topk, "BLOCK_BYTES", 1)
    one_by_one = nearest(customers, articles, 5, CPU), dots(pairs, customers, articles, CPU)
    assert whole[0].equals(one_by_one[0])
    assert whole[1].equals(one_by_one[1])


def test_dots_are_the_scores_of_retrieval_and_null_where_a_vector_is_missing():
    customers, articles = table("customer", np.array([[2048, 0]])), table("article", np.array([[1024, 0], [0, 9]]))
    asked = pl.DataFrame({"customer": [0, 0, 0, 5], "article": [1, 0, 8, 0]})
    assert dots(asked, customers, articles, CPU).to_list() == [0.0, 0.5, None, None]
    found = nearest(customers, articles, 2, CPU)
    assert dots(found, customers, articles, CPU).equals(found["score"].alias("dot"))


@pytest.mark.gpu
def test_the_gpu_finds_the_same_bits(gpu):
    draw = np.random.default_rng(1)
    vectors = draw.normal(size=(3000, 64))
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True) * STEPS).round()
    customers, articles = table("customer", unit[:1000]), table("article", unit[1000:])
    assert nearest(customers, articles, 100, CPU).equals(nearest(customers, articles, 100, gpu))
