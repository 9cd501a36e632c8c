"""What a picture shows follows from the result file; without matplotlib there is none, and it says so."""

import json

import pytest

from hmgpu.benchmark import plot as plots
from hmgpu.benchmark.plot import PlotError, plot, ratios_by_family, seconds_by_size


def measured(what, rows, ours, theirs) -> dict:
    contenders = {
        name: {"median_seconds": seconds, "times_as_fast": {"median": theirs / seconds}}
        for name, seconds in (("ours", ours), ("pandas", theirs))
    }
    return {"what": what, "rows": rows, "against": "pandas", "contenders": contenders}


RESULT = {
    "machine": {"cpu": "a CPU", "threads": 2, "memory_gib": 4, "gpu": "none"},
    "absent": {"GPU": "none here"},
    "measurements": [
        *(measured("sales", 200, 1.0, 3.0), measured("all", 200, 2.0, 4.0)),
        *(measured("sales", 100, 0.5, 0.5), measured("all", 100, 1.0, 1.0)),
    ],
}


def test_lines_are_of_everything_together_by_size():
    lines = seconds_by_size(RESULT["measurements"], "all")
    assert lines == {"ours": [(100, 1.0), (200, 2.0)], "pandas": [(100, 1.0), (200, 4.0)]}


def test_bars_are_of_the_largest_size_and_leave_out_what_they_compare_with():
    assert ratios_by_family(RESULT["measurements"]) == {"ours": {"sales": 3.0, "all": 2.0}}


def test_without_matplotlib_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(plots.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(PlotError, match="pip install matplotlib, or add --no-plot"):
        plot(tmp_path / "it.json", "all")


def test_it_draws(tmp_path):
    pytest.importorskip("matplotlib")
    file = tmp_path / "it.json"
    file.write_text(json.dumps(RESULT))
    picture = plot(file, "all")
    assert picture == tmp_path / "it.svg"
    drawn = picture.read_bytes()
    assert b"<svg" in drawn
    assert plot(file, "all").read_bytes() == drawn
