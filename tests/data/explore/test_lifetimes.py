"""How long articles sell."""

from data.explore.shown import bars, facts, line

from hmgpu.data.explore.lifetimes import lifetimes


def test_lifetimes_count_both_ends(whole):
    section = lifetimes(whole)
    # 9 days, 20 days, 3 days and one.
    assert bars(section, "Articles by lifetime") == {
        "up to a week": 2,
        "1–4 weeks": 2,
        "4–13 weeks": 0,
        "13–26 weeks": 0,
        "26–52 weeks": 0,
        "over 52 weeks": 0,
    }
    assert facts(section) == {"median lifetime in days": "3"}
    assert line(section, "Articles sold for the first time") == {"articles": [1, 1, 1]}
    assert line(section, "Share") == {"new": [None, None, None]}  # all is sold in the first 28 days
