"""The rhythm of shops that are made to have one, and that nothing of the weeks to come decides it."""

import datetime
import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.data.ingest import ingest
from hmgpu.data.settings import DataSettings
from hmgpu.data.store import Store
from hmgpu.data.weeks import Week
from hmgpu.parts.auto import Rhythm
from hmgpu.parts.from_yaml import part_of
from hmgpu.parts.ranker import Ranker
from hmgpu.pipeline.config import Config, load_config
from hmgpu.pipeline.exclusions import ListSettings
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.rhythm import measure, measured
from hmgpu.runs.plan import PlannedRun

CPU = Engine("cpu", "tests")
MONDAY = datetime.date(2020, 1, 6)
AUTO = ["weeks.train=auto", "retrievers.repurchase.half_life=auto", "retrievers.repurchase.n=auto"]
Purchase = tuple[int, int, int]  # day, customer, article
MakeStore = Callable[[str, Iterable[Purchase]], Store]


@pytest.fixture
def make_store(tmp_path: Path) -> MakeStore:
    def make(name: str, purchases: Iterable[Purchase]) -> Store:
        raw = tmp_path / name / "raw"
        raw.mkdir(parents=True)
        rows = [f"{MONDAY + datetime.timedelta(days=day)},{customer},{article}" for day, customer, article in purchases]
        (raw / "transactions_train.csv").write_text("\n".join(["t_dat,customer_id,article_id", *sorted(rows)]) + "\n")
        settings = DataSettings.model_validate(
            {
                "raw": raw,
                "root": raw.parent / "data",
                "files": {"articles": None, "customers": None},
                "columns": {"transactions": {"price": None, "channel": None}},
                "article_pattern": r"\d+",
                "customer_pattern": r"\d+",
                "week_starts": "monday",
            }
        )
        ingest(settings)
        return Store(settings.root)

    return make


def shop(weeks: int, again: int, basket: int = 4, customers: int = 60) -> list[Purchase]:
    """Purchases of a shop whose customers buy `basket` articles a week: one again that they bought `again` weeks ago,
    the others drawn from 3,000, once each."""
    draw, rows, own = random.Random(3), list[Purchase](), dict[tuple[int, int], int]()
    for week in range(weeks):
        for customer in range(customers):
            fresh = draw.sample(range(3_000), basket - 1)
            own[week, customer] = fresh[0]
            rows += [(7 * week + draw.randrange(7), customer, article) for article in fresh]
            if week >= again:
                rows.append((7 * week + draw.randrange(7), customer, own[week - again, customer]))
    return rows


def test_repeats_are_slow_where_customers_come_back_after_months(make_store: MakeStore) -> None:
    soon, late = (make_store(f"after-{again}", shop(40, again)) for again in (1, 16))
    found = {again: measure(store, store.last_complete_week, CPU) for again, store in ((1, soon), (16, late))}
    assert found[1] is not None
    assert found[16] is not None
    assert found[1].repeat_half_life <= 14 < found[16].repeat_half_life
    # Last week's four articles come first; after 16 weeks some fifty newer ones do.
    assert found[1].repeat_places <= 8 < 40 < found[16].repeat_places <= 70
    for rhythm in found.values():
        assert rhythm is not None
        assert rhythm.basket == pytest.approx(4, abs=0.2)  # the first weeks have nothing to buy again
        assert rhythm.purchases_a_day == pytest.approx(60 * 4 / 7, rel=0.05)
        assert rhythm.recalled_a_week >= 55  # each customer's one repeat


