"""What torch fits on a GPU recalls as much as what the libraries fit on a CPU; here both are fitted on the CPU."""

import kit
import pytest

from hmgpu.core.engine import Engine
from hmgpu.parts.retrievers.als import ALS
from hmgpu.parts.retrievers.bpr import BPR
from hmgpu.parts.retrievers.word2vec import Word2Vec

CPU = Engine("cpu", "tests")
# As many epochs as each needs to find the planted tastes: the recall of best sellers is .25.
PARTS = [ALS(n=15, factors=8), BPR(n=15, factors=8, iterations=20), Word2Vec(n=15, dimensions=8, epochs=40)]
each_part = pytest.mark.parametrize("part", PARTS, ids=lambda part: part.kind)


def by_torch(monkeypatch):
    monkeypatch.setattr(Engine, "either", lambda engine, cpu, gpu: gpu)


@each_part
def test_recall_is_the_same_within_chance(part, hit, monkeypatch):
    library = hit(part)
    by_torch(monkeypatch)
    apart = hit(part) - library
    assert library.mean() > 0.4
    assert abs(apart.mean()) <= 2 * apart.std() / len(apart) ** 0.5


@each_part
def test_vectors_are_of_the_same_articles(part, tasteful, monkeypatch):
    tables = []
    for _ in range(2):
        tables.append(kit.learned(kit.bound(part, tasteful, CPU), tasteful, CPU))
        by_torch(monkeypatch)
    library, torch = tables
    assert library.keys() == torch.keys()
    for name, table in library.items():
        assert torch[name].collect_schema() == table.collect_schema()
    articles, theirs = (tables["articles"].select("article", "on_sale").collect() for tables in (torch, library))
    assert articles.equals(theirs)
