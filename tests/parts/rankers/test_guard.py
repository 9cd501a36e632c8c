"""A ranker next to orders that need none: what it is given, when it is trusted, and what is served."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from planted import PER_CUSTOMER, SMALL, map_of, planted
from pydantic import ValidationError

from hmgpu.core.certainty import intervals
from hmgpu.core.errors import ConfigError
from hmgpu.core.metrics import average_precision
from hmgpu.core.plans import ranked
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.examples import Examples
from hmgpu.parts.models.rivals import Verdict
from hmgpu.parts.rankers.blend import Blend
from hmgpu.parts.rankers.cascade import Cascade
from hmgpu.parts.rankers.guard import Guard, GuardModel
from hmgpu.parts.rankers.order import Order
from hmgpu.parts.rankers.stack import Stack
from hmgpu.pipeline.config import load_config
from hmgpu.testing import RankerContract

EARLY = ("customer", "article", "popular_rank", "popular_score", "price_fit")
GUARD = Guard(ranker=SMALL)


def chained(customers: int, seed: int, first: int = 0) -> pl.DataFrame:
    """Candidates that are bought the more often the better their rank; no other column says anything."""
    random = np.random.default_rng(seed)
    ranks = np.stack([random.permutation(PER_CUSTOMER) for _ in range(customers)]).ravel().astype(np.int32) + 1
    bought = random.random(len(ranks)) < 0.5 / ranks
    columns = {"popular_rank": ranks, "popular_score": -ranks.astype(np.float32), "label": bought.astype(np.int8)}
    return planted(customers, seed, first).with_columns(**{name: pl.Series(of) for name, of in columns.items()})


def shuffled(table: pl.DataFrame) -> pl.DataFrame:
    """The same candidates, bought at random."""
    return table.with_columns(pl.col("label").shuffle(seed=5).over("customer"))


def three_bought(table: pl.DataFrame) -> pl.DataFrame:
    """The same candidates, the first three of which were bought, each by another customer."""
    first = pl.col("article").rank("ordinal").over("customer") == 1
    return table.with_columns(label=((first) & (pl.col("customer") % 50 == 0)).cast(pl.Int8))


def written(folder: Path, weeks: list[pl.DataFrame], lists: pl.DataFrame) -> tuple[Examples, Examples]:
    """Training weeks, the last of `weeks` as the validation week, and the lists of the last training week."""
    for number, table in enumerate([*weeks, lists]):
        Examples.write(folder / f"{number}.parquet", table, EARLY)
    *training, validation, of_last = (folder / f"{number}.parquet" for number in range(len(weeks) + 1))
    sizes = (1,) * len(training)
    return Examples(tuple(training), weeks=sizes, lists=((of_last,),)), Examples((validation,))


@pytest.fixture
def good(tmp_path: Path) -> tuple[Examples, Examples]:
    """Weeks with a rule that the ranker finds."""
    tables = [planted(100, seed, 1000 * seed) for seed in (1, 2, 3)]
    return written(tmp_path, tables, tables[1])


@pytest.fixture
def hopeless(tmp_path: Path) -> tuple[Examples, Examples]:
    """Weeks in which the retriever's order is all there is to know, and is hidden from the ranker."""
    tables = [chained(100, seed, 1000 * seed) for seed in (1, 2, 3)]
    return written(tmp_path, [*map(shuffled, tables)], tables[1])


def behind(model: Any, other: Any, unseen: pl.DataFrame) -> tuple[float, float]:
    """The 95 % interval of how far the lists by `model` are behind those by `other`, customers paired."""
    bought = unseen.filter(pl.col("label") > 0).select(KEYS)
    found = []
    for each in (other, model):
        scored = unseen.lazy().select(*KEYS, score=each.score(unseen))
        lists = ranked(scored.drop_nulls("score"), by="customer").filter(pl.col("rank") <= 12).collect()
        found.append(average_precision(lists, bought)["average_precision"])
    customers = bought["customer"].unique().sort()
    return intervals(pl.DataFrame({"customer": customers, "behind": found[0] - found[1]}))["behind"]


def test_a_ranker_that_beats_them_all_is_left_alone(good, engine):
    model, unseen = GUARD.fit(*good, engine, 1), planted(60, 5)
    assert model.verdict.weights == {"ranker": 1.0}
    assert model.verdict.ahead["order"][1] > 0
    alone = SMALL.fit(*good, engine, 1)
    assert model.score(unseen).equals(alone.score(unseen))
    assert model.promising(unseen) is unseen
    cascade = Cascade(first=SMALL, keep=12, then=SMALL)
    guarded, own = (each.fit(*good, engine, 1) for each in (Guard(ranker=cascade), cascade))
    assert guarded.promising(unseen).equals(own.promising(unseen))
    assert guarded.score_promising(own.promising(unseen)).equals(own.score_promising(own.promising(unseen)))