def test_best_sellers_that_stay_are_told_from_those_that_change(make_store: MakeStore) -> None:
    draw, found = random.Random(5), list[float]()
    for name, fashion in (("staples", 10**6), ("fashion", 1)):
        rows = []
        for week in range(30):
            top = (week // fashion) * 60  # sixty best sellers, all others each `fashion` weeks
            for customer in range(100):
                day = 7 * week + draw.randrange(7)
                rows += [(day, customer, top + min(59, int(draw.expovariate(0.05)))) for _ in range(3)]
                rows.append((day, customer, draw.randrange(90_000, 99_000)))
        store = make_store(name, set(rows))
        rhythm = measure(store, store.last_complete_week, CPU)
        assert rhythm is not None
        found.append(rhythm.turnover_half_life)
    assert found[0] >= 14 > found[1]


def test_nothing_of_the_weeks_to_come_decides_it(make_store: MakeStore) -> None:
    rows = shop(20, 2)
    past = [row for row in rows if row[0] < 7 * 15]
    other = [(day, customer, 7) for day, customer, _ in rows if day >= 7 * 15]
    one, two = make_store("one", rows), make_store("two", past + other)
    before = one.last_complete_week.back(4)
    assert str(before) == str(MONDAY + datetime.timedelta(weeks=15))
    assert measure(one, before, CPU) == measure(two, before, CPU) is not None
    assert measure(one, before.back(-1), CPU) != measure(two, before.back(-1), CPU)


@pytest.fixture
def base(tmp_path: Path) -> Callable[[Store], Config]:
    def configured(store: Store) -> Config:
        places = [f"data.root={store.root}", f"data.raw={store.root.parent / 'raw'}", f"runs={tmp_path / 'runs'}"]
        data = [
            "data.files={articles: null, customers: null}",
            "data.columns={transactions: {price: null, channel: null}}",
            r"data.article_pattern=\d+",
            r"data.customer_pattern=\d+",
            "data.week_starts=monday",
        ]
        few = ["features={retriever_scores: {}}", "ranker={kind: xgboost, rounds: 3, depth: auto}"]
        return load_config(
            "small", [*places, *data, *AUTO, *few, "retrievers={repurchase: {half_life: auto, n: auto}}"]
        )

    return configured


def test_a_run_says_what_it_found(make_store: MakeStore, base: Callable[[Store], Config]) -> None:
    store = make_store("found", shop(40, 1))
    config = base(store)
    with open_pipeline(config, CPU).working() as pipeline:
        found = pipeline.config.found
    assert set(found) == {*config.waiting()}
    described = json.loads((pipeline.run.folder / "manifest.json").read_text())
    # 60 repeats a week: 20,000 would take years, and half of the 38 weeks before the validation week are history.
    assert found["weeks.train"] == pipeline.config.weeks.train == len(pipeline.weeks.training) == 19
    assert described["auto"] == found
    assert "weeks.train" not in described["changed"] or described["changed"]["weeks.train"] == "auto"
    assert (pipeline.run.folder / "config.yaml").read_text().count("auto") == 1  # the engine


def test_a_week_is_measured_once(
    make_store: MakeStore, base: Callable[[Store], Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store("once", shop(40, 1))
    config, measured_before = base(store), list[str]()

    def counted(store: Store, before: Week, engine: Engine) -> Rhythm | None:
        measured_before.append(str(before))
        return measure(store, before, engine)

    monkeypatch.setattr("hmgpu.pipeline.rhythm.measure", counted)
    dry = open_pipeline(config, CPU, kind=PlannedRun)
    assert len(measured_before) == 2  # four weeks before the last complete one, and before all training weeks
    assert not config.runs.exists()
    first = open_pipeline(config, CPU)
    assert len(measured_before) == 4
    steps = [*first.run.folder.glob("steps/*/rhythm/rhythm.json")]
    assert sorted(file.parents[1].name for file in steps) == sorted(set(measured_before))
    again, planned = open_pipeline(config, CPU), open_pipeline(config, CPU, kind=PlannedRun)
    other = open_pipeline(config.model_copy(update={"seed": 3}), CPU)  # whose steps are copied from a run that began
    assert other.config.found == dry.config.found == first.config.found
    with first.working():  # another process may not work on it now, but sees what is there
        pass
    third = open_pipeline(config.model_copy(update={"seed": 4}), CPU)
    assert third.config.found == again.config.found == planned.config.found
    assert third.run.folder != other.run.folder
    assert len(measured_before) == 6  # … of `other`: the run was not described yet when it was opened


def test_little_data_leaves_the_defaults(make_store: MakeStore, base: Callable[[Store], Config]) -> None:
    store = make_store("little", shop(4, 1))
    config = base(store)
    found = measured(config, store, CPU)
    assert not [*found.waiting()]
    assert found.weeks.train == 2
    assert found.retrievers["repurchase"].n == 40
    cascade = {"kind": "cascade", "keep": "auto", "first": {"kind": "order"}, "then": {"kind": "order"}}
    long = config.model_copy(update={"ranker": part_of(Ranker, cascade), "lists": ListSettings(k=40)})
    with pytest.raises(ConfigError, match=r"ranker\.keep is auto, which is 30 here, but lists have 40 articles"):
        measured(long, store, CPU)


def test_many_purchases_need_few_weeks(make_store: MakeStore, base, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_store("many", shop(40, 1))
    for enough, weeks in ((300, 5), (1, 4)):
        monkeypatch.setattr("hmgpu.pipeline.rhythm.ENOUGH", enough)
        assert measured(base(store), store, CPU).weeks.train == weeks
