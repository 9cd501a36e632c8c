"""The command line: every verb on a small data set, and every mistake one sentence without a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from kit import ODD, demo_config

from hmgpu.data.store import Store
from hmgpu.data.synthetic import synthesize
from hmgpu.pipeline.config import Config
from hmgpu.retrain.record import Record
from hmgpu.runs.lock import exclusively
from hmgpu.runs.seal import seal

CONFIGS = Path(__file__).parents[2] / "configs"
HMGPU = [sys.executable, "-m", "hmgpu.cli"]


def process(*arguments: object, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """The command in a process of its own, for what can't be seen within this one."""
    command = [*HMGPU, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, cwd=cwd)


def settings(**values: object) -> list[str]:
    return [flag for key, value in values.items() for flag in ("--set", f"{key.replace('__', '.')}={value}")]


@pytest.fixture(scope="module")
def places(store: Store, raw: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    runs = tmp_path_factory.mktemp("cli") / ODD / "runs"
    chosen = {"data__raw": raw, "data__root": store.root, "runs": runs, "weeks__train": 1, "ranker__rounds": 5}
    config = demo_config(tmp_path_factory.mktemp("config"))
    return ["--config", str(config), "--engine", "cpu", *settings(**chosen)]


def runs_of(places: list[str]) -> Path:
    return Path(next(flag for flag in places if flag.startswith("runs=")).removeprefix("runs="))


def test_each_step_alone_ends_where_the_whole_run_does(hmgpu, places: list[str]) -> None:
    for verb, says in (
        ("train", "model:"),
        ("evaluate", "MAP@12"),
        ("recommend", "recommendations:"),
        ("submit", "lists:"),
        ("run", "current run:"),
    ):
        done = hmgpu(verb, *places)
        assert done.returncode == 0, done.stdout + done.stderr
        assert says in done.stdout
    *_, verdict, lists, report, app, current, after, _ = done.stdout.splitlines()
    assert verdict.startswith("MAP@12 is ")
    assert [line.partition(":")[0] for line in (lists, report, app, current, after)] == [
        *("lists", "report", "app", "current run", "next")
    ]
    runs = runs_of(places)
    assert hmgpu("open", "--run", runs / "current").stdout == f"{runs / 'current' / 'report.html'}\n"
    figures = json.loads(hmgpu("evaluate", "--json", *places).stdout)
    assert figures == json.loads((runs / "current" / "metrics.json").read_text())
    planned = json.loads(hmgpu("evaluate", "--dry-run", "--json", *places).stdout)
    assert (planned["compute"], planned["reuse"] > 5) == (0, True)
    assert "all of it is there already" in hmgpu("run", "--dry-run", *places).stdout
    assert "NDCG@12" in hmgpu("evaluate", "--details", *places).stdout
    assert len([folder for folder in runs.iterdir() if folder.is_dir() and not folder.is_symlink()]) == 1
    log = (runs / "current" / "log.jsonl").read_text().splitlines()
    assert any("fit" in json.loads(line)["message"] for line in log)
    page = (runs / "current" / "report.html").read_text()
    # Five trees use few columns; whichever they are, the page names the parts that made them.
    gains = json.loads((runs / "current" / "model" / "importances.json").read_text())
    assert gains
    assert all(part in page for part in ("MAP@12", "retrievers.", "<svg", "Recommended", next(iter(gains))))


def test_a_finished_run_serves_some_customers_and_is_exported(hmgpu, places: list[str], tmp_path: Path) -> None:
    assert hmgpu("run", *places).returncode == 0
    current = runs_of(places) / "current"
    header, first, second = (current / "submission.csv").read_text().splitlines()[:3]
    (tmp_path / "ids.txt").write_text(f"{second.partition(',')[0]}\n")
    known = ["--customers", first.partition(",")[0], "--customers", tmp_path / "ids.txt", "--run", current]
    done = hmgpu("recommend", *known)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [header, first, second]
    told = json.loads(hmgpu("recommend", *known, "--json").stdout)
    assert [f"{each['customer_id']},{' '.join(each['articles'])}" for each in told] == [first, second]
    done = hmgpu("recommend", *known, "--customers", "f" * 64, "--out", tmp_path / "lists.csv")
    assert f"lists: {tmp_path / 'lists.csv'} (3 customers)" in done.stdout
    assert done.stderr.startswith("Warning: 1 customer is not known")
    assert (tmp_path / "lists.csv").read_text().splitlines()[:3] == [header, first, second]
    done = hmgpu("export", "--run", current, "--out", tmp_path / "export")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "export" / "model" / "model.ubj").is_file()
    there = [each for each in places if each not in ("--engine", "cpu")]
    done = hmgpu("export", *there, "--set", "engine=cpu", "--feast", tmp_path / "features")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"features: {tmp_path / 'features'} (3 weeks, the last 2020-09-23)\n" in done.stdout
    assert f"\nfeast --chdir {tmp_path / 'features'} materialize 2020-09-09T00:00:00 2020-09-23T00:00:00" in done.stdout
    assert (tmp_path / "features" / "data" / "article_sales" / "2020-09-23-000.parquet").is_file()
    done = hmgpu(
        "table", *places, "--out", tmp_path / "table", "--keys", "--week", "2020-09-16", "--week", "2020-09-23"
    )
    assert f"table: {tmp_path / 'table'} (2 files and their manifest)" in done.stdout, done.stdout + done.stderr
    assert (tmp_path / "table" / "2020-09-23" / "000.parquet").is_file()
    assert hmgpu("promote", current).returncode == 0  # the run is as whole as before
    missing = hmgpu("recommend", *known, "--out", tmp_path / "nowhere" / "lists.csv")
    assert missing.stderr == f"Error: {tmp_path / 'nowhere' / 'lists.csv'}: No such file or directory.\n"


