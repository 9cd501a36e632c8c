"""What normalises numbers, by hand; and a network's layer does the same with it."""

import numpy as np
import polars as pl
import pytest
import torch
from planted import on_disk

from hmgpu.parts.models.ranking.moments import FAR, moments_of, normalised
from hmgpu.parts.models.ranking.numbers import measured

ROWS = pl.DataFrame(
    {
        "customer": [1, 1, 1, 2],
        "article": [1, 2, 3, 1],
        "label": [1, 0, 0, 0],  # who bought nothing is not measured
        "count": [0.0, 3.0, None, 100.0],
        "change": [-1.0, 0.0, 1.0, 9.0],
        "same": [7.0, 7.0, 7.0, 8.0],
    }
)
NAMES = ["count", "change", "same"]


def test_means_deviations_and_gaps_by_hand(tmp_path):
    moments = moments_of(on_disk(tmp_path, rows=ROWS), NAMES)
    assert moments.logged.tolist() == [True, False, True]
    assert moments.mean == pytest.approx([np.log(4) / 2, 0.0, np.log(8)])
    assert moments.deviation == pytest.approx([np.log(4) / 2, np.sqrt(2 / 3), 1.0])
    assert moments.gaps == (0,)
    raw = ROWS.select(NAMES).to_numpy()
    found = normalised(raw, moments)
    assert found[:3, 0] == pytest.approx([-1.0, 1.0, 0.0])
    assert found[:, 3].tolist() == [0.0, 0.0, 1.0, 0.0]
    assert np.abs(normalised(1e9 * raw, moments)[:2]).max() == FAR
    layer = measured(on_disk(tmp_path, rows=ROWS), NAMES)
    assert layer(torch.from_numpy(raw.astype(np.float32))).numpy() == pytest.approx(found, abs=1e-5)
