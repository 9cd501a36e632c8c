"""Articles as words: articles bought together get similar vectors, and rare ones get none."""

import random

import kit
import numpy as np
import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.parts.models.factors import by_gensim
from hmgpu.parts.retrievers.word2vec import Word2Vec

CPU = Engine("cpu", "tests")
GROUPS, ARTICLES, CUSTOMERS = 4, 40, 200


@pytest.fixture
def history(make_history):
    """Return the purchases of customers who each like a quarter of the catalogue."""
    draw = random.Random(1)
    days = [(ago, customer) for ago in range(1, 40) for customer in range(CUSTOMERS) if draw.random() < 0.2]
    return make_history([(ago, c, draw.randrange(c % GROUPS, ARTICLES, GROUPS)) for ago, c in days])


def test_articles_bought_together_get_similar_vectors(history):
    part = Word2Vec(dimensions=16, epochs=20, n=8)
    nearest = kit.proposed(part, history, CPU, range(20))
    liked = [article % GROUPS == customer % GROUPS for customer, articles in nearest.items() for article in articles]
    assert len(liked) == 20 * 8
    assert np.mean(liked) > 0.9


def test_each_model_learns_other_vectors_and_always_the_same(history):
    parts = [kit.bound(Word2Vec(dimensions=8, model=model), history, CPU) for model in ("skip-gram", "cbow")]
    parts += [kit.bound(Word2Vec(dimensions=8), history, CPU)]
    skip_gram, cbow, again = (kit.learned(part, history, CPU)["articles"].collect() for part in parts)
    assert again.equals(skip_gram)
    assert not cbow.equals(skip_gram)


def test_baskets_and_histories_are_the_sentences(make_history, monkeypatch):
    """A sentence is what a customer bought on one day, or ever, in order of days; single words are left out.

    In a history near articles count more; in a basket none is nearer than another.
    """
    history = make_history([(9, 0, 7), (2, 0, 5), (2, 0, 6), (2, 0, 6), (4, 1, 8), (1, 2, 5), (1, 2, 9)])
    given = []
    nothing = np.empty((0, 4), dtype=np.float32)

    def read(sentences, settings, device):
        given.append((sentences.to_list(), settings.shrink))
        return np.empty(0, dtype=np.int32), nothing, nothing

    monkeypatch.setattr(by_gensim, "read", read)
    for sentences in ("histories", "baskets"):
        part = kit.bound(Word2Vec(dimensions=4, sentences=sentences), history, CPU)
        kit.learned(part, history, CPU)
    assert given == [([[7, 5, 6], [5, 9]], True), ([[5, 6], [5, 9]], False)]


@pytest.mark.usefixtures("fitted_by")
def test_all_articles_of_a_product_have_its_vector(make_history):
    often = [(day, customer, article) for day in (1, 2, 3) for customer in (0, 1) for article in (1, 2, 4)]
    history = make_history([*often, (300, 0, 3)], {1: {"product": 10}, 2: {"product": 20}, 3: {"product": 10}})
    part = kit.bound(Word2Vec(dimensions=4, of="product"), history, CPU)
    articles = kit.learned(part, history, CPU)["articles"].collect()
    assert articles["article"].to_list() == [1, 2, 3]
    first, second, sister = articles.drop("article", "on_sale").rows()
    assert first == sister != second
    assert part.needs() == {"product"}


@pytest.mark.usefixtures("fitted_by")
def test_rare_articles_and_articles_bought_alone_have_no_vector(make_history):
    often = [(day, customer, article) for day in (1, 2) for customer in (0, 1) for article in (1, 2)]
    history = make_history([*often, (3, 0, 3), (1, 5, 4), (70, 0, 5), (70, 1, 5)])
    part = kit.bound(Word2Vec(dimensions=4, support=2), history, CPU)
    assert kit.learned(part, history, CPU)["articles"].collect()["article"].to_list() == [1, 2]
    assert kit.proposed(Word2Vec(support=9), history, CPU, [0, 5]) == {0: [], 5: []}


def test_articles_are_kept_by_their_key_and_no_longer_than_one(history):
    part = kit.bound(Word2Vec(dimensions=8), history, CPU)
    articles = kit.learned(part, history, CPU)["articles"].collect()
    assert articles["article"].to_list() == list(range(ARTICLES))
    lengths = np.linalg.norm(articles.select(pl.col("^v.*$")).to_numpy() / 2048, axis=1)
    assert lengths.max() == pytest.approx(1.0, abs=1e-3)