def test_a_ranker_fitted_on_shuffled_labels_ends_no_worse_than_the_order(hopeless, engine):
    unseen = chained(200, 7)
    order, bad = Order().fit(*hopeless, engine, 1), SMALL.fit(*hopeless, engine, 1)
    assert behind(bad, order, unseen)[0] > 0
    guarded = GUARD.fit(*hopeless, engine, 1)
    assert guarded.verdict.weights["order"] >= 0.8
    assert behind(guarded, order, unseen)[0] <= 0


def test_with_three_purchases_in_all_the_order_is_what_is_left(tmp_path, engine):
    tables = [chained(150, seed, 1000 * seed) for seed in (1, 2, 3)]
    few = [three_bought(table) for table in tables]
    weeks = written(tmp_path, few, few[1])
    model, order, unseen = GUARD.fit(*weeks, engine, 1), Order().fit(*weeks, engine, 1), chained(200, 7)
    assert (model.verdict.customers, model.verdict.weights) == (3, {"order": 1.0})
    assert behind(model, order, unseen) == (0, 0)
    assert behind(SMALL.fit(*weeks, engine, 1), order, unseen)[0] > 0
    assert model.verdict.said().startswith("too little to try the ranker on (3 customers")


def test_no_earlier_week_or_one_without_a_purchase_proves_nothing(good, engine, tmp_path):
    training, validation = good
    alone = Examples(training.files[1:], weeks=(1,), lists=training.lists)
    assert GUARD.fit(alone, validation, engine, 1).verdict.weights == {"order": 1.0}
    nothing = pl.read_parquet(training.files[0], glob=False).with_columns(label=pl.lit(0, pl.Int8))
    nothing.write_parquet(tmp_path / "nothing.parquet")
    weeks = dataclasses.replace(training, files=(tmp_path / "nothing.parquet", training.files[1]))
    assert GUARD.fit(weeks, validation, engine, 1).verdict.weights == {"order": 1.0}


