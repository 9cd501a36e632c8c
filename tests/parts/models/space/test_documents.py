"""Vectors of texts: compared with scikit-learn's own truncated SVD, and for texts without terms."""

import random

import numpy as np
import polars as pl
import pytest
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from hmgpu.parts.models.space.documents import document_vectors

WORDS = ["wool", "linen", "silk", "cotton", "dress", "socks", "shirt", "coat", "red", "blue", "long", "short", "wide"]


def documents(texts: list[str | None]) -> pl.DataFrame:
    return pl.DataFrame({"article": range(len(texts)), "text": texts}, {"article": pl.Int32, "text": pl.String})


def test_cosines_are_those_of_the_svd_of_all_terms():
    draw = random.Random(1)
    texts = [" ".join(draw.choices(WORDS, k=draw.randrange(2, 9))) for _ in range(80)]
    vectors = document_vectors(documents(texts), 6).drop("article").to_numpy() / 2048
    terms = TfidfVectorizer(sublinear_tf=True).fit_transform(texts)
    plain = TruncatedSVD(6, algorithm="arpack", random_state=0).fit_transform(terms)
    plain /= np.linalg.norm(plain, axis=1, keepdims=True)
    assert vectors @ vectors.T == pytest.approx(plain @ plain.T, abs=5e-3)


def test_fewer_terms_than_dimensions():
    vectors = document_vectors(documents(["red", "red", "blue"]), 5)
    assert vectors.width == 1 + 5
    numbers = vectors.drop("article").to_numpy() / 2048
    assert numbers @ numbers.T == pytest.approx(np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]]), abs=2e-3)


def test_texts_without_terms_are_left_out():
    found = document_vectors(documents([None, "", " - ", "red coat"]), 4)
    assert found["article"].to_list() == [3]
    nothing = document_vectors(documents([None, "!"]), 4)
    assert nothing.is_empty()
    assert nothing.schema == found.schema
