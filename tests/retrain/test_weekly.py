"""A season of weekly retrains with two poisoned weeks, and what else can happen in a retrain."""

from dataclasses import dataclass

import polars as pl
import pytest
from listening import stand_in
from season import Season, broken, copied, shuffled

from hmgpu.core.engine import Engine
from hmgpu.core.errors import BusyError, ConfigError, DataError, RunError
from hmgpu.data.manifest import Manifest
from hmgpu.pipeline.open import open_pipeline
from hmgpu.retrain.opponent import REFITTED
from hmgpu.retrain.record import Record, records
from hmgpu.retrain.weekly import PAGE, retrain
from hmgpu.runs.inventory import inventory
from hmgpu.runs.lock import exclusively
from hmgpu.runs.publish import CURRENT, current, promoted
from hmgpu.runs.seal import verify

CPU = Engine("cpu", "tests")
POISONED = {2: broken, 5: shuffled}  # weeks of the season, and what is done to their files
SETTINGS = ("retrain.keep=3",)


@dataclass(frozen=True)
class Retrained:
    """A retrain, with its record and what it changed."""

    record: Record
    current: str | None
    data: bytes
    """The data set's manifest after it."""


@pytest.fixture(scope="module")
def whole(season: Season, tmp_path_factory: pytest.TempPathFactory) -> tuple[Season, list[Retrained]]:
    """Eight weeks, each retrained on as it comes."""
    season, done = copied(season, tmp_path_factory.mktemp("whole")), []
    for number, week in enumerate(season.weeks):
        given = POISONED.get(number, lambda file: file)(week)
        config = season.config(*SETTINGS)
        record = retrain(config, given, CPU)
        done.append(Retrained(record, _current(season), Manifest.read(config.data.root).to_bytes()))
    return season, done


def _impossible(*_: object) -> None:
    raise RunError("it can't be")


def _current(season: Season) -> str | None:
    now = current(season.folder / "runs")
    return now.name if now else None


def test_poisoned_weeks_are_refused_and_all_others_promoted(whole):
    _, done = whole
    outcomes = [each.record.outcome for each in done]
    assert outcomes == ["refused" if number in POISONED else "promoted" for number in range(8)]


def test_a_refused_week_changes_neither_the_current_run_nor_the_data(whole):
    _, done = whole
    for number in POISONED:
        assert done[number].current == done[number - 1].current
        assert done[number].data == done[number - 1].data
        assert done[number].record.run is None
    reasons = [done[number].record.reason for number in POISONED]
    assert "break the contract" in reasons[0]
    assert "share of repeated purchases" in reasons[1]


def test_each_promoted_run_is_current_and_knows_the_one_before(whole):
    _, done = whole
    good = [each for number, each in enumerate(done) if number not in POISONED]
    assert [each.current for each in good] == [each.record.run for each in good]
    assert [each.record.before for each in good] == [None, *(each.record.run for each in good[:-1])]
    assert len({each.record.run for each in good}) == 6


def test_every_run_was_better_than_the_baseline_in_a_week_that_nobody_trained_on(whole):
    _, done = whole
    figures = [each.record.figures for each in done if each.record.outcome == "promoted"]
    assert all(week["new"] > week["baseline"] > 0 for week in figures)
    assert "current" not in figures[0]
    assert all(0 < week["current"] < 1 and "p_value" in week["over_current"] for week in figures[1:])
    assert [week["week"] for week in figures] == sorted({week["week"] for week in figures})


def test_the_history_tells_it_all(whole):
    season, done = whole
    assert [record.as_json() for record in records(season.folder / "runs")] == [each.record.as_json() for each in done]
    page = (season.folder / "runs" / PAGE).read_text()
    assert page.count("<svg") == 1
    assert page.count(">refused<") == 2
    assert all(each.record.run in page for each in done if each.record.run)


