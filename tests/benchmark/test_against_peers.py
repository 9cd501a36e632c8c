"""hmgpu's pipeline next to peers: the same weeks and customers, figures by hand, and what is refused."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from hmgpu.benchmark import against_peers
from hmgpu.benchmark.against_peers import OWN_ORDER, benchmark_peers
from hmgpu.benchmark.own_pipeline import evaluated
from hmgpu.benchmark.peer_runs import Recommended
from hmgpu.benchmark.quality import Quality, Row, ahead, judged, ratio
from hmgpu.cli import app
from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError, RunError
from hmgpu.evaluation.method_names import BASELINES
from hmgpu.experiments.folds import evaluate_folds, fold_pipelines
from hmgpu.parts.rankers.order import Order
from hmgpu.parts.retrievers.popular import Popular
from hmgpu.pipeline.config import WeekSettings

CPU = Engine("cpu", "tests")
CONFIGS = Path(__file__).parents[2] / "configs"


def labels(*pairs: tuple[int, int]) -> pl.DataFrame:
    return pl.DataFrame(pairs, schema={"customer": pl.Int32, "article": pl.Int32}, orient="row")


def lists(**articles: list[int]) -> pl.DataFrame:
    """(customer, article, rank) from `_1=[10, 20]`."""
    rows = [(int(name[1:]), article, rank) for name, of in articles.items() for rank, article in enumerate(of, 1)]
    schema = {"customer": pl.Int32, "article": pl.Int32, "rank": pl.Int32}
    return pl.DataFrame(rows, schema=schema, orient="row")


FIRST = judged(lists(_1=[10, 20, 30], _2=[10, 20]), labels((2, 99), (1, 10), (1, 30)))
SECOND = judged(lists(_1=[20, 10], _3=[40]), labels((1, 10), (3, 40)))


def test_lists_are_judged_a_customer():
    assert FIRST.to_dicts() == [
        {"customer": 1, "average_precision": pytest.approx((1 / 1 + 2 / 3) / 2), "hits": 2, "bought": 2},
        {"customer": 2, "average_precision": 0.0, "hits": 0, "bought": 1},
    ]


def test_figures_are_over_all_weeks_and_customers():
    figures = Row("it", [FIRST, SECOND], 1.25, 100.4, {"days": 7}).figures(None)
    assert figures["map_at_12"]["value"] == pytest.approx((5 / 6 + 0 + 1 / 2 + 1) / 4)
    assert figures["recall_at_12"]["value"] == pytest.approx((2 + 0 + 1 + 1) / (2 + 1 + 1 + 1))
    assert figures["map_at_12_by_week"] == pytest.approx([5 / 12, 3 / 4])
    assert figures["hmgpu_ahead"] is None
    assert (figures["seconds"], figures["memory_mib"], figures["settings"]) == (1.25, 100, {"days": 7})


def test_an_interval_holds_the_figure_and_is_a_point_where_customers_are_alike():
    spread = ratio([FIRST, SECOND], "average_precision")
    assert spread["low"] < spread["value"] < spread["high"]
    alike = FIRST.with_columns(average_precision=pl.lit(0.25))
    assert ratio([alike, alike], "average_precision") == {"value": 0.25, "low": 0.25, "high": 0.25}


def test_a_difference_is_taken_customer_by_customer():
    better = [week.with_columns(pl.col("average_precision") + 0.125) for week in (FIRST, SECOND)]
    shuffled = [week.reverse() for week in (FIRST, SECOND)]
    found = ahead(better, shuffled)
    assert list(found.values()) == pytest.approx([0.125] * 3)  # the customers' spread is in both, and gone
    own, other = Row("hmgpu", better, 1.0, None), Row("it", shuffled, 1.0, None)
    assert other.figures(own)["hmgpu_ahead"]["value"] == pytest.approx(0.125)
    assert own.figures(own)["hmgpu_ahead"] is None


def test_without_lists_there_is_no_recall():
    kept = [FIRST.select("customer", "average_precision")]
    assert Row("hmgpu", kept, 1.0, None).figures(None)["recall_at_12"] is None


def of(name: str, found: Quality) -> dict:
    (row,) = (each for each in found.recommenders if each["name"] == name)
    return row


@pytest.fixture
def subject(make_subject, tmp_path):
    parts = {"retrievers": {"popular": Popular()}, "ranker": Order(), "runs": tmp_path / "runs"}
    return make_subject(weeks=WeekSettings(train=1), **parts)


@pytest.fixture
def here(monkeypatch):
    """Run peers in this process; returns a list of every call (peer, week, customers, settings)."""
    asked = []

    def alone(work, *given):
        if work is against_peers.recommend:
            name, _, week, customers, _, settings = given
            asked.append((name, week, customers["customer"].to_list(), settings))
        return work(*given)

    monkeypatch.setattr(against_peers, "alone", alone)
    return asked


def test_peers_get_the_weeks_and_the_customers_of_hmgpus_pipeline(subject, here):
    found = benchmark_peers(subject, CPU, ["popular", "repurchase"], 2, None, True)
    by_name = {each["name"]: each for each in found.recommenders}
    assert set(by_name) == {"hmgpu", OWN_ORDER, "popular", "repurchase", *BASELINES.values()}
    weeks = [week for _, week in fold_pipelines(subject.config, CPU, 2)]
    assert found.data["weeks"] == [str(week) for week in weeks]
    assert [(name, week) for name, week, *_ in here] == [
        (name, week) for name in ("popular", "repurchase") for week in weeks
    ]
    for _, week, customers, _ in here:
        sold = CPU.collect(subject.store.sold_in(week))
        assert customers == sorted(sold["customer"].unique())
    # The pipeline has the figures of its evaluation.
    folds, file = evaluate_folds(fold_pipelines(subject.config, CPU, 2), subject.config.runs)
    scored = folds["folds"]
    assert by_name["hmgpu"]["map_at_12_by_week"] == pytest.approx([fold["map_at_12"]["ranker"] for fold in scored])
    assert found.data["buyers"] == sum(fold["customers"] for fold in scored)
    ahead_by = by_name["repurchase"]["hmgpu_ahead"]
    gap = by_name["hmgpu"]["map_at_12"]["value"] - by_name["repurchase"]["map_at_12"]["value"]
    assert ahead_by["value"] == pytest.approx(gap)
    assert ahead_by["low"] < ahead_by["value"] < ahead_by["high"]
    for key, name in BASELINES.items():
        assert by_name[name]["map_at_12_by_week"] == pytest.approx([fold["map_at_12"][key] for fold in scored])
    in_order = [fold["map_at_12"]["order"] for fold in scored]
    assert by_name[OWN_ORDER]["map_at_12_by_week"] == pytest.approx(in_order)
    assert by_name[OWN_ORDER]["seconds"] is None
    # … and has them too when they are read from the file, which has no lists.
    read = of("hmgpu", benchmark_peers(subject, CPU, [], 2, file, True))
    assert read == by_name["hmgpu"] | {"recall_at_12": None}
    assert by_name["hmgpu"]["recall_at_12"]["value"] > 0


def test_the_best_setting_of_the_week_before_is_kept(subject, here, monkeypatch):
    monkeypatch.setattr(against_peers, "tried", lambda *given: [0.1, 0.3, 0.3])
    found = of("popular", benchmark_peers(subject, CPU, ["popular"], 1, None, False))
    assert found["settings"] == {"days": 3} == here[0][3]
    assert found["hmgpu_ahead"] is None


def test_a_peers_figures_are_those_of_its_lists(subject, monkeypatch):
    """A peer that recommends what will be bought, up to twelve articles, scores 1."""
    bought = CPU.collect(subject.store.sold_in(subject.store.last_complete_week)).sort("customer", "article")
    perfect = bought.with_columns(rank=pl.int_range(1, pl.len() + 1).over("customer").cast(pl.Int32))
    answer = Recommended(perfect.filter(pl.col("rank") <= 12), 2.0, 300.0)
    monkeypatch.setattr(
        against_peers, "alone", lambda work, *_: answer if work is against_peers.recommend else [0.0, 0.0, 0.0]
    )
    found = of("popular", benchmark_peers(subject, CPU, ["popular"], 1, None, False))
    assert found["map_at_12"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    listed = bought.group_by("customer").len()["len"].clip(upper_bound=12).sum()
    assert found["recall_at_12"]["value"] == pytest.approx(listed / bought.height)
    assert (found["seconds"], found["memory_mib"]) == (2.0, 300)


def test_figures_of_other_weeks_or_data_are_refused(subject, tmp_path, raw):
    store = subject.store
    folds, file = evaluate_folds(fold_pipelines(subject.config, CPU, 1), subject.config.runs)
    scored = folds["folds"]
    last = store.last_complete_week
    assert evaluated(file, store, [last])[0].precisions.height == scored[0]["customers"]
    with pytest.raises(RunError, match=rf"has no week {last.back(1)}: .* hmgpu evaluate --folds 2"):
        evaluated(file, store, [last.back(1), last])
    file.write_text(json.dumps({"folds": [scored[0] | {"customers": 1}]}))
    with pytest.raises(RunError, match=f"No run in .* has the figures of {file.name} for the week {last}"):
        evaluated(file, store, [last])
    file.write_text(json.dumps({"folds": scored}))
    for manifest in file.parent.glob("*/manifest.json"):
        manifest.write_text(json.dumps({"data": "another"}))
    with pytest.raises(RunError, match="evaluate the folds again"):
        evaluated(file, store, [last])


def test_a_pipeline_that_was_judged_on_others_is_refused(subject):
    _, file = evaluate_folds(fold_pipelines(subject.config, CPU, 1), subject.config.runs)
    (precisions,) = file.parent.glob(f"*/steps/{subject.store.last_complete_week}/evaluate/precisions.parquet")
    pl.read_parquet(precisions).tail(-1).write_parquet(precisions)
    with pytest.raises(DataError, match=r"not judged on the customers who bought in .*: evaluate it again"):
        benchmark_peers(subject, CPU, [], 1, file, True)


def test_the_verb(tmp_path, store):
    """The command runs peers in processes of their own, and gives a table and a file."""
    file = tmp_path / "results" / "peers.json"
    options = ("--config", CONFIGS / "demo.yaml", "--set", f"data.root={store.root}", "--no-pipeline", "--folds", "1")
    done = CliRunner().invoke(app, ["benchmark", "peers", *map(str, options), "--peers", "popular", "--out", str(file)])
    assert done.exit_code == 0, done.output
    result = json.loads(file.read_text())
    assert result["benchmark"] == "peers"
    found = {each["name"]: each for each in result["recommenders"]}
    assert set(found) == {"popular", *BASELINES.values()}
    assert found["popular"]["memory_mib"] > 50
    assert result["settings"]["tried_on"] == str(store.last_complete_week.back(1))
    both = CliRunner().invoke(app, ["benchmark", "peers", "--no-pipeline", "--against", str(file)])
    assert both.exit_code == 2
