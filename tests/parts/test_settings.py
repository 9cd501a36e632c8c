"""Every setting of every part does something: another value changes the output, or is refused with a reason.

A setting is tried with several values, on the part as it is and with each of its other choices, until one of them
changes the output.
"""

import contextlib
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kit
import polars as pl
import pytest
from planted import on_disk, planted
from pydantic import ValidationError

from hmgpu.core.engine import Engine
from hmgpu.data.store import History, Store
from hmgpu.parts.examples import Examples
from hmgpu.parts.feature import Feature
from hmgpu.parts.negative_sampler import NegativeSampler, TrainingWeek
from hmgpu.parts.part import LEVELS, Part, Trained, kinds
from hmgpu.parts.ranker import Ranker
from hmgpu.parts.rankers.order import Order
from hmgpu.parts.rankers.proposed_by import ProposedBy
from hmgpu.parts.retriever import Retriever
from hmgpu.pipeline.candidates import merge

CPU = Engine("cpu", "tests")
ATTRIBUTES = ("department", "age_band", "price_level", "channel", "gender", "club", *LEVELS)
# Networks are trained for each value, and a guard's settings count where its ranker is poor: test_two_tower.py,
# test_dlrm.py, test_guard.py, test_automl.py and the like try every setting of theirs. Settings of several processes
# have tests with a cluster.
ELSEWHERE = {"two_tower", "sasrec", "dssm", "youtube_dnn", "hierarchical_softmax", "tdm", "mult_vae", "neumf"}
ELSEWHERE |= {"image_ete", "dlrm", "dnn", "din", "guard", "automl"}
PROCESSES = {"workers"}
QUICK = {"kind": "xgboost", "rounds": 15, "learning_rate": 0.5, "depth": 3, "min_child_weight": 1, "patience": 2}
START: dict[str, dict[str, Any]] = {
    "xgboost": {name: value for name, value in QUICK.items() if name != "kind"},
    "lightgbm": {"rounds": 15, "learning_rate": 0.5, "leaves": 6, "least": 5, "patience": 2},
    "catboost": {"rounds": 15, "learning_rate": 0.5, "depth": 3, "patience": 2},
    "blend": {"rankers": {"quick": QUICK, "shallow": {**QUICK, "depth": 1}}},
    "stack": {"rankers": {"quick": QUICK, "shallow": {**QUICK, "depth": 1}}, "stacker": QUICK},
    "bagged": {"ranker": {**QUICK, "rows": 1}, "bags": 2, "negatives": 2, "stacker": QUICK},
    "proposed_by": {"ranker": QUICK},
    "cascade": {"first": QUICK, "then": {**QUICK, "depth": 5}, "keep": 12},
    "taste": {"dimensions": 4},
    "sale_trend": {"sold": 1, "least": 0.01},  # little is sold in such a small data set
}