def test_the_last_runs_stay_and_are_whole(whole):
    season, done = whole
    kept = [each.record.run for each in done if each.record.run][-3:]
    assert [run.folder.name for run in inventory(season.folder / "runs")] == kept
    for run in kept:
        verify(season.folder / "runs" / run)
    assert [entry["run"] for entry in promoted(season.folder / "runs")][-2:] == kept[-2:]


def test_what_did_not_change_is_not_made_again_and_the_bytes_are_those_of_a_run_from_scratch(whole, tmp_path):
    season, done = whole
    now, before = (season.folder / "runs" / name for name in (CURRENT, done[-2].current))
    # A manifest says how many seconds its step took: one that is the same to the byte was copied.
    warm = [
        path.parent.relative_to(now / "steps").as_posix()
        for path in (now / "steps").rglob("manifest.json")
        if (there := before / path.relative_to(now)).is_file() and there.read_bytes() == path.read_bytes()
    ]
    week = done[-2].record.figures["week"]  # it stopped the fitting of the run before, and is trained on now
    assert {f"{week}/learn/retriever-popular", f"{week}/learn/feature-article_sales"} <= set(warm)
    assert any("/examples/" in step for step in warm)
    assert "fit" not in warm
    alone = open_pipeline(season.config(f"runs={tmp_path}"), CPU)
    with alone.working():
        alone.finish()
    assert (now / "submission.csv").read_bytes() == (alone.run.folder / "submission.csv").read_bytes()


def test_the_same_week_again_is_nothing_new(whole, monkeypatch):
    season, done = whole
    heard = stand_in(monkeypatch, "mlflow")
    record = retrain(season.config(*SETTINGS, "tracking=mlflow"), season.weeks[-1], CPU)
    assert (heard["run"], heard["tags"]["outcome"], heard["tags"]["verb"]) == (record.run, "unchanged", "retrain")
    assert "map_at_12.ranker" in heard["figures"]
    assert {"model", "lists.csv", "report.html"} <= {*heard["files"]}
    assert record.outcome == "unchanged"
    assert record.exit_code == 0
    assert _current(season) == done[-1].current
    assert records(season.folder / "runs")[-1] == record
    # The history of the other tests is as it was.
    sorted((season.folder / "runs" / "retrains").glob("*.json"))[-1].unlink()


def test_a_worse_run_is_kept_out(whole, tmp_path, monkeypatch, caplog):
    season, done = whole
    copy = copied(season, tmp_path / "season")
    worse = ("ranker={kind: order}", "retrain.tolerance=0.0", "features={}")
    record = retrain(copy.config(*SETTINGS, *worse), None, CPU)
    assert (record.outcome, record.exit_code) == ("kept", 3)
    assert record.figures["new"] <= max(record.figures["current"], record.figures["baseline"])
    assert _current(copy) == done[-1].current
    assert record.figures["current_lists"] == "evaluated"
    assert record.run in {run.folder.name for run in inventory(copy.folder / "runs")}
    # And where the current run can't be judged on that week.
    monkeypatch.setattr("hmgpu.retrain.weekly.opponent", _impossible)
    record = retrain(copy.config(*SETTINGS, *worse), None, CPU)
    assert "current" not in record.figures
    assert "not compared with the current run, which has seen the week: it can't be" in caplog.text


def test_a_damaged_current_run_is_not_compared_with_and_replaced(whole, tmp_path):
    season, _ = whole
    copy = copied(season, tmp_path / "season")
    lists = (copy.folder / "runs" / CURRENT / "submission.csv").resolve()
    lists.write_text(lists.read_text()[:-30])
    record = retrain(copy.config(*SETTINGS, "seed=2"), None, CPU)
    assert record.outcome == "promoted", record.reason
    assert record.before is None
    assert "current" not in record.figures
    verify(copy.folder / "runs" / _current(copy))


