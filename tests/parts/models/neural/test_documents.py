"""Vectors of texts: compared with scikit-learn's own truncated SVD, and for texts without terms."""

import random

import numpy as np
import polars as pl
import pytest
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from hmgpu.parts.models.neural.documents import document_vectors

WORDS = ["wool", "linen", "silk", "cotton", "dress", "socks", "shirt", "coat", "red", "blue", "long", "short", "wide"]


def documents(texts: list[str | None]) -> pl.DataFrame:
    return pl.DataFrame({"article": range(len(texts)), "text": texts}, {"article": pl.Int32, "text": pl.String})


def test_cosines_are_those_of_the_svd_of_all_terms(engine):
    draw = random.Random(1)
    texts = [" ".join(draw.choices(WORDS, k=draw.randrange(2, 9))) for _ in range(80)]
    vectors = document_vectors(documents(texts), 6, engine, 1).drop("article").to_numpy() / 2048
    terms = TfidfVectorizer(sublinear_tf=True).fit_transform(texts)
    plain = TruncatedSVD(6, algorithm="arpack", random_state=0).fit_transform(terms)
    plain /= np.linalg.norm(plain, axis=1, keepdims=True)
    assert vectors @ vectors.T == pytest.approx(plain @ plain.T, abs=5e-3)


def test_fewer_terms_than_dimensions(engine):
    vectors = document_vectors(documents(["red", "red", "blue"]), 5, engine, 1)
    assert vectors.width == 1 + 5
    numbers = vectors.drop("article").to_numpy() / 2048
    assert numbers @ numbers.T == pytest.approx(np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]]), abs=2e-3)


def test_texts_without_terms_are_left_out(engine):
    found = document_vectors(documents([None, "", " - ", "red coat"]), 4, engine, 1)
    assert found["article"].to_list() == [3]
    nothing = document_vectors(documents([None, "!"]), 4, engine, 1)
    assert nothing.is_empty()
    assert nothing.schema == found.schema


@pytest.mark.gpu
def test_both_engines_find_the_same_cosines(engine, gpu):
    draw = random.Random(2)
    texts = documents([" ".join(draw.choices(WORDS, k=draw.randrange(2, 9))) for _ in range(80)])
    found = [document_vectors(texts, 6, each, 1).drop("article").to_numpy() / 2048 for each in (engine, gpu)]
    assert found[0] @ found[0].T == pytest.approx(found[1] @ found[1].T, abs=5e-3)
