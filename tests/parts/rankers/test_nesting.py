"""Every ranker within every other: each is fitted on the lists that it is served, and is given what it asks for."""

from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest
from planted import SMALL, planted
from pydantic import ValidationError

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.examples import Examples
from hmgpu.parts.models.rivals import Verdict
from hmgpu.parts.part import kinds
from hmgpu.parts.ranker import Model, Ranker, all_within
from hmgpu.parts.rankers.bagged import Bagged
from hmgpu.parts.rankers.blend import Blend
from hmgpu.parts.rankers.cascade import Cascade
from hmgpu.parts.rankers.dnn import DNN
from hmgpu.parts.rankers.guard import Guard
from hmgpu.parts.rankers.order import Order, OrderModel
from hmgpu.parts.rankers.proposed_by import ProposedBy
from hmgpu.parts.rankers.stack import Stack
from hmgpu.pipeline.config import load_config

CPU = Engine("cpu", "tests")
EARLY = ("customer", "article", "popular_rank", "popular_score", "price_fit", "worth", "best_rank")
Rows = set[tuple[int, int]]


class SpyModel(OrderModel):
    """An order that records what it scores, as `Spy` does what it is fitted on."""

    def score(self, examples: pl.DataFrame) -> pl.Series:
        Spy.served.append(set(examples.select(KEYS).rows()))
        return -examples["article"].cast(pl.Float32)


class Spy(Order):
    """Stands for any ranker that holds no other."""

    fitted: ClassVar[list[tuple[Rows, Rows]]] = []
    """What decides when to stop, and the lists of the last training week, of every fit."""
    refitted: ClassVar[list[Rows]] = []
    """The lists of the last training week, or all that it is fitted on, of every fit without a validation week."""
    served: ClassVar[list[Rows]] = []

    def fit(self, training: Examples, validation: Examples, engine: Any, seed: int, client: Any = None) -> Model:
        stopping, lists = ([pl.concat(each.tables())] if each.files else [] for each in _lists(training, validation))
        Spy.fitted.append(tuple({*table.select(KEYS).rows()} for [table] in (stopping, lists or stopping)))  # type: ignore[arg-type]
        return SpyModel(("popular",))

    def refit(self, fitted: Model, training: Examples, engine: Any, seed: int, client: Any = None) -> Model:
        lists = training.last_lists()
        Spy.refitted.append({*pl.concat((lists if lists.files else training).tables()).select(KEYS).rows()})
        return fitted


def _lists(training: Examples, validation: Examples) -> tuple[Examples, Examples]:
    return validation, training.last_lists()


def within(kind: str, inner: Ranker) -> dict[str, Ranker]:
    """The rankers of a kind that hold `inner`, one for each place in it."""
    return {
        "blend": {"blend": Blend(rankers={"inner": inner, "trees": SMALL})},
        "stack": {
            "stack.rankers": Stack(rankers={"inner": inner}, stacker=SMALL),
            "stack.stacker": Stack.model_construct(rankers={"trees": SMALL}, stacker=inner),
        },
        "cascade": {
            "cascade.first": Cascade(first=inner, keep=12, then=SMALL),
            "cascade.then": Cascade(first=SMALL, keep=12, then=inner),
        },
        "bagged": {
            "bagged.ranker": Bagged(ranker=inner, bags=1, stacker=SMALL),
            "bagged.stacker": Bagged.model_construct(ranker=SMALL, bags=1, negatives=10, stacker=inner),
        },
        "guard": {"guard": Guard.model_construct(**{**dict(Guard()), "ranker": inner, "keep": 12})},
        "proposed_by": {"proposed_by": ProposedBy(retrievers=("popular",), ranker=inner)},
    }[kind]


HOLDERS = ("blend", "stack", "cascade", "bagged", "guard", "proposed_by")
SINGLE = {name: each for kind in HOLDERS for name, each in within(kind, Spy()).items()}
PAIRS = {
    f"{outer} < {inner}": ranker
    for inner, each in SINGLE.items()
    for kind in HOLDERS
    for outer, ranker in within(kind, each).items()
    if not (outer.endswith("stacker") and (each.needs_lists or each.goes_by_any)) and not (outer == "guard" == inner)
}


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Examples, Examples]:
    """Three training weeks with lists, of twenty candidates a customer; the validation week is the last one's."""
    folder, files = tmp_path_factory.mktemp("weeks"), list[Path]()
    for week in range(3):
        files.append(folder / f"{week}.parquet")
        table = planted(40, week, first=100 * week)
        worth = pl.lit(1 << 20, dtype=pl.Int64)
        Examples.write(files[-1], table.with_columns(worth=worth, best_rank="popular_rank"), EARLY)
    lists = tuple((file,) for file in files[1:])
    return Examples(tuple(files), weeks=(1, 1, 1), lists=lists), Examples(tuple(files[2:]))


@pytest.fixture(autouse=True)
def everybody_has_a_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guard's trial ends undecided, so that its rivals take part."""
    weights = {"ranker": 0.4, "order": 0.4, "worth": 0.2}
    monkeypatch.setattr("hmgpu.parts.rankers.guard.judge", lambda *given: Verdict(30, {}, {}, weights))


def test_the_kinds_are_all_there() -> None:
    assert {kind for kind, ranker in kinds(Ranker).items() if "inner" in vars(ranker)} == set(HOLDERS)