def other_values(part: Part, name: str) -> Iterator[Any]:
    """Yield values that the setting does not have, as far as its type or its default shows which are possible."""
    value, hint = getattr(part, name), type(part).model_fields[name].annotation
    options = [hint, *typing.get_args(hint)] if isinstance(hint, types.UnionType) else [hint]
    if name == "by" or (name == "of" and isinstance(value, str)):
        yield from (level for level in ATTRIBUTES if level != value)
    for option in options:
        if typing.get_origin(option) is typing.Literal:
            yield from (choice for choice in typing.get_args(option) if choice != value)
        if option is type(None) and value is not None:
            yield None
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (each for each in (1, 2, value * 4, value // 3, value + 15, 0) if each != value)
    elif isinstance(value, float):
        yield from (each for each in (value / 10, value * 5, 0.5, 0.0, 1.0) if each != value)
    elif isinstance(value, tuple) and value and isinstance(value[0], int):
        yield (2, 5)
    elif isinstance(value, tuple):
        yield from (value[:1], value[:2], ("Menswear",), ("article_sales",), ("popular",), (), (1.0, 2.0, 3.0))
    elif value is None:
        yield from (1, 2, "department", "age_band", ("popular",))
    elif isinstance(value, dict):
        yield from ({"quick": 5.0}, {"quick": QUICK})
    elif isinstance(value, Retriever):
        yield {"kind": "popular"}
    elif isinstance(value, Ranker):
        yield {"kind": "order"}


def changed_part(base: Part, **settings: Any) -> Part | None:
    """Return the part with other settings; None if they are refused."""
    given = {name: value for name, value in base.settings().items() if name != "kind"}
    with contextlib.suppress(ValidationError):
        return type(base).model_validate({**given, **settings})
    return None


def forms(kind: type[Part]) -> Iterator[Part]:
    """Yield the part as it is, and with another value of each of its choices."""
    part = kind.model_validate(START.get(kind.__module__.rpartition(".")[2], {}))
    yield part
    for name in kind.model_fields:
        if isinstance(getattr(part, name), str | None):
            yield from filter(None, (changed_part(part, **{name: value}) for value in other_values(part, name)))


def idle(part: Part, output: Any) -> list[str]:
    """Return the settings of `part` that change nothing in any of its forms."""
    left = [name for name in type(part).model_fields if name not in PROCESSES]
    for form in forms(type(part)):
        before = None
        for name in list(left):
            for value in other_values(form, name):
                changed = changed_part(form, **{name: value})
                if changed is None:
                    continue
                before = before if before is not None else output(form)
                if output(changed) != before:
                    left.remove(name)
                    break
        if not left:
            break
    return left


@pytest.fixture(scope="module")
def history(store: Store) -> History:
    return store.as_of(store.last_complete_week.first_day)


@pytest.fixture(scope="module")
def customers(store: Store) -> pl.LazyFrame:
    some = store.customer_ids().filter(pl.col("customer") % 3 == 0).select("customer").sort("customer")
    return CPU.collect(some).lazy()


def digest(table: pl.LazyFrame) -> Any:
    frame = CPU.collect(table.sort(table.collect_schema().names(), nulls_last=True))
    return frame.columns, frame.hash_rows().to_list()


def learned(part: Any, history: History) -> Any:
    part = kit.bound(part, history, CPU)
    return part, kit.learned(part, history, CPU)


RETRIEVERS = [part for kind, part in kinds(Retriever).items() if kind not in ELSEWHERE]


@pytest.mark.parametrize("kind", RETRIEVERS, ids=lambda kind: kind.__name__)
def test_every_setting_of_a_retriever_counts(kind: type[Retriever], history: History, customers: pl.LazyFrame) -> None:
    def output(part: Part) -> Any:
        try:
            bound, tables = learned(part, history)
            found = [digest(bound.retrieve(tables, customers))]
            if isinstance(bound, Feature):
                asked = CPU.collect(customers.head(20).join(history.articles.select("article").head(40), how="cross"))
                found.append(digest(bound.compute(tables, asked.sort("customer", "article").lazy())))
            return found
        except Exception as error:  # an error also shows that the value was read
            return str(error)

    assert idle(kind(), output) == []


@pytest.fixture(scope="module")
def pairs(history: History, customers: pl.LazyFrame) -> pl.LazyFrame:
    chosen = {name: learned(kinds(Retriever)[name](), history) for name in ("repurchase", "popular")}
    found = {name: part.retrieve(tables, customers) for name, (part, tables) in chosen.items()}
    return CPU.collect(merge(found).sort("customer", "article")).lazy()


FEATURES = [part for part in kinds(Feature).values() if not issubclass(part, Trained) and part.model_fields]


@pytest.mark.parametrize("kind", FEATURES, ids=lambda kind: kind.__name__)
def test_every_setting_of_a_feature_counts(kind: type[Feature], history: History, pairs: pl.LazyFrame) -> None:
    def output(part: Part) -> Any:
        bound, tables = learned(part, history)
        return digest(bound.compute(tables, pairs))

    assert idle(kind(), output) == []


@pytest.mark.parametrize("kind", kinds(NegativeSampler).values(), ids=lambda kind: kind.__name__)
def test_every_setting_of_a_negative_sampler_counts(
    kind: type[NegativeSampler], store: Store, history: History, pairs: pl.LazyFrame
) -> None:
    keys = pairs.select("customer", "article")
    bought = CPU.collect(keys.filter(pl.col("article") % 5 == 0)).lazy()
    recalled = keys.filter(pl.col("article") % 5 != 0)
    week = TrainingWeek(recalled, bought, store.purchases_in(store.last_complete_week), history, seed=1)
    assert idle(kind(), lambda part: digest(part.draw(week))) == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", [part for kind, part in kinds(Ranker).items() if kind not in ELSEWHERE])
def test_every_setting_of_a_ranker_counts(kind: type[Ranker], tmp_path: Path) -> None:
    # Two weeks; the validation week is so noisy that patience and the watched customers decide when fitting stops.
    columns = pl.all() if kind in (Order, ProposedBy) else pl.exclude("popular_score")
    weeks = on_disk(tmp_path, a=planted(40, 1).select(columns), b=planted(40, 2, first=100).select(columns))
    noisy = planted(30, 3, first=200).select(columns).with_columns(label=(pl.col("noise") > 0.8).cast(pl.Int8))
    training = Examples(weeks.files, weeks=(len(weeks.files) - 1, 1), lists=(weeks.files[1:],))
    examples, unseen = (training, on_disk(tmp_path, v=noisy)), planted(20, 4)

    def output(part: Part) -> Any:
        assert isinstance(part, Ranker)
        try:
            return part.fit(*examples, CPU, 1).score(unseen).to_list(), part.looks_early_at
        except Exception as error:  # an error also shows that the value was read
            return str(error)

    assert idle(kind(), output) == []


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("popular_by", {"women": ["Sport"]}, "women does nothing here, it counts with by: gender; leave it out"),
        ("popular_by", {"habit_days": 7}, "habit_days does nothing here, it counts with price_level, channel, gender"),
        ("sale_trend", {"tags": 2}, "tags does nothing here, it counts with an attribute of articles"),
        ("sale_trend", {"half_life": 2.0}, "Extra inputs are not permitted"),
        ("copurchase", {"seeds_from": "popular", "half_life": 2.0}, "it counts with seeds_from: own"),
        ("content", {"weeks": 3}, "it counts with of: sales"),
        ("two_tower", {"half_life": 2.0}, "half_life does nothing here, it counts nowhere yet"),
    ],
)
def test_a_setting_that_would_do_nothing_is_refused(kind: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        kinds(Retriever)[kind].model_validate(settings)
