"""The months in which groups of articles sell."""

from hmgpu.data.explore.seasons import by_month


def test_months_are_compared_with_the_groups_own_mean(whole):
    rows = dict(by_month(whole, "garment_group"))
    assert len(rows) == 3
    assert all(values[8] == 1.0 for values in rows.values())  # all is sold in September
    assert all(value is None for values in rows.values() for month, value in enumerate(values) if month != 8)
