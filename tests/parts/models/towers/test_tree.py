"""A tree of articles: similar ones hang from one node, and a node's number tells its parent's."""

import numpy as np
import polars as pl
import torch

from hmgpu.core.engine import Engine
from hmgpu.core.vectors import quantised
from hmgpu.parts.models.towers.tree import homes

CPU = Engine("cpu", "tests")


def test_articles_hang_from_their_kind_under_their_family():
    """Of 108 articles in three families of three kinds; families are far apart, kinds are nearer."""
    draw = np.random.default_rng(3)
    families, kinds = draw.normal(size=(3, 12)), draw.normal(size=(9, 12)) * 0.5
    kind = np.arange(108) % 9
    points = torch.from_numpy(families[kind % 3] + kinds[kind] + draw.normal(size=(108, 12)) * 0.02)
    vectors = quantised(torch.arange(108), torch.nn.functional.normalize(points, dim=1), "article")
    found = homes(vectors.sample(fraction=1.0, shuffle=True, seed=2), 3, 2, 1, CPU)
    assert found.schema == {"article": pl.Int32, "home": pl.Int32}
    assert found["article"].to_list() == list(range(108))
    home = found["home"].to_numpy()
    assert [len(set(home[kind == of])) for of in range(9)] == [1] * 9
    assert [len(set(home[kind % 3 == of] // 3)) for of in range(3)] == [1] * 3
    assert set(home) == set(range(9))
    assert homes(vectors, 3, 1, 1, CPU)["home"].to_list() == (home // 3).tolist()


def test_few_articles_are_under_few_nodes():
    vectors = quantised(torch.arange(2), torch.eye(2), "article")
    assert sorted(homes(vectors, 4, 3, 1, CPU)["home"]) == [0, 16]
    assert homes(vectors.clear(), 4, 2, 1, CPU).is_empty()