def test_one_at_a_time(season, tmp_path):
    config = season.config(f"runs={tmp_path}")
    with exclusively(tmp_path), pytest.raises(BusyError, match="is changing"):
        retrain(config, season.weeks[0], CPU)
    assert records(tmp_path) == []


def test_a_named_validation_week_is_refused(season, tmp_path):
    with pytest.raises(ConfigError, match=r"weeks\.validation names a week"):
        retrain(season.config(f"runs={tmp_path}", "weeks.validation=2020-07-01"), None, CPU)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_is_written_down_and_raised(season, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise RunError("the machine is on fire")

    monkeypatch.setattr("hmgpu.retrain.weekly.open_pipeline", fail)
    heard = stand_in(monkeypatch, "wandb")
    with pytest.raises(RunError, match="on fire"):
        retrain(season.config(f"runs={tmp_path}", "tracking=wandb"), None, CPU)
    (record,) = records(tmp_path)
    assert (heard["run"], heard["tags"]) == (record.started, ["failed", "retrain"])
    assert (record.outcome, record.reason, record.exit_code) == ("failed", "the machine is on fire", 1)


@pytest.mark.parametrize("setting", ["data.price_unit=0.5", "data.week_starts=friday"])
def test_another_setting_of_the_data_is_a_failure_and_no_fault_of_the_week(season, tmp_path, setting):
    with pytest.raises(DataError, match=rf"{setting.partition('=')[0]} is .*, but the data set"):
        retrain(season.config(f"runs={tmp_path}", setting), season.weeks[0], CPU)
    (record,) = records(tmp_path)
    assert (record.outcome, record.exit_code) == ("failed", 1)


@pytest.mark.parametrize("gone", ["week", "data"])
def test_what_is_not_there_is_an_error_that_leaves_nothing(season, tmp_path, gone):
    places = [f"runs={tmp_path / 'runs'}", *([f"data.root={tmp_path / 'data'}"] if gone == "data" else [])]
    week = tmp_path / "nowhere.csv" if gone == "week" else season.weeks[0]
    with pytest.raises(DataError, match=r"There is no .*nowhere\.csv" if gone == "week" else "There is no data set"):
        retrain(season.config(*places), week, CPU)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_data_set_is_a_failure_and_not_the_weeks_fault(season, tmp_path):
    own = copied(season, tmp_path / "season")
    next((own.folder / "data").glob("articles-*")).write_bytes(b"")
    with pytest.raises(DataError, match="articles-"):
        retrain(own.config(), own.weeks[0], CPU)
    (record,) = records(own.folder / "runs")
    assert (record.outcome, record.exit_code) == ("failed", 1)


def test_days_that_come_one_after_the_other_end_in_promotions(season, tmp_path):
    own = copied(season, tmp_path / "season")
    rows = pl.read_csv(own.weeks[1], infer_schema=False).sort("t_dat")
    days = rows["t_dat"].unique().sort()
    done = [retrain(own.config(), own.weeks[0], CPU)]
    for part in (days[:4], days[4:]):
        file = tmp_path / f"{part[0]}.csv"
        rows.filter(pl.col("t_dat").is_in(part.implode())).write_csv(file)
        done.append(retrain(own.config(), file, CPU))
    assert [record.outcome for record in done] == ["promoted"] * 3, [record.reason for record in done]
    # The same model, without another week: it ties with itself, and neither has seen the week.
    part = done[1].figures
    assert part["current_lists"] == "evaluated"
    assert part["current"] == part["new"] == done[0].figures["new"]
    assert part["over_current"]["p_value"] == 1.0
    # The week is whole now, and its first days were in the data of the current run.
    last = done[2].figures
    assert last["current_lists"] == "refitted"
    assert last["week"] == days[0]
    assert 0 < abs(last["over_current"]["difference"]) < 0.5 * last["new"]
    assert not (own.folder / "runs" / REFITTED).exists()
    assert "fitted again without that week" in done[2].reason
