"""Ages of articles: by their first sale before the cutoff."""

import pytest

from hmgpu.data.article_ages import AGES, article_ages


@pytest.mark.parametrize(("ago", "age"), [(1, 1), (6, 1), (7, 2), (27, 2), (28, 3), (900, 3)])
def test_it_is_counted_from_the_first_sale(make_history, engine, ago, age):
    history = make_history([(ago, 1, 5), (1, 2, 5)])
    assert engine.collect(article_ages(history)).rows() == [(5, age)]
    assert AGES[age] in ("under 1 week", "under 4 weeks", "older")