class Spy(Order):
    """An order that records which customers each fit saw."""

    def fit(self, training: Examples, validation: Examples, engine: Any, seed: int, client: Any = None) -> Any:
        SEEN.append(sorted(pl.concat(training.tables())["customer"].unique() // 1000))
        return super().fit(training, validation, engine, seed, client)


SEEN: list[list[int]] = []


def test_the_trial_sees_no_more_than_the_earlier_weeks_and_what_serves_sees_all(good, engine):
    SEEN.clear()
    Guard(ranker=Spy(), fitted=7).fit(*good, engine, 1)
    assert SEEN == [[1] * 7, [1] * 100 + [2] * 100]


def test_rivals_are_the_order_the_worth_and_repurchase_with_popular(good):
    scores = [f"{name}_{what}" for name in ("repurchase", "taste", "popular") for what in ("score", "rank")]
    known, both = ("repurchase", "taste", "popular"), ("repurchase", "popular")
    assert Guard()._orders(scores) == {"order": known, "chain": both}
    assert Guard()._orders([*scores, "worth"]) == {"order": known, "worth": (), "chain": both}
    assert Guard(retrievers=("taste",))._orders(scores) == {"order": known, "chain": ("taste",)}
    assert Guard(retrievers=known)._orders(scores) == Guard()._orders(scores[2:]) | {"order": known}
    with pytest.raises(ConfigError, match=r"ranker\.retrievers: 'als' proposes nothing here"):
        Guard(retrievers=("als",))._orders(scores)
    with pytest.raises(ConfigError, match="go by the retrievers' ranks, and there are none"):
        Guard()._orders(["price_fit"])


def judged(model: GuardModel, **weights: float) -> GuardModel:
    """The model, had its trial ended with these weights."""
    rivals = {name: ("popular",) for name in weights if name != "ranker"}
    return dataclasses.replace(model, rivals=rivals, verdict=Verdict(100, {}, {}, weights))


RELATIVE = Blend(rankers={"chain": Order(by="minmax"), "trees": SMALL})  # scores that depend on all candidates


@pytest.mark.parametrize("ranker", [SMALL, Cascade(first=RELATIVE, keep=12, then=SMALL)], ids=["one", "cascade"])
@pytest.mark.parametrize("weights", [{"ranker": 0.4, "order": 0.6}, {"order": 1.0}], ids=["both", "rival"])
def test_serving_describes_what_somebody_lists_and_scores_it_as_describing_all_would(ranker, weights, good, engine):
    model, unseen = judged(Guard(ranker=ranker, keep=12).fit(*good, engine, 1), **weights), planted(40, 5)
    kept = model.promising(unseen.select(EARLY))
    assert kept.select(KEYS).equals(kept.select(KEYS).sort(KEYS))
    described = kept.join(unseen.drop(EARLY[2:]), on=KEYS, maintain_order="left")
    scores = described.select(*KEYS, score=model.score_promising(described)).drop_nulls()
    expected = unseen.select(*KEYS, score=model.score(unseen)).drop_nulls()
    assert scores.equals(expected)
    per_customer = scores.group_by("customer").len()["len"]
    assert per_customer.min() >= 12
    if "ranker" not in weights:
        assert kept.columns == list(EARLY)
        assert per_customer.to_list() == [12] * 40


def test_every_setting_counts(hopeless, engine):
    mixed = Guard(ranker=SMALL, keep=13)
    unseen = chained(30, 7).with_columns(taste_rank="popular_rank", taste_score="popular_score")
    training, validation = hopeless
    tables = [
        pl.read_parquet(file, glob=False).with_columns(taste_rank=21 - pl.col("popular_rank"), taste_score="noise")
        for file in (*training.files, *validation.files, *training.lists[0])
    ]
    weeks = written(training.files[0].parent, tables[:-1], tables[-1])

    def output(guard: Guard) -> Any:
        model = guard.fit(*weeks, engine, 1)
        forced = dataclasses.replace(
            model, verdict=Verdict(1, {}, {}, {"ranker": 0.5, **dict.fromkeys(model.rivals, 0.5)})
        )
        return model.verdict, forced.score(unseen).to_list()

    before = output(mixed)
    others = {"ranker": Order(), "retrievers": ("taste",), "keep": 14, "smooth": 1.0, "fitted": 20, "judged": 40}
    assert set(others) == set(Guard.model_fields)
    for name, value in others.items():
        assert output(mixed.model_copy(update={name: value})) != before, name


def test_what_asks_for_too_little_or_too_much_is_refused():
    with pytest.raises(ValidationError, match="a guard has guarded its ranker already"):
        Guard(ranker=GUARD)
    with pytest.raises(ValidationError, match="a stacker has one week to learn from"):
        Stack(stacker=GUARD)
    cascade = Guard(ranker=Cascade(keep=30))
    assert (cascade.keeps, Guard(ranker=Cascade(keep=12)).keeps, Guard().keeps) == (24, 12, 24)
    with pytest.raises(ConfigError, match="keep is 24, but lists have 30 articles"):
        load_config("base", {"ranker": cascade, "lists.k": 30, "data.raw": "raw"})
    with pytest.raises(
        ConfigError, match=r"guard learns from the last training weeks\' lists; set weeks\.train to 2 or more"
    ):
        load_config("base", {"ranker": GUARD, "weeks.train": 1, "data.raw": "raw"})
    with pytest.raises(ConfigError, match="retrievers names the unknown 'als'"):
        load_config("base", {"ranker": Guard(retrievers=("als",)), "data.raw": "raw"})


def test_how_many_lists_are_asked_for():
    deep = Stack(rankers={"a": SMALL})
    assert (GUARD.needs_lists, GUARD.most_lists, Guard(judged=None).most_lists) == (1, 10_000, None)
    assert (Guard(ranker=deep).needs_lists, Guard(ranker=deep).most_lists) == (2, None)
    few = Blend(rankers={"a": Guard(judged=50), "b": Guard(judged=70), "c": SMALL})
    assert (few.needs_lists, few.most_lists) == (1, 70)
    assert Blend(rankers={"a": Guard(judged=50), "b": deep}).most_lists is None


def test_fitted_again_its_ranker_is_another_and_its_weights_are_the_same(good, engine):
    model, unseen = GUARD.fit(*good, engine, 1), planted(60, 5)
    again = GUARD.refit(model, dataclasses.replace(good[0], files=(*good[0].files, *good[1].files)), engine, 1)
    assert again.verdict == model.verdict
    assert not again.score(unseen).equals(model.score(unseen))
    assert map_of(again, unseen, engine) > 0.85


class TestGuard(RankerContract):
    part = GUARD

    @pytest.fixture
    def weeks(self, hopeless):
        return hopeless
