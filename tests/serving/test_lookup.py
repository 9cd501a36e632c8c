"""Lists of the customers that are asked for, from the files that the run wrote and no others."""

import io
import json
import shutil

import polars as pl
import pytest
from rich.console import Console
from small_run import BEST_SELLERS, CUSTOMERS, PATTERN, listed
from small_world import customer_id

from hmgpu.core.errors import DataError, RunError
from hmgpu.core.parquet import read_table
from hmgpu.runs.publish import promote
from hmgpu.runs.seal import seal
from hmgpu.serving.finished_run import FinishedRun
from hmgpu.serving.lookup import FEW, as_csv, list_table, look_up, unknown_warning

NOBODY = "f" * 64


def lists(run, *customers: int | str) -> list[tuple[str, list[str]]]:
    asked = [customer_id(each) if isinstance(each, int) else each for each in customers]
    return look_up(FinishedRun.open(run), asked)[0].rows()


def test_each_customer_has_the_list_that_the_run_has_made(make_run):
    expected = [(customer_id(customer), listed(customer)) for customer in (31, 2, 7)]
    assert lists(make_run(), 31, 2, 7, 2) == expected


def test_many_customers_are_looked_up_as_few_are(make_run):
    assert CUSTOMERS > FEW
    everybody = lists(make_run(), *range(CUSTOMERS))
    assert everybody == [(customer_id(customer), listed(customer)) for customer in range(CUSTOMERS)]


def test_unknown_customers_get_the_best_sellers(make_run):
    found, unknown = look_up(FinishedRun.open(make_run()), [customer_id(1), NOBODY, "e" * 64])
    assert unknown == [NOBODY, "e" * 64]
    assert found["articles"].to_list() == [listed(1), BEST_SELLERS, BEST_SELLERS]
    says = unknown_warning(unknown, "runs/current")
    assert says == f"Warning: 2 customers are not known to runs/current and get its best sellers: {NOBODY}, {'e' * 64}"
    assert "1 customer is not known to x and gets its" in unknown_warning([NOBODY], "x")
    assert unknown_warning([NOBODY] * 4000, "x").endswith(", …")


def test_the_current_run_is_found_through_its_link(make_run):
    run = make_run()
    seal(run)
    assert lists(promote(run), 3) == [(customer_id(3), listed(3))]


def test_a_run_that_is_promoted_meanwhile_changes_nothing(make_run):
    one, two = make_run(), make_run(name="2020-09-29-abcdef01")
    for run in (one, two):
        seal(run)
    opened = FinishedRun.open(promote(one))
    promote(two)
    shutil.rmtree(two)
    assert look_up(opened, [customer_id(1)])[0].height == 1


def test_no_other_file_is_read(make_run):
    run = make_run()
    for file in [*run.rglob("*.parquet"), *run.rglob("*.csv"), *run.rglob("*.json")]:
        if file.name not in ("recommendations.parquet", "best_sellers.parquet") and file.parent.name != "submit":
            file.unlink()
    assert lists(run, 3, NOBODY) == [(customer_id(3), listed(3)), (NOBODY, BEST_SELLERS)]


@pytest.mark.parametrize("name", ["recommendations.parquet", "best_sellers.parquet"])
def test_a_changed_file_is_named_and_never_used(name, make_run):
    run = make_run()
    file = run / "steps" / "submit" / name
    shutil.copyfile(run / "steps" / "submit" / "articles.parquet", file)
    with pytest.raises(RunError, match=f"{name} is not the file that the run wrote"):
        lists(run, NOBODY)
    file.unlink()
    with pytest.raises(RunError, match=rf"{name} can't be read \(No such file"):
        lists(run, NOBODY)


@pytest.mark.parametrize("name", ["config.yaml", "manifest.json", "steps/submit/manifest.json"])
def test_of_a_sealed_run_what_vouches_for_the_rest_is_looked_at_too(name, make_run):
    run = make_run()
    seal(run)
    assert lists(run, 3) == [(customer_id(3), listed(3))]
    (run / name).write_text((run / name).read_text() + " ")
    with pytest.raises(RunError, match=f"{name} is not the file that the run wrote"):
        lists(run, 3)


