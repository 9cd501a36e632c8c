"""The record that a retrain leaves behind, and the page of all of them."""

import pytest

from hmgpu.core.errors import RunError
from hmgpu.retrain.page import history_page
from hmgpu.retrain.record import RECORDS, Record, records


def record(started: str = "2020-09-23T04:00:00+00:00", **fields) -> Record:
    return Record(started, **fields)


def test_what_was_written_is_read_oldest_first(tmp_path):
    later = record("2020-09-30T04:00:00+00:00", outcome="kept", reason="worse", figures={"new": 0.1, "week": "w"})
    sooner = record(outcome="refused", checks=[{"name": "price", "passed": False}])
    for each in (later, sooner):
        each.write(tmp_path)
    assert records(tmp_path) == [sooner, later]


def test_two_in_the_same_second_are_two(tmp_path):
    files = {record(reason=str(number)).write(tmp_path).name for number in range(3)}
    assert len(files) == 3
    assert [each.reason for each in records(tmp_path)] == ["0", "1", "2"]


def test_without_retrains_there_are_none(tmp_path):
    assert records(tmp_path) == []
    assert "0 retrains" in history_page([])


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"started": "x", "outcome": "lost"}', '{"begun": 1}'])
def test_a_damaged_one_is_named(tmp_path, content):
    (tmp_path / RECORDS).mkdir()
    (tmp_path / RECORDS / "it.json").write_text(content)
    with pytest.raises(RunError, match=r"it\.json is damaged"):
        records(tmp_path)


@pytest.mark.parametrize(
    ("outcome", "code"), [("promoted", 0), ("unchanged", 0), ("failed", 1), ("kept", 3), ("refused", 4)]
)
def test_the_exit_code_says_how_it_ended(outcome, code):
    assert record(outcome=outcome).exit_code == code


def test_a_page_of_them():
    checks = [
        {"name": "mean price", "value": 12.5, "usual": 24.99, "limit": "0.3 of it", "passed": False, "unit": "EUR"},
        {"name": "number of purchases", "value": 237812, "usual": 250000.0, "limit": "any", "passed": True},
        {"name": "days", "value": 0, "usual": None, "limit": "at most 0", "passed": True},
    ]
    figures = {"week": "2020-09-09", "customers": 1234, "new": 0.04, "current": 0.03, "baseline": 0.02}
    page = history_page(
        [
            record(outcome="promoted", reason="better", run="a-run", figures=figures),
            record(outcome="refused", reason="<script>alert(1)</script>", checks=checks),
        ]
    )
    assert page == history_page(
        [
            record(outcome="promoted", reason="better", run="a-run", figures=figures),
            record(outcome="refused", reason="<script>alert(1)</script>", checks=checks),
        ]
    )
    for shown in ("2 retrains", "a-run", "0.04000", "0.03000", "0.02000", "1,234", "BROKEN", "mean price", "at most 0"):
        assert shown in page
    newest_first = [page.index(outcome) for outcome in (">refused<", ">promoted<")]
    assert newest_first == sorted(newest_first)
    assert '<span class="badge good">promoted last</span>' in page
    assert "a-run/report.html" not in page  # the run is gone
    assert 'href="./a-run/report.html"' in history_page([record(outcome="kept", run="a-run")], {"a-run"})
    for shown in ("12.5 EUR", "24.99 EUR", "237,812", "250,000"):
        assert f'<td class="short">{shown}</td>' in page
    assert "<script>alert" not in page
    assert page.count("<svg") == 1
