"""The number of all faults, printed at the end of the tests.

As properties of the tests' reports the numbers come through from other processes. tests/conftest.py has these hooks,
for the process that only hands out tests doesn't load the one in this folder.
"""

from collections import Counter

import pytest

PREFIX = "faults: "
COUNTED = ("kills", "corruptions", "refused inputs", "other faults")
_totals: Counter[str] = Counter()
_lost: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if "tests/faults/" not in report.nodeid:
        return
    if report.when == "teardown":
        for name, value in report.user_properties:
            if name.startswith(PREFIX):
                _totals[name.removeprefix(PREFIX)] += int(str(value))
    if report.failed:
        _lost.append(report.nodeid)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _totals:
        return
    counts = ", ".join(f"{_totals[what]:,} {what}" for what in COUNTED)
    end = f"something was lost in {len(_lost)} tests" if _lost else "all with nothing lost"
    terminalreporter.write_line(f"faults: {counts}: {end}")
