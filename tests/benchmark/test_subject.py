"""Parts that learn by plans alone are kept, the others listed."""

import pytest

from hmgpu.core.errors import ConfigError
from hmgpu.parts.features.article_sales import ArticleSales
from hmgpu.parts.features.encoded import Encoded
from hmgpu.parts.retrievers.popular import Popular
from hmgpu.parts.retrievers.two_tower import TwoTower


def test_parts_with_models_are_left_out(make_subject):
    parts = {"two_tower": TwoTower(), "popular": Popular()}
    subject = make_subject(retrievers=parts, features={"encoded": Encoded(), "article_sales": ArticleSales()})
    assert [*subject.untrained.retrievers] == ["popular"]
    assert [*subject.untrained.features] == ["article_sales"]
    assert subject.left_out == ["retrievers.two_tower", "features.encoded"]
    assert subject.two_tower is parts["two_tower"]


def test_nothing_left_to_propose_is_an_error(make_subject):
    with pytest.raises(ConfigError, match="add popular"):
        make_subject(retrievers={"two_tower": TwoTower()}).untrained  # noqa: B018
