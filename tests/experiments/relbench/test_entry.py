"""An entry for RelBench on synthetic data: scored again by relbench's own table code, metrics and submission code."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError, DataError, RunError
from hmgpu.core.printed import as_text
from hmgpu.data.ingest import ingest
from hmgpu.data.open_store import open_store
from hmgpu.data.store import Store
from hmgpu.experiments.relbench.entry import write_entry
from hmgpu.experiments.relbench.nodes import Nodes
from hmgpu.experiments.relbench.protocol import TEST, check_config, check_data
from hmgpu.experiments.relbench.shown import entry_table
from hmgpu.experiments.relbench.tables import deviation, sales
from hmgpu.pipeline.config import Config, load_config
from tests.experiments.relbench.rel_hm import TASKS, write_dataset

CPU = Engine("cpu", "tests")
METRICS = {"user-item-purchase": ["map"], "user-churn": ["roc_auc"], "item-sales": ["nmae"]}


@dataclass(frozen=True)
class Entered:
    raw: Path
    out: Path
    said: dict[str, Any]
    configs: dict[str, Config]


@pytest.fixture(scope="module")
def shuffled(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The raw files with articles and customers in another order than that of their ids, which nobody promises."""
    folder = tmp_path_factory.mktemp("shuffled")
    shutil.copyfile(raw / "transactions_train.csv", folder / "transactions_train.csv")
    for name in ("articles.csv", "customers.csv"):
        header, *rows = (raw / name).read_text(encoding="utf-8").splitlines(keepends=True)
        (folder / name).write_text("".join([header, *rows[::-1]]), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def entered(shuffled: Path, tmp_path_factory: pytest.TempPathFactory) -> Entered:
    """An entry of two configs of few parts."""
    folder = tmp_path_factory.mktemp("entered")
    places = [f"data.raw={shuffled}", f"data.root={folder / 'data'}", f"runs={folder / 'runs'}", "engine=cpu"]
    features = "features={retriever_scores: {}, article_sales: {}, customer_habits: {}, demand: {weeks: 4, rounds: 20}}"
    few = [*places, features, "weeks.train=1", "ranker={kind: xgboost, rounds: 15}"]
    popular = load_config("relbench", [*few, "retrievers={popular: {n: 3}}"])
    usual = load_config("relbench", [*few, "retrievers={repurchase: {n: 20}, popular: {n: 20}}"])
    configs = {"popular": popular, "usual": usual}
    out = folder / "entry"
    return Entered(shuffled, out, write_entry(configs, CPU, out), configs)


@pytest.fixture(scope="module")
def dataset(shuffled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same purchases as RelBench's database."""
    return write_dataset(shuffled, tmp_path_factory.mktemp("relbench") / "rel-hm")


def test_the_better_config_of_the_validation_week_alone_is_scored_on_the_test_week(entered: Entered) -> None:
    tried = {name: each["map"] for name, each in entered.said["tried"].items()}
    assert len({*tried.values()}) == 2
    assert entered.said["chosen"] == max(tried, key=lambda name: tried[name])
    runs = entered.configs["usual"].runs
    assert [file.parts[-5] for file in runs.glob("*/steps/2020-09-15/evaluate/metrics.json")] == [entered.said["run"]]
    assert len([*runs.glob("*/steps/2020-09-08/evaluate/metrics.json")]) == 2
    assert json.loads((entered.out / "manifest.json").read_text()).keys() == {*entered.said, "files"}


def test_relbench_scores_the_prediction_tables_alike(entered: Entered, dataset: Path) -> None:
    """Its labels come from its own SQL over the raw files, its rows and ids from its own database."""
    submit = pytest.importorskip("relbench.submit", reason="relbench is not installed here")
    pytest.importorskip("duckdb", reason="relbench computes labels with it")
    for name, metrics in METRICS.items():
        theirs = submit.evaluate_task(
            f"rel-hm/{name}", entered.out / "predictions" / f"rel-hm__{name}.csv", dataset=dataset
        )
        assert sorted(theirs) == metrics
        test = entered.said["tasks"][name]["test"]
        for metric in metrics:
            assert test["ours"][metric] == pytest.approx(theirs[metric], abs=1e-9)
            assert test["relbench"][metric] == pytest.approx(theirs[metric], abs=1e-9)
    assert 0 < entered.said["tasks"]["user-item-purchase"]["test"]["ours"]["map"] < 0.3
    assert 0 < entered.said["tasks"]["user-churn"]["test"]["ours"]["roc_auc"] < 1
    sales = entered.said["tasks"]["item-sales"]["test"]["ours"]
    assert 0 < sales["mae"] < sales["mae"] / sales["nmae"]  # better than the deviation


def test_prediction_tables_are_those_that_relbench_writes(entered: Entered, dataset: Path, tmp_path: Path) -> None:
    relbench = pytest.importorskip("relbench", reason="relbench is not installed here")
    submit = pytest.importorskip("relbench.submit")
    pytest.importorskip("duckdb", reason="relbench computes labels with it")
    for name in TASKS:
        ours = entered.out / "predictions" / f"rel-hm__{name}.csv"
        task = relbench.load_dataset(dataset).load_task(name)
        told = pl.read_csv(ours, glob=False).to_pandas()
        pred = submit._build_pred_array(task, task.get_table("test", mask_input_cols=False).df, told)
        theirs = submit.write_prediction_table(task, pred, tmp_path / ours.name)
        assert theirs.read_text().splitlines()[:2] == ours.read_text().splitlines()[:2]
        assert pl.read_csv(theirs, glob=False).equals(pl.read_csv(ours, glob=False))


def test_what_is_printed_has_a_line_for_each_metric(entered: Entered) -> None:
    lines = [line.split() for line in as_text([entry_table(entered.said)], 90).splitlines()]
    tasks = entered.said["tasks"]
    for first, metric in (("user-item-purchase", "map"), ("user-churn", "roc_auc"), ("item-sales", "mae")):
        task = tasks[first]
        shown = [f"{task[week]['ours'][metric]:.5f}" for week in ("validation", "test")]
        (line,) = (line for line in lines if line[:2] == [first, metric])
        assert line[2:5] == [f"{task['test']['rows']:,}", *shown]
    assert any(line[:1] == ["nmae"] for line in lines)


def test_relbenchs_own_tables_are_the_same_data(entered: Entered, dataset: Path, tmp_path: Path) -> None:
    """With its ids, which are the numbers of rows; so are the nodes of the raw files."""
    config = load_config("relbench-tables", [f"data.raw={dataset / 'db'}", f"data.root={tmp_path / 'data'}"])
    ingest(config.data)
    check_config(config)
    found = []
    for data in (config.data, entered.configs["usual"].data):
        store = open_store(data, gap=1)
        nodes = Nodes.of(data, store, CPU)
        sold = sales(store, TEST, nodes, CPU).join(nodes.articles, on="article").sort("node").drop("article")
        found.append((store.manifest.rows, sold, deviation(store, nodes, CPU)))
        ids = store.article_ids().collect().join(nodes.articles, on="article").sort("node")["article_id"]
        named = pl.read_csv(entered.raw / "articles.csv", infer_schema=False, glob=False)["article_id"]
        assert ids.to_list() == (named.to_list() if found[1:] else [str(node) for node in range(len(named))])
    (rows, sold, spread), (others, same, spread_there) = found
    assert rows == others
    assert sold.equals(same)
    assert spread == pytest.approx(spread_there)


def test_files_that_changed_since_have_no_numbers(entered: Entered, tmp_path: Path) -> None:
    settings = entered.configs["usual"].data
    shutil.copytree(entered.raw, tmp_path / "raw")
    lines = (tmp_path / "raw" / "articles.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "raw" / "articles.csv").write_text("".join([*lines, lines[3].replace(lines[3][:10], "9" * 10)]))
    changed = settings.model_copy(update={"raw": tmp_path / "raw"})
    said = rf"articles\.csv, row {len(lines)}: article_id '9999999999' is in the data set .* not at all or twice"
    with pytest.raises(DataError, match=said):
        Nodes.of(changed, open_store(settings), CPU)


def test_an_entry_replaces_an_earlier_one_and_nothing_else(entered: Entered, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(RunError, match="is not an earlier relbench"):
        write_entry(entered.configs, CPU, tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("weeks.gap=0", r"weeks\.gap is 0, and RelBench's protocol asks for 1: set it so, or let the config extend"),
        ("weeks.validation=2020-09-01", r"weeks\.validation is 2020-09-01, .* asks for 2020-09-08"),
        ("data.week_starts=wednesday", r"data\.week_starts is wednesday, .* asks for tuesday"),
        ("lists.k=10", r"lists\.k is 10, .* asks for 12"),
    ],
)
def test_other_weeks_are_refused_before_anything_is_read(setting: str, said: str, tmp_path: Path) -> None:
    config = load_config("relbench", [f"data.raw={tmp_path}", f"data.root={tmp_path / 'none'}", setting])
    with pytest.raises(ConfigError, match=said):
        write_entry({"mine": config}, CPU, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_data_that_begin_earlier_are_refused(store: Store) -> None:
    with pytest.raises(
        ConfigError, match=r"start on 2018-09-20, and RelBench's database on 2019-09-07: set data\.where"
    ):
        check_data(store)
