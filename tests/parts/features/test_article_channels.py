"""Units and shares by channel and window."""

import pytest
from kit import described

from hmgpu.parts.features.article_channels import ArticleChannels


def test_units_and_shares_of_each_channel(make_history, engine):
    # Within 7 days two units in channel 0 and one in 1; within 28 days two more in 1. Article 11 only sold 8 days ago.
    bought = [(1, 1, 10), (7, 2, 10), (7, 3, 10), (8, 1, 10), (28, 1, 10), (29, 1, 10), (8, 1, 11)]
    history = make_history(bought, channels=[0, 0, 1, 1, 1, 0, 0])
    found = described(ArticleChannels(), history, engine, [(9, 10), (9, 11), (9, 12)])
    assert found[9, 10] == {
        "article_channel_0_units_7": 2,
        "article_channel_1_units_7": 1,
        "article_channel_0_units_28": 2,
        "article_channel_1_units_28": 3,
        "article_channel_0_share_7": pytest.approx(2 / 3),
        "article_channel_1_share_7": pytest.approx(1 / 3),
        "article_channel_0_share_28": pytest.approx(2 / 5),
        "article_channel_1_share_28": pytest.approx(3 / 5),
    }
    assert found[9, 11]["article_channel_0_units_7"] == 0
    assert found[9, 11]["article_channel_0_share_7"] is None
    assert found[9, 11]["article_channel_0_share_28"] == 1
    assert set(found[9, 12].values()) == {None}


def test_other_windows_and_more_channels(make_history, engine):
    history = make_history([(3, 1, 10), (3, 1, 10)], channels=[2, 0])
    found = described(ArticleChannels(windows=(3,), channels=3), history, engine, [(9, 10)])[9, 10]
    assert [found[f"article_channel_{place}_units_3"] for place in range(3)] == [1, 0, 1]
    assert ArticleChannels().needs() == {"channel"}
