"""Extra negatives are sampled by their share, from the week that is asked for."""

import polars as pl
import pytest
import torch

from hmgpu.parts.models.training.negatives import OnSaleNegatives


@pytest.fixture
def negatives(tmp_path):
    for week, keys in ((7, [1, 2, 3]), (14, [8, 9, 10])):
        columns = {"target": keys, "share": [0.5, 0.5, 0.0], "article": [key * 10 for key in keys]}
        types = {"target": pl.Int32, "share": pl.Float32, "article": pl.Int32}
        pl.DataFrame(columns, schema=types).write_parquet(tmp_path / f"{week}.parquet")
    return OnSaleNegatives(sorted(tmp_path.glob("*.parquet")), 400, "cpu")


def test_they_are_of_the_week_and_come_with_their_columns(negatives):
    sampled = negatives.draw(14)
    assert set(sampled) == {"target", "article"}
    assert set(sampled["target"].tolist()) == {8, 9}
    assert torch.equal(sampled["article"], sampled["target"] * 10)


def test_shares_are_kept(negatives):
    torch.manual_seed(0)
    sampled = negatives.draw(7)["target"]
    assert 150 < (sampled == 1).sum() < 250
    assert len(sampled) == 400


def test_torchs_generator_decides(negatives):
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(negatives.draw(7)["target"].tolist())
    assert found[0] == found[1] != found[2]
