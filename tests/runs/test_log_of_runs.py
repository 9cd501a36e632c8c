"""The runs as a log of experiments."""

import datetime
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from hmgpu.runs.inventory import ListedRun
from hmgpu.runs.log_of_runs import as_json, runs_table, settings_table

RUN = ListedRun(
    folder=Path("runs/2020-09-22-cb91e34c"),
    last_day="2020-09-22",
    created=datetime.datetime(2026, 11, 30, 9, 18, tzinfo=datetime.UTC),
    config="mine.yaml",
    changed={f"ranker.then.setting{number}": number for number in range(6)},
    state="complete",
    week="2020-09-16",
    k=12,
    score=0.29005,
    interval=(0.28121, 0.2988),
    promoted=None,
    bytes=12_345_678,
)


def shown(*tables, width: int = 80) -> str:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(*tables)
    return captured.get()


@pytest.mark.parametrize("width", [80, 120])
def test_a_row_a_run_in_eighty_columns_with_every_number_whole(width):
    text = shown(runs_table([RUN, replace(RUN, state="evaluated", k=None, score=None, interval=None)]), width=width)
    row, evaluated = (line.rstrip() for line in text.splitlines() if "cb91e34c" in line)
    assert row.split() == ["2020-09-22-cb91e34c", "2026-11-30", "2020-09-16", "0.29005", "0.28121–0.29880", "complete"]
    assert evaluated.split()[-3:] == ["–", "–", "evaluated"]
    assert max(len(line.rstrip()) for line in text.splitlines() if "data up to" not in line) <= 76
    assert "MAP@12" in text


def test_lists_of_several_lengths():
    assert "MAP@k" in shown(runs_table([RUN, replace(RUN, k=5)]))
    assert "MAP@5" in shown(runs_table([replace(RUN, k=5)]))


def test_what_was_set_differently():
    text = shown(settings_table([RUN, replace(RUN, config="base", changed={}), replace(RUN, changed=None)]))
    assert all(f"ranker.then.setting{number}={number}" in text for number in range(4))
    assert "and 2 more (--details)" in text
    assert "mine.yaml:" in text
    assert "2026-11-30 09:18" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "setting5=5" in shown(settings_table([RUN], details=True))
    left_out = replace(RUN, changed={"retrievers.two_tower": None, "retrievers.mine": {"n": 3, "why": "x" * 90}})
    text = shown(settings_table([left_out]))
    assert "retrievers.two_tower=null" in text
    assert "retrievers.mine={n, why}" in text


def test_as_json():
    (entry,) = as_json([RUN])
    assert entry["run"] == "runs/2020-09-22-cb91e34c"
    assert entry["created"] == "2026-11-30T09:18:00+00:00"
    assert (entry["score"], entry["interval"], entry["state"]) == (0.29005, (0.28121, 0.2988), "complete")
    assert entry["changed"]["ranker.then.setting5"] == 5
