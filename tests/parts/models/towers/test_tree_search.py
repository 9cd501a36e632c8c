"""Scores of nodes by hand, and the beam: as wide as the tree it finds what looking at every article finds."""

import math

import numpy as np
import polars as pl
import pytest
import torch

from hmgpu.core.engine import Engine
from hmgpu.core.vectors import quantised
from hmgpu.parts.models.encode.columns import RARE
from hmgpu.parts.models.towers import tree_search
from hmgpu.parts.models.towers.tree_search import TreeLayers, TreeScores
from hmgpu.parts.models.training.weights import weight_table
from hmgpu.parts.retrievers.tdm import TDM

CPU = Engine("cpu", "tests")
BRANCHES, ARTICLES, CUSTOMERS = 4, 90, 70
PART = TDM(dimensions=6, layers=(5, 3), levels=2, recent=3)


@pytest.fixture(scope="module")
def layers() -> TreeLayers:
    torch.manual_seed(2)
    made = TreeLayers(RARE + 1 + ARTICLES, BRANCHES, PART)
    torch.nn.init.normal_(made.nothing)
    return made


@pytest.fixture(scope="module")
def tables(layers) -> dict[str, pl.DataFrame]:
    """Articles 1, 3, 5, … whose codes are in another order, and of which two thirds are on sale."""
    draw = np.random.default_rng(4)
    codes = draw.permutation(np.arange(RARE + 1, RARE + 1 + ARTICLES))
    articles = pl.DataFrame(
        {
            "article": pl.Series(2 * np.arange(ARTICLES) + 1, dtype=pl.Int32),
            "code": pl.Series(codes, dtype=pl.Int32),
            "home": pl.Series(draw.integers(0, 13, ARTICLES), dtype=pl.Int32),  # three nodes have no article
        }
    ).with_columns(on_sale=(pl.col("article") % 3 > 0).cast(pl.Int8))
    unit = torch.nn.functional.normalize(torch.from_numpy(draw.normal(size=(CUSTOMERS, 6))), dim=1)
    recent = {f"r00{place}": pl.Series(draw.integers(0, ARTICLES, CUSTOMERS), dtype=pl.Int32) for place in range(3)}
    customers = quantised(torch.arange(CUSTOMERS), unit, "customer").with_columns(**recent)
    return {"articles": articles, "customers": customers, "weights": weight_table(layers)}


def all_pairs() -> pl.DataFrame:
    pairs = [(customer, 2 * article + 1) for customer in range(CUSTOMERS) for article in range(ARTICLES)]
    return pl.DataFrame(pairs, schema={"customer": pl.Int32, "article": pl.Int32}, orient="row")


def scores(tables, **settings) -> TreeScores:
    return TreeScores(PART.model_copy(update=settings))


def test_a_node_attends_to_the_latest_articles_and_is_scored_by_the_layers(layers):
    node, own = torch.randn(6), torch.randn(6)
    history = [RARE + 1, RARE, RARE + 7]  # the second is no article
    found = layers(node[None, None], torch.tensor([history]), own[None]).item()
    bought = torch.stack([layers.nothing, layers.leaves.weight[RARE + 1], layers.leaves.weight[RARE + 7]])
    seen = torch.softmax(bought @ node / math.sqrt(6), 0) @ bought
    x = torch.cat([node, seen, node * seen, own, node * own])
    for linear, bend in ((layers.layers[0], layers.layers[1]), (layers.layers[2], layers.layers[3])):
        x = linear.weight @ x + linear.bias
        x = torch.where(x > 0, x, bend.weight * x)
    expected = layers.layers[4].weight[0] @ x + layers.layers[4].bias[0] + node @ seen + node @ own
    assert found == pytest.approx(expected.item(), abs=1e-4)


def test_the_widest_beam_finds_what_looking_at_every_article_finds(tables):
    found = scores(tables, beam=BRANCHES**2).best(tables, 9, CPU)
    every = all_pairs().with_columns(scores(tables).of(all_pairs(), tables, CPU))
    order = {"customer": False, "score": True, "article": False}
    expected = every.filter(pl.col("article") % 3 > 0).sort(list(order), descending=list(order.values()))
    assert found.drop("rank").equals(expected.group_by("customer", maintain_order=True).head(9))


def test_a_narrow_beam_finds_the_articles_below_the_best_nodes(tables, layers):
    found = scores(tables, beam=1).best(tables, ARTICLES, CPU)
    selling = tables["articles"].filter(pl.col("on_sale") == 1)
    of = found.join(selling, on="article").group_by("customer").agg(pl.col("home").unique())
    assert set(of["home"].list.len()) == {1}
    below = selling.group_by("home").len().rename({"len": "articles"})
    counts = found.group_by("customer").len().join(of.explode("home"), on="customer").join(below, on="home")
    assert counts["len"].to_list() == counts["articles"].to_list()
    # Scores are those of any beam.
    every = all_pairs().with_columns(scores(tables).of(all_pairs(), tables, CPU))
    both = found.join(every, on=["customer", "article"], suffix="_alone")
    assert both["score"].to_list() == both["score_alone"].to_list()


def test_articles_of_one_score_are_in_the_order_of_their_ids(tables):
    alike = tables["articles"].with_columns(code=pl.lit(RARE + 1, pl.Int32))
    found = scores(tables).best(tables | {"articles": alike.sample(fraction=1.0, shuffle=True, seed=1)}, 4, CPU)
    assert found["article"].to_list() == [1, 5, 7, 11] * CUSTOMERS


def test_blocks_missing_rows_and_the_order_of_weights_change_nothing(tables, monkeypatch):
    pairs = all_pairs().vstack(pl.DataFrame({"customer": [99], "article": [1]}, schema=all_pairs().schema))
    whole = scores(tables, beam=3).best(tables, 5, CPU), scores(tables).of(pairs, tables, CPU)
    assert whole[1].null_count() == 1
    monkeypatch.setattr(tree_search, "CUSTOMERS", 3)
    monkeypatch.setattr(tree_search, "NODES", 2)
    mixed = tables | {"weights": tables["weights"].sample(fraction=1.0, shuffle=True, seed=1)}
    assert scores(tables, beam=3).best(mixed, 5, CPU).equals(whole[0])
    assert scores(tables).of(pairs, mixed, CPU).equals(whole[1])


def test_where_nothing_is_known_nothing_is_found(tables):
    for name in ("articles", "customers"):
        empty = tables | {name: tables[name].clear()}
        assert scores(tables).best(empty, 5, CPU).is_empty()
        assert scores(tables).of(all_pairs(), empty, CPU).null_count() == len(all_pairs())
    nothing = {name: table.clear() for name, table in tables.items()}
    assert scores(tables).best(nothing, 5, CPU).is_empty()
