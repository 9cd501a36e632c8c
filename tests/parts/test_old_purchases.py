"""Decayed weights keep the order of days for as long as a part looks back, whatever the half-life."""

from typing import Any

import kit
import pytest

from hmgpu.core.engine import Engine
from hmgpu.parts.features.affinity import Affinity
from hmgpu.parts.retrievers.popular import Popular
from hmgpu.parts.retrievers.popular_by import PopularBy
from hmgpu.parts.retrievers.repurchase import Repurchase
from hmgpu.parts.retrievers.same_product import SameProduct
from hmgpu.testing import make_history

CPU = Engine("cpu", "tests")
AGES = range(5, 725, 8)
NEWEST_FIRST = list(range(len(AGES) + 99, 99, -1))
"""The newer an article, the larger its key, so that no order comes from ties."""
LONG: dict[str, Any] = {"days": 730, "n": 200}


def history() -> Any:
    """One customer bought one article every eight days for two years, the last at 5 days; each has a twin on sale."""
    own = [(age, 1, article) for age, article in zip(AGES, NEWEST_FIRST, strict=True)]
    twins = [(3, 2, article + 1000) for article in NEWEST_FIRST]
    facts = {article + more: {"product": article, "club": 0} for article in NEWEST_FIRST for more in (0, 1000)}
    return make_history([*own, *twins], facts, {1: {"club": 0}, 2: {"club": 1}})


@pytest.mark.parametrize("half_life", [1.0, 4.0, 14.0, 200.0])
def test_what_was_bought_later_comes_first(half_life: float) -> None:
    told = history()
    own = kit.proposed(Repurchase(half_life=half_life, **LONG), told, CPU)[1]
    assert own == NEWEST_FIRST
    best = kit.proposed(Popular(half_life=half_life, **LONG), told, CPU)[1]
    assert [article for article in best if article < 1000] == NEWEST_FIRST
    alike = kit.proposed(PopularBy(by="club", half_life=half_life, **LONG), told, CPU)[1]
    assert alike == NEWEST_FIRST
    twins = kit.proposed(SameProduct(half_life=half_life, **LONG), told, CPU)[1]
    assert twins == [article + 1000 for article in NEWEST_FIRST]
    asked = [(1, article) for article in NEWEST_FIRST]
    described = kit.described(Affinity(half_life=half_life), told, CPU, asked)
    weights = [described[pair]["bought_article_weight"] for pair in asked]
    assert weights == sorted(set(weights), reverse=True)