def test_looking_up_a_list_waits_for_no_more_than_it_needs(hmgpu, places: list[str]) -> None:
    assert hmgpu("run", *places).returncode == 0
    current = runs_of(places) / "current"
    customer = (current / "submission.csv").read_text().splitlines()[1].partition(",")[0]
    asked = ["hmgpu", "recommend", "--customers", customer, "--run", str(current)]
    script = f"""
import sys
from hmgpu.cli import main
sys.argv = {asked}
try:
    main()
except SystemExit as end:
    heavy = {{"xgboost", "torch", "sklearn", "scipy.optimize", "dask", "hmgpu.data.manifest", "hmgpu.pipeline.config"}}
    print(end.code, heavy & {{*sys.modules}})
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert customer in done.stdout
    assert done.stdout.splitlines()[-1] == "0 set()"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--run", "runs/current"], "--run, --out, --explain and --json belong to --customers"),
        (["--json"], "--run, --out, --explain and --json belong to --customers"),
        (["--config", "demo.yaml", "--out", "lists.csv"], "--run, --out, --explain and --json belong to --customers"),
        (["--customers", "1", "--engine", "cpu"], "--customers looks lists up"),
        (["--customers", "1", "--run", "a", "--config", "base"], "name the run by either --run or --config"),
    ],
)
def test_all_lists_are_computed_or_some_are_looked_up(hmgpu, monkeypatch, arguments: list[str], says: str) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    done = hmgpu("recommend", *arguments)
    assert done.returncode == 2
    assert says in done.stderr


def test_what_learned_models_see_can_be_read(hmgpu, places: list[str]) -> None:
    done = hmgpu("encode", *places)
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(name in done.stdout for name in ("customers", "postal_code", "recent_article", "type_price"))
    folder = Path("".join(done.stdout.rpartition("encoded: ")[2].split("\n")))
    assert {file.name for file in folder.glob("*.parquet")} == {"customers.parquet", "articles.parquet"}


def test_folds_score_weeks_that_stopped_nothing(hmgpu, places: list[str], store: Store) -> None:
    done = hmgpu("evaluate", "--folds", 2, *places)
    assert done.returncode == 0, done.stdout + done.stderr
    file = Path("".join(done.stdout.rpartition("figures: ")[2].split("\n")))
    weeks = [str(store.last_complete_week.back(1)), str(store.last_complete_week)]
    assert [fold["week"] for fold in json.loads(file.read_text())["folds"]] == weeks
    assert file.name.startswith(f"folds-2-weeks-to-{weeks[-1]}-")


def test_two_runs_are_compared(hmgpu, places: list[str], tmp_path: Path) -> None:
    assert hmgpu("run", *places).returncode == 0
    before = {*runs_of(places).iterdir()}
    assert hmgpu("evaluate", *places, *settings(ranker="{kind: order}")).returncode == 0
    (other,) = {*runs_of(places).iterdir()} - before
    folders = [runs_of(places) / "current", other]
    done = hmgpu("compare", *folders, "--out", tmp_path / "found.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(says in done.stdout for says in ("B - A", "95 %", "active", "ranker.kind"))
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["runs"] == list(map(str, folders))
    assert json.loads(hmgpu("compare", *folders, "--json").stdout) == found


def test_an_ablation_follows_the_figures(hmgpu, places: list[str]) -> None:
    fewer = settings(retrievers="{repurchase: {}, popular: {}}", features="{article_sales: {}}")
    done = hmgpu("evaluate", "--ablate", "retrievers,features", *places, *fewer)
    assert done.returncode == 0, done.stdout + done.stderr
    figures, table = done.stdout.split("The pipeline with one thing changed")
    assert "12 articles a customer" in figures
    assert all(part in table for part in ("repurchase", "popular", "article_sales", "ahead"))
    found = json.loads(Path("".join(table.partition("ablation: ")[2].split("\n"))).read_text())
    assert len(found["parts"]) == 3


def test_a_folder_that_nobody_filled_is_as_good_as_none(hmgpu, places: list[str], tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    done = hmgpu("run", *places, *settings(data__raw=tmp_path / "raw"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "raw holds no files: working with the data set" in "".join(done.stderr.split("\n"))


def test_demo_works_in_an_empty_folder_and_generates_its_data_once(hmgpu, monkeypatch, tmp_path: Path) -> None:
    flags = ["--scale", 0.0005, *settings(retrievers__two_tower="null", ranker__rounds=3, weeks__train=1)]
    done = process("demo", *flags, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "demo" / "runs" / "current" / "submission.csv").is_file()
    lists = (tmp_path / "demo" / "runs" / "current" / "report.html").read_text().split("<h4>Recommended</h4>")[1:]
    assert lists
    assert {each.partition("</ol>")[0].count('<img src="data:image/jpeg') for each in lists} == {12}
    written = (tmp_path / "demo" / "raw" / "articles.csv").stat().st_mtime_ns
    monkeypatch.chdir(tmp_path)
    again = hmgpu("demo", *flags)
    assert again.returncode == 0, again.stdout + again.stderr
    assert (tmp_path / "demo" / "raw" / "articles.csv").stat().st_mtime_ns == written


def test_demo_fills_a_folder_that_is_there(hmgpu, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr("hmgpu.cli.pipeline._run", lambda *_: None)
    (tmp_path / "raw").mkdir()
    done = hmgpu("demo", "--scale", 0.0002, "--engine", "cpu", *settings(data__raw=tmp_path / "raw"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "raw" / "articles.csv").is_file()


def test_a_shipped_config_is_named_in_any_folder(hmgpu, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base").mkdir()  # no file, so it is not what is meant
    done = hmgpu("doctor", "--config", "base", "--set", "data.root=elsewhere", "--engine", "cpu", "--json")
    assert done.returncode == 1, done.stdout + done.stderr
    (fault,) = [each for each in json.loads(done.stdout) if each["ok"] is False]
    assert fault["found"] == "There is no data set in elsewhere: run `hmgpu ingest` first."


def test_what_nobody_asked_for_is_no_fault(hmgpu, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    done = hmgpu("doctor", "--engine", "cpu")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "There is no data set in data" in " ".join(done.stdout.split())


def test_a_week_is_appended_once(hmgpu, tmp_path: Path) -> None:
    synthesize(tmp_path / "raw", 0.0002, 5)
    file = tmp_path / "raw" / "transactions_train.csv"
    lines = file.read_text().splitlines(keepends=True)
    last_week = [line for line in lines[1:] if line >= "2020-09-16"]
    file.write_text("".join(line for line in lines if line[0] != "2" or line < "2020-09-16"))
    week = tmp_path / "week.csv"
    week.write_text(lines[0] + "".join(last_week))
    root = tmp_path / "data"
    assert hmgpu("ingest", tmp_path / "raw", "--data", root).returncode == 0
    before = Store(root)
    done = hmgpu("ingest", "--append", week, "--data", root)
    assert done.returncode == 0, done.stdout
    assert f"appended: {len(last_week)} transactions from 2020-09-16 to 2020-09-22" in done.stdout
    assert Store(root).manifest.rows == before.manifest.rows + len(last_week)
    again = hmgpu("ingest", "--append", week, "--data", root)
    assert again.returncode == 1
    assert "already in the data set" in again.stderr


def test_synth_and_ingest_say_what_they_made(hmgpu, tmp_path: Path) -> None:
    done = hmgpu("synth", "--out", tmp_path / "raw", "--scale", 0.0002, "--seed", 3)
    assert done.returncode == 0
    assert "customers" in done.stdout
    done = hmgpu("ingest", tmp_path / "raw", "--data", tmp_path / "data")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "transactions from 2018-09-20 to 2020-09-22" in done.stdout
    done = hmgpu("doctor", "--data", tmp_path / "data")
    assert done.returncode == 0
    assert all(word in done.stdout for word in ("memory", "polars", "engine", "rows", "✓", "0 faults"))
    found = json.loads(hmgpu("doctor", "--data", tmp_path / "data", "--json").stdout)
    assert {each["what"]: each["ok"] for each in found}["data"] is True


def test_a_data_set_is_described_on_a_page(hmgpu, store: Store, tmp_path: Path, places: list[str]) -> None:
    by_folder, by_config = tmp_path / "folder.html", tmp_path / "config.html"
    done = hmgpu("explore", "--data", store.root, "--out", by_folder, "--engine", "cpu")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"page: {by_folder}" in done.stdout
    done = hmgpu("explore", *places, "--out", by_config)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "<svg" in by_folder.read_text()
    assert by_folder.read_bytes() == by_config.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "--config", "nowhere.yaml"], "Can't read the config nowhere.yaml"),
        (["run", "--config", "bse"], "Unknown config bse: give the path of a YAML file, or a shipped one: base"),
        (
            ["train", "--config", CONFIGS / "base.yaml", "--set", "data.root=nowhere"],
            "no raw file in raw to build it from",
        ),
        (["run", "--config", "base", "--set", "data.raw=nowhere"], "nowhere"),
        (["run"], "There is no folder raw"),  # of `base`
        (["train", "--config", "base", "--set", "ranker.then.deph=3"], "did you mean 'depth'?"),
        (["train", "--config", "base", "--set", "weeks"], "write it as key.key=value"),
        (
            ["evaluate", "--config", "base", "--ablate", "features,shoes"],
            "--ablate features,shoes: 'shoes' can't be ablated; write retrievers, features, negatives",
        ),
        (["compare", "nowhere", "elsewhere"], "There is no run nowhere, nor one called so in runs"),
        (["ingest", "nowhere", "--data", "data"], "nowhere"),
        (["recommend", "--customers", "1"], "No run is current in runs"),
        (["recommend", "--customers", "1", "--run", "nowhere"], "There is no run nowhere"),
        (["export", "--run", "nowhere"], "There is no run nowhere"),
        (["open", "--run", "nowhere"], "There is no run nowhere"),
        (["promote", "nowhere"], "There is no run nowhere, nor one called so in runs"),
        (["promote", "runs/nope"], "There is no run runs/nope"),
        (["runs"], "runs does not exist"),
        (["rollback", "--runs", "nowhere"], "nowhere does not exist"),
        (["prune", "--runs", "nowhere"], "nowhere does not exist"),
        (["prune", "--runs", "."], "There is no run in ."),
        (["retrain", "--config", "base"], "run `hmgpu ingest` first"),
        (["explore", "--data", "nowhere"], "run `hmgpu ingest` first"),
        (["ingest", "--append", "nowhere.csv", "--data", "nowhere"], "nowhere"),
    ],
)
def test_a_mistake_is_a_sentence(hmgpu, monkeypatch, arguments: list[object], says: str, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    done = hmgpu(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def left_run(runs: Path, name: str) -> None:
    """A finished run, as far as it is listed and promoted: the later in the alphabet, the newer."""
    (runs / name).mkdir(parents=True)
    (runs / name / "manifest.json").write_text(json.dumps({"last_day": f"2020-09-0{ord(name) - 96}"}))
    seal(runs / name)


def test_exit_statuses_are_those_of_the_process(tmp_path: Path) -> None:
    wrong = process("export", "--run", "nowhere", cwd=tmp_path)
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr.startswith("Error: There is no run nowhere")
    assert process("run", "--folder", "runs", cwd=tmp_path).returncode == 2
    left_run(tmp_path / "runs", "a")
    with exclusively(tmp_path / "runs"):
        busy = process("prune", "--runs", tmp_path / "runs")
    assert busy.returncode == 5
    assert f"is changing {tmp_path / 'runs'}" in busy.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["explore", "--data", "data", "--set", "seed=1"], "either --data or --config, which --set belongs to"),
        (["doctor", "--config", "base", "--data", "data"], "either --data or --config, which --set belongs to"),
        (["export", "--run", "a", "--set", "seed=1"], "either --run or --config, which --set belongs to"),
        (["export", "--run", "a", "--feast", "b"], "--feast goes with --config and --set, not with --run and --out"),
        (["runs", "-q", "-v"], "--quiet and --verbose don't go together"),
        (["ingest", "raw", "--append", "week.csv"], "--append adds to a data set"),
        (["ingest", "raw", "--rearrange"], "--rearrange reads no raw files"),
    ],
)
def test_options_that_do_not_go_together(hmgpu, monkeypatch, arguments: list[str], says: str) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    done = hmgpu(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_a_validation_week_that_is_none_names_the_weekday(hmgpu, places: list[str]) -> None:
    done = hmgpu("train", *places, "--set", "weeks.validation='2020-09-17'")
    assert done.returncode == 1
    assert "weeks start on wednesdays" in done.stderr


@pytest.mark.parametrize(
    ("outcome", "code"), [("promoted", 0), ("unchanged", 0), ("kept", 3), ("refused", 4), ("failed", 1)]
)
def test_how_a_retrain_ended_is_its_exit_code(hmgpu, monkeypatch, outcome, code) -> None:
    asked = []

    def played(config: Config, week: Path | None, *_) -> Record:
        asked.append((config.seed, week))
        return Record("now", outcome=outcome, reason="because")

    monkeypatch.setattr("hmgpu.retrain.weekly.retrain", played)
    flags = ["--config", CONFIGS / "demo.yaml", "--append", "week.csv", "--engine", "cpu", "--set", "seed=3"]
    done = hmgpu("retrain", *flags)
    assert done.returncode == code
    assert asked == [(3, Path("week.csv"))]
    assert f"{outcome}: because" in done.stdout


def test_runs_are_listed_promoted_rolled_back_from_and_pruned(hmgpu, tmp_path) -> None:
    for name in ("a", "b", "c"):
        left_run(tmp_path, name)
    assert hmgpu("promote", tmp_path / "b").returncode == 0
    assert hmgpu("promote", "c", "--runs", tmp_path).returncode == 0  # by the name that is listed
    back = hmgpu("rollback", "--runs", tmp_path)
    assert back.returncode == 0
    assert f"{tmp_path / 'current'} -> b" in back.stdout
    further = hmgpu("rollback", "--runs", tmp_path)
    assert further.returncode == 1
    assert "no earlier run" in further.stderr
    for command, did in (("--dry-run", "would remove"), ("--keep=1", "removed")):
        pruned = hmgpu("prune", "--runs", tmp_path, "--keep", "1", command)
        assert pruned.returncode == 0
        assert pruned.stdout.splitlines() == [f"{did}: a", "kept: b, the current one", "kept: c, the newest one"]
    listed = hmgpu("runs", "--runs", tmp_path)
    assert listed.returncode == 0
    shown = [line.split() for line in listed.stdout.splitlines() if line.startswith(("b ", "c "))]
    assert [row[-1] for row in shown[:2]] == ["current", "complete"]
    entries = json.loads(hmgpu("runs", "--runs", tmp_path, "--json").stdout)
    assert [(entry["run"], entry["state"]) for entry in entries] == [
        (str(tmp_path / "b"), "current"),
        (str(tmp_path / "c"), "complete"),
    ]
