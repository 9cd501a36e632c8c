"""The script that a scheduler calls, with a program in hmgpu's place that ends as it is told."""

import configparser
import os
import subprocess
from pathlib import Path

import pytest
import yaml

SCRIPTS = Path(__file__).parents[2] / "scripts"
PLAYED = """#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$CALLS"
for week in "$@"; do case $week in *code-*) exit "${week##*code-}" ;; esac; done
"""


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "in box").mkdir()
    (tmp_path / "played").write_text(PLAYED)
    (tmp_path / "played").chmod(0o755)
    return tmp_path / "in box"


def call(inbox: Path, *arguments: str) -> tuple[int, list[str]]:
    """Exit code, and what the program was called with."""
    calls = inbox.parent / "calls"
    calls.write_text("")
    given = {"HMGPU_INBOX": str(inbox), "HMGPU": str(inbox.parent / "played"), "HMGPU_CONFIG": "c.yaml"}
    environment = {**os.environ, **given, "CALLS": str(calls)}
    ended = subprocess.run([SCRIPTS / "weekly_retrain.sh", *arguments], env=environment, capture_output=True)
    return ended.returncode, calls.read_text().splitlines()


def left(folder: Path) -> list[str]:
    """Names in `folder` without the times before them."""
    return sorted(path.name.split("Z-")[-1] for path in folder.iterdir()) if folder.is_dir() else []


def test_weeks_are_taken_in_the_order_of_their_names(inbox):
    for name in ("2020-09-16 b.csv", "2020-09-09.csv", ".half-written.csv"):
        (inbox / name).write_text("")
    (inbox / "2020-09-23").mkdir()
    code, calls = call(inbox, "--engine", "cpu")
    weeks = ["2020-09-09.csv", "2020-09-16 b.csv", "2020-09-23"]
    assert code == 0
    assert calls == [f"retrain --config c.yaml --append {inbox}/{week} --engine cpu" for week in weeks]
    assert left(inbox / "done") == weeks
    assert left(inbox) == [".half-written.csv", "done"]


@pytest.mark.parametrize(("code", "place"), [(0, "done"), (3, "done"), (4, "refused")])
def test_a_week_that_was_taken_or_refused_is_put_aside_and_the_next_one_taken(inbox, code, place):
    (inbox / f"a-code-{code}").write_text("")
    (inbox / "b-code-0").write_text("")
    assert len(call(inbox)[1]) == 2
    assert f"a-code-{code}" in left(inbox / place)
    assert "b-code-0" in left(inbox / "done")


@pytest.mark.parametrize("code", [1, 5, 137, 143])
def test_after_anything_else_a_week_stays_for_the_next_call(inbox, code):
    (inbox / f"a-code-{code}").write_text("")
    (inbox / "b-code-0").write_text("")
    assert call(inbox)[0] == code
    assert left(inbox) == [f"a-code-{code}", "b-code-0"]


def test_a_second_week_of_the_same_name_overwrites_nothing(inbox):
    for content in ("first", "second"):
        (inbox / "week.csv").write_text(content)
        call(inbox)
        subprocess.run(["sleep", "1.1"], check=True)
    assert sorted(path.read_text() for path in (inbox / "done").iterdir()) == ["first", "second"]


def test_without_a_week_nothing_is_done(inbox):
    assert call(inbox) == (0, [])


def test_without_an_inbox_it_says_so(inbox):
    inbox.rmdir()
    assert call(inbox) == (1, [])


def test_the_examples_for_schedulers_call_what_there_is():
    unit = configparser.ConfigParser(strict=False)
    unit.optionxform = str
    unit.read(SCRIPTS / "systemd" / "hmgpu-retrain.service")
    assert unit["Service"]["ExecStart"].endswith("scripts/weekly_retrain.sh")
    assert unit["Service"]["SuccessExitStatus"].split() == ["3", "4"]
    job = yaml.safe_load((SCRIPTS / "kubernetes" / "cronjob.yaml").read_text())["spec"]["jobTemplate"]["spec"]
    (container,) = job["template"]["spec"]["containers"]
    assert container["command"] == ["scripts/weekly_retrain.sh"]
    assert job["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"] == [3, 4]
    assert "scripts/weekly_retrain.sh" in (SCRIPTS / "crontab.example").read_text()
    assert os.access(SCRIPTS / "weekly_retrain.sh", os.X_OK)
