"""A product of sparse matrices gives the rules that the plans give, to the last number."""

import pytest

from hmgpu.benchmark.agreement import largest_difference
from hmgpu.benchmark.learned import with_engine
from hmgpu.benchmark.rivals.sparse_copurchase import sparse_rules
from hmgpu.core.engine import Engine
from hmgpu.parts.retrievers.copurchase import CoPurchase

CPU = Engine("cpu", "tests")
SETTINGS = {
    "the defaults": {},
    "plain counts": {"gap": 1.0, "backwards": 1.0},
    "direction alone": {"gap": 1.0, "backwards": 0.3},
    "after the seed only": {"backwards": 0.0},
    "few articles a customer": {"per_customer": 3, "support": 1},
    "few rules, which ties decide": {"gap": 1.0, "backwards": 1.0, "per_article": 2, "support": 1},
    "on sale longer than pairs are read": {"days": 10, "on_sale": 60, "support": 1},
    "more support": {"support": 3},
}


def same(store, part, engine) -> int:
    """How many rules both ways have, which must be equal."""
    history = store.as_of(store.last_complete_week.first_day)
    ours = engine.collect(with_engine(part, engine).learn(history)["rules"])
    theirs = sparse_rules(store, history.cutoff, part, engine)
    assert theirs.schema == ours.schema
    assert largest_difference(ours, theirs, 0.0, ("seed", "article")) == 0
    return ours.height


@pytest.mark.parametrize("given", SETTINGS.values(), ids=SETTINGS)
def test_the_same_rules(store, given):
    assert same(store, CoPurchase(**given), CPU) > (0 if given.get("support") == 3 else 20)


@pytest.mark.gpu
def test_the_same_rules_on_a_gpu(store, gpu):
    assert same(store, CoPurchase(), gpu) > 20
