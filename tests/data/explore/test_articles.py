"""Best and worst sellers."""

from data.explore.shown import bars, block, facts

from hmgpu.data.explore.articles import articles


def test_best_and_worst_sellers(whole):
    section = articles(whole)
    assert facts(section) == {
        "ever sold": "4",
        "never sold": "1",
        "sold in the last 28 days": "4",
        "sold once": "25.0 %",
        "units sold by the best tenth": "50.0 %",
    }
    best, worst = block(section, "Best"), block(section, "Worst")
    assert [row[2:] for row in best.rows] == [
        ["7", "2020-09-10", "2020-09-12"],
        ["4", "2020-09-01", "2020-09-09"],
        ["2", "2020-09-03", "2020-09-22"],
        ["1", "2020-09-16", "2020-09-16"],
    ]
    assert [row[2] for row in worst.rows] == ["1", "2", "4", "7"]
    assert "<script>" in best.rows[0][1]
    assert bars(section, "Articles by the units") == {"1": 1, "2–3": 1, "4–7": 2}