def test_what_is_not_needed_may_be_damaged(make_run):
    run = make_run()
    (run / "steps" / "submit" / "best_sellers.parquet").unlink()
    assert lists(run, 3) == [(customer_id(3), listed(3))]


def test_a_run_of_before_says_so(make_run):
    run = make_run()
    manifest = run / "steps" / "submit" / "manifest.json"
    content = json.loads(manifest.read_text())
    del content["files"]["recommendations.parquet"]
    manifest.write_text(json.dumps(content))
    with pytest.raises(RunError, match=r"has no recommendations\.parquet, since an older hmgpu wrote it"):
        lists(run, 3)


@pytest.mark.parametrize("content", [None, "", "[]", '{"files": {}}', '{"files": [], "inputs": []}'])
def test_an_unfinished_run_is_none(content, make_run, tmp_path):
    run = make_run()
    manifest = run / "steps" / "submit" / "manifest.json"
    manifest.unlink() if content is None else manifest.write_text(content)
    for place in (run, tmp_path / "nowhere", manifest):
        what = "is not a finished run, since .*" if place == run else "There is no run .*"
        with pytest.raises(RunError, match=rf"{what}: finish a run with `hmgpu run`, or name another") as told:
            FinishedRun.open(place)
        assert "Errno" not in str(told.value)


@pytest.mark.parametrize("content", ["data: {}", "data: {customer_pattern: '('}", "[", "7"])
def test_a_config_without_a_pattern_is_named(content, make_run):
    run = make_run()
    (run / "config.yaml").write_text(content)
    with pytest.raises(RunError, match=r"config\.yaml"):
        lists(run, 3)


def test_lists_are_written_as_a_submission_is(make_run):
    run = FinishedRun.open(make_run())
    found, _ = look_up(run, [customer_id(5)])
    assert as_csv(found, run) == f"customer_id,prediction\n{customer_id(5)},{' '.join(listed(5))}\n"
    screen = Console(width=200, file=io.StringIO(), record=True)
    screen.print(list_table(found, "runs/current"))
    shown = screen.export_text()
    assert customer_id(5) in shown
    assert " ".join(listed(5)[:8]) in shown


def test_lists_speak_of_customers_as_the_retailer_does(make_run, tmp_path):
    folder = make_run()
    columns = f"data: {{customer_pattern: '{PATTERN}', columns: {{transactions: {{customer: Kundennummer}}}}}}"
    (folder / "config.yaml").write_text(columns)
    (tmp_path / "ids.csv").write_text(f"Kundennummer,Ort\n{customer_id(5)},Ulm\n")
    run = FinishedRun.open(folder)
    found, _ = look_up(run, [str(tmp_path / "ids.csv")])
    assert as_csv(found, run).startswith(f"Kundennummer,prediction\n{customer_id(5)},")
    (tmp_path / "ids.csv").write_text(f"customer_id,Ort\n{customer_id(5)},Ulm\n")
    with pytest.raises(DataError, match="has no column Kundennummer; its first line has customer_id, Ort"):
        look_up(run, [str(tmp_path / "ids.csv")])


def test_a_real_run_serves_its_submission(real_run, store):
    submission = pl.read_csv(real_run.folder / "submission.csv", infer_schema=False, glob=False)
    some = submission["customer_id"].sample(100, seed=1).to_list()
    run = FinishedRun.open(real_run.folder)
    found, unknown = look_up(run, some)
    assert unknown == []
    expected = pl.DataFrame({"customer_id": some}).join(submission, on="customer_id", maintain_order="left")
    assert as_csv(found, run) == expected.write_csv()
    # A stranger gets what fills the lists of everybody else.
    pipeline = real_run.pipeline
    filler = read_table(pipeline.learn(store.next_week)["fallback"].folder / "table.parquet").sort("rank")
    best = filler.join(store.article_ids().collect(), on="article", maintain_order="left")["article_id"]
    assert lists(real_run.folder, NOBODY) == [(NOBODY, best.to_list())]
