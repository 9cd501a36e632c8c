"""What negatives are sampled by, and how well articles sold before each week."""

import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.parts.models.sequences.supply import EDGES, sales_bands, supply
from hmgpu.parts.retrievers.sasrec import SASRec
from hmgpu.testing import CUTOFF

CPU = Engine("cpu", "tests")
ARTICLES = pl.DataFrame(
    {"article": [4, 5, 6, 9], "place": [1, 2, 3, 4]}, schema={"article": pl.Int32, "place": pl.Int32}
)


@pytest.fixture
def history(make_history):
    """Customer 1 buys 6 and 4 (two units) on a day and 9 later, 2 bought 5 long ago."""
    return make_history([(30, 1, 6), (30, 1, 4), (30, 1, 4), (9, 1, 9), (400, 2, 5)])


def test_it_counts_what_is_predicted_and_says_when_it_was_on_sale(history):
    found = supply(history, ARTICLES, SASRec(weeks=5, on_sale=28), CPU)
    # Two units of a day are one purchase, and 400 days are too long ago.
    assert found["bought"].to_list() == [1, 0, 1, 1]
    assert [CUTOFF - day for day in found["first"]] == [30, 400, 30, 9]
    assert [CUTOFF - day for day in found["last"]] == [2, 372, 2, -19]


def test_bands_are_half_an_octave_wide():
    assert EDGES[:9].tolist() == [1, 2, 3, 4, 6, 8, 12, 16, 24]


def test_a_week_knows_the_purchases_of_the_week_and_of_the_four_weeks_before_it(make_history):
    """Article 4 is bought by five customers 1 to 7 days ago, by one 8 days ago, and by two 28 and 29 days ago."""
    bought = [(day, customer, 4) for customer, day in enumerate([1, 2, 3, 7, 7, 8, 28, 29])]
    found = sales_bands(make_history(bought), ARTICLES, 2, CPU)
    assert found.shape == (3, 4, 2)
    counts = [[5, 7], [1, 3], [0, 2]]  # at the cutoff, a week and two weeks before it
    assert [[EDGES[band - 1] if band else 0 for band in week] for week in found[:, 0].tolist()] == [
        [4, 6],
        [1, 3],
        [0, 2],
    ]
    assert all(EDGES[found[week, 0, 0] - 1] <= counts[week][0] for week in range(2))
    assert not found[:, 1:].any()
