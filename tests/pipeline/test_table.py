"""The table of all models: its rows are those of examples, whose they are, and that writing it goes on where it was."""

import json
from pathlib import Path

import polars as pl
import pytest
from small_world import tree

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError, DataError, RunError
from hmgpu.core.parquet import read_table
from hmgpu.parts.rankers.cascade import Cascade
from hmgpu.parts.rankers.logistic import Logistic
from hmgpu.pipeline import table_steps
from hmgpu.pipeline.asked import asked_weeks, candidates_of
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.learn import TABLE
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.pipeline.session import Session
from hmgpu.pipeline.table import write_table

CPU = Engine("cpu", "tests")
SCORES = {f"{name}_{end}" for name in ("ranker", "ranker_first", "ranker_then") for end in ("score", "rank")}


@pytest.fixture(scope="module")
def pipeline(finished: Config, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """Of few parts, with two rankers in a row."""
    runs, ranker = tmp_path_factory.mktemp("table") / "runs", Cascade(first=Logistic(), keep=12, then=finished.ranker)
    return open_pipeline(finished.model_copy(update={"runs": runs, "ranker": ranker}), CPU)


@pytest.fixture(scope="module")
def written(pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table of the training week, of the validation week and of the one after the data, with keys."""
    out = tmp_path_factory.mktemp("written") / "new" / "table"
    with pipeline.working():
        write_table(pipeline, [*asked_weeks(pipeline, None), pipeline.store.next_week], out, ids=False)
    return out


def of(written: Path, week: object) -> pl.DataFrame:
    return read_table(written / str(week) / "000.parquet")


def test_the_rows_of_the_validation_week_are_its_examples_and_what_the_rankers_say(pipeline, written):
    examples = pl.concat(pipeline.validation[0].tables())
    table = of(written, pipeline.weeks.validation)
    described = [name for name in examples.columns if name != "label"]
    assert table.select(described).equals(examples.select(described))
    assert {*table.columns} == {*described, *SCORES, "week", "bought"}
    assert table["bought"].to_list() == (examples["label"] > 0).to_list()
    assert {*map(str, table["week"])} == {str(pipeline.weeks.validation)}
    model = pipeline.load(pipeline.train())
    for name, each in {"ranker": model, "ranker_first": model.first, "ranker_then": model.then}.items():
        assert table[f"{name}_score"].equals(each.score(examples), check_names=False)
    best = table.filter(pl.col("ranker_rank") == 1).select("customer", "article")
    order = ["customer", "ranker_score", "article"]
    first = (
        table.drop_nulls("ranker_score").sort(order, descending=[False, True, False]).unique("customer", keep="first")
    )
    assert best.sort("customer").equals(first.select("customer", "article").sort("customer"))
    assert table["ranker_rank"].null_count() == table["ranker_score"].null_count() > 0


def test_a_week_that_the_ranker_was_fitted_on_has_all_candidates_and_no_scores_of_it(pipeline, written):
    (week,) = pipeline.weeks.training
    table, buyers = of(written, week), pipeline.store.sold_in(week).select("customer").unique().collect()
    assert table.select(sorted(SCORES)).null_count().row(0) == (table.height,) * len(SCORES)
    candidates = candidates_of(pipeline.context, week, buyers)
    assert table.select(candidates.columns).equals(candidates)
    bought = table.filter("bought").select("customer", "article")
    assert (
        bought.height == candidates.join(pipeline.store.sold_in(week).collect(), on=["customer", "article"]).height > 0
    )


def test_the_week_after_the_data_is_what_lists_are_made_of(pipeline, written):
    table = of(written, pipeline.store.next_week)
    assert table["bought"].null_count() == table.height
    assert table.schema == of(written, pipeline.weeks.validation).schema
    with pipeline.working():
        lists = pl.concat(read_table(step.folder / TABLE) for step in pipeline.recommend())
    scored = table.drop_nulls("ranker_rank").select("customer", "article", rank="ranker_rank")
    assert scored["customer"].n_unique() == lists["customer"].n_unique()
    listed = scored.join(lists, on=["customer", "article"], suffix="_list")
    assert listed.height == scored.height  # as many as the first ranker keeps are listed
    assert (listed["rank"] == listed["rank_list"]).all()


def test_the_manifest_says_where_everything_comes_from(pipeline, written):
    manifest = json.loads((written / "manifest.json").read_text())
    files = tree(written)
    del files["manifest.json"]
    assert manifest["files"] == files
    assert manifest["format"] == "hmgpu table 1"
    assert manifest["data"] == pipeline.store.digest
    assert manifest["run"] == pipeline.run.folder.name
    purposes = [(each["purpose"], each["ranker_scores"]) for each in manifest["weeks"]]
    assert purposes == [("training", False), ("validation", True), ("serving", True)]
    validation = of(written, pipeline.weeks.validation)
    assert manifest["weeks"][1] == {
        "week": str(pipeline.weeks.validation),
        "purpose": "validation",
        "ranker_scores": True,
        "rows": validation.height,
        "bought": validation["bought"].sum(),
        "files": 1,
    }
    columns = {each["name"]: (each["type"], each["part"]) for each in manifest["columns"]}
    assert list(columns) == validation.columns
    assert columns["customer"] == ("Int32", None)
    assert columns["repurchase_rank"] == ("Int32", "retrievers.repurchase")
    assert columns["repurchase_score_share"] == ("Float32", "features.retriever_scores")
    assert columns["ranker_then_score"] == ("Float32", "ranker")
    assert columns["bought"] == ("Boolean", None)


def test_with_ids_it_says_the_same_of_whom_the_retailer_knows(pipeline, written, tmp_path):
    named = Session(pipeline).table(tmp_path / "named", [str(pipeline.weeks.validation)]).collect()
    keyed = of(written, pipeline.weeks.validation)
    keys = [read_table(written / f"{name}s.parquet").select(name, f"{name}_id") for name in ("customer", "article")]
    for key in keys:
        keyed = keyed.join(key, on=key.columns[0], maintain_order="left")
    assert named.equals(keyed.select(named.columns))
    assert named.columns[:3] == ["customer_id", "article_id", "week"]
    assert {*named.columns} == {*keyed.columns} - {"customer", "article"}


def spied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list of the weeks that are described from now on."""
    calls, describe = list[str](), table_steps.described_for

    def noted(context, week, *given):
        calls.append(str(week))
        return describe(context, week, *given)

    monkeypatch.setattr(table_steps, "described_for", noted)
    return calls


def test_what_was_stopped_goes_on_and_what_is_there_is_not_computed_again(pipeline, tmp_path, monkeypatch):
    weeks, calls = [pipeline.weeks.training[0], pipeline.store.next_week], list[str]()
    describe = table_steps.described_for

    def stopped(context, week, *given):
        calls.append(str(week))
        if week == weeks[1]:
            raise KeyboardInterrupt
        return describe(context, week, *given)

    monkeypatch.setattr(table_steps, "described_for", stopped)
    out = tmp_path / "out" / "table"
    with pipeline.working(), pytest.raises(KeyboardInterrupt):
        write_table(pipeline, weeks, out)
    assert list(out.parent.iterdir()) == []
    monkeypatch.undo()
    again = spied(monkeypatch)
    with pipeline.working():
        files = write_table(pipeline, weeks, out)
        assert again == [str(weeks[1])]
        first = tree(out)
        write_table(pipeline, weeks, out)
    assert again == [str(weeks[1])]
    assert calls == [str(week) for week in weeks]
    assert tree(out) == first
    assert [file.parent.name for file in files] == [str(week) for week in weeks]


def test_several_shards_hold_the_same_rows(pipeline, written, tmp_path, monkeypatch):
    monkeypatch.setattr("hmgpu.pipeline.shards.MOST", 600)
    week = pipeline.weeks.validation
    with pipeline.working():
        files = write_table(pipeline, [week], tmp_path / "table", ids=False)
    assert len(files) > 1
    assert pl.concat(map(read_table, files)).equals(of(written, week))


def test_what_is_not_a_table_is_left_alone_and_bad_weeks_are_refused_before_anything_is_computed(pipeline, tmp_path):
    (tmp_path / "mine").write_text("mine")
    week = pipeline.weeks.validation
    with pipeline.working():
        with pytest.raises(RunError, match="exists and is not an earlier table, so it is left alone"):
            write_table(pipeline, [week], tmp_path)
        with pytest.raises(ConfigError, match=r"is before .*, the first training week, .* take a later week"):
            write_table(pipeline, [week.back(3)], tmp_path / "table")
        with pytest.raises(DataError, match="2031-01-07"):
            asked_weeks(pipeline, ["2031-01-07"])
    assert tree(tmp_path) == {"mine": tree(tmp_path)["mine"]}


def test_a_part_that_is_called_as_a_ranker_is_refused():
    table = pl.DataFrame({"customer": [1], "article": [1], "ranker_score": [0.5]})
    with pytest.raises(ConfigError, match=r"computes the column 'ranker_score', .* give the part another name"):
        table_steps.with_scores(table, None, ["ranker"])