@pytest.mark.parametrize("ranker", [*SINGLE.values(), *PAIRS.values()], ids=[*SINGLE, *PAIRS])
def test_fitted_and_served_lists_are_the_same(ranker: Ranker, weeks: tuple[Examples, Examples]) -> None:
    Spy.fitted.clear()
    training, validation = weeks
    model = ranker.fit(training, validation, CPU, 1)
    candidates = next(validation.tables())
    Spy.served.clear()
    kept = model.promising(candidates.select(EARLY))
    described = kept.join(candidates.drop(EARLY[2:]), on=KEYS, maintain_order="left")
    scores = model.score_promising(described)
    assert scores.drop_nulls().equals(model.score(candidates).drop_nulls())
    assert scores.is_finite().any()
    assert Spy.served
    # An inner stack's rankers learn from the week before: their lists are as long as those that are served.
    assert {*map(longest, (*(lists for _, lists in Spy.fitted), *Spy.served))} == {longest(Spy.served[0])}
    stopping, _ = Spy.fitted[-1]  # what serves is fitted after a guard's trial
    assert all(rows == stopping for rows in Spy.served)
    assert len(Spy.fitted) == (1 if "guard" not in str(ranker.settings()) else 2)


def longest(rows: Rows) -> int:
    return max(pl.Series([customer for customer, _ in rows]).value_counts()["count"])


@pytest.mark.parametrize("ranker", SINGLE.values(), ids=SINGLE.keys())
def test_what_is_fitted_again_gets_the_lists_that_it_is_served(
    ranker: Ranker, weeks: tuple[Examples, Examples]
) -> None:
    training, validation = weeks
    model = ranker.fit(training, validation, CPU, 1)
    Spy.refitted.clear()
    again = ranker.refit(model, training, CPU, 1)
    Spy.served.clear()
    again.score(next(validation.tables()))
    assert len(Spy.refitted) == 1
    assert {*map(longest, (*Spy.refitted, *Spy.served))} == {longest(Spy.served[0])}


class Once(Order):
    """A ranker of somebody else's, which can't be fitted again."""

    refit = Ranker.refit


def test_a_kind_that_cannot_be_fitted_again_is_named_wherever_it_is(weeks: tuple[Examples, Examples]) -> None:
    once = Blend(rankers={"trees": SMALL, "deep": Cascade(then=Once())})
    assert (once.never_refitted, Guard(ranker=Bagged(ranker=DNN())).never_refitted) == ({"once"}, set())
    with pytest.raises(
        ConfigError, match=r"once can't be fitted without a week that stops it; set weeks\.refit to false"
    ):
        load_config("best", {"ranker": once, "weeks.refit": True, "data.raw": "raw"})
    with pytest.raises(ConfigError, match="The ranker once stops by the validation week"):
        Once().refit(OrderModel(("popular",)), weeks[0], CPU, 1)


def test_a_nested_rankers_early_families_and_weeks_of_lists_are_asked_for() -> None:
    deep = Cascade(early=("style",), first=Order())
    for kind in HOLDERS:
        for outer in within(kind, deep).values():
            assert outer.looks_early_at == {"style"}
    stack = Stack(rankers={"a": Blend(rankers={"b": Cascade(then=Stack(rankers={"c": SMALL}))}), "d": SMALL})
    assert stack.needs_lists == 2
    with pytest.raises(ConfigError, match=r"set weeks\.train to 3 or more"):
        load_config("base", {"ranker": stack, "weeks.train": 2, "data.raw": "raw"})
    with pytest.raises(ValidationError, match="a stacker has one week to learn from"):
        Stack(stacker=Blend(rankers={"deep": Stack()}))
    with pytest.raises(ValidationError, match="no worth, no retrievers and no codes"):
        Stack(stacker=Blend(rankers={"some": ProposedBy()}))


def test_a_stacker_sees_no_ranks_to_go_by(weeks: tuple[Examples, Examples]) -> None:
    with pytest.raises(ConfigError, match="a stacker sees none"):
        Stack(rankers={"trees": SMALL}, stacker=Order()).fit(*weeks, CPU, 1)


def test_how_many_get_a_score_is_what_the_nesting_leaves() -> None:
    few, more = Cascade(keep=12), Cascade(keep=30)
    assert Cascade(keep=20, first=Order(), then=few).keeps == 12
    assert Blend(rankers={"few": few, "more": more}).keeps == 30
    assert Blend(rankers={"few": few, "all": SMALL}).keeps is None
    assert Stack(rankers={"few": few}).keeps is None
    assert Stack(stacker=few).keeps == 12


@pytest.mark.parametrize("ranker", SINGLE.values(), ids=SINGLE.keys())
def test_every_model_within_scores_the_same_candidates(ranker: Ranker, weeks: tuple[Examples, Examples]) -> None:
    candidates = next(weeks[1].tables())
    models = all_within(ranker.fit(*weeks, CPU, 1), "ranker")
    assert next(iter(models)) == "ranker"
    # A stacker sees no candidates, but the others' scores.
    assert len(models) == 1 + len(ranker.inner) - ("stacker" in type(ranker).model_fields)
    assert all(len(each.score(candidates)) == candidates.height for each in models.values())
