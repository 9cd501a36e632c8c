"""The picture shows what the result file holds; without matplotlib it is refused with the remedy."""

import json
import sys

import pytest

from hmgpu.benchmark.plot import MOST, PlotError, at_largest, plot, ratios, seconds, seconds_by_size


def measured(what, rows, ours, theirs=None) -> dict:
    both = {"ours": ours} | ({} if theirs is None else {"pandas": theirs})
    against = [*both][-1]
    contenders = {
        name: {"median_seconds": took, "times_as_fast": {"median": both[against] / took}} for name, took in both.items()
    }
    return {"what": what, "rows": rows, "unit": "rows", "against": against, "contenders": contenders}


SIZES = [
    *(measured("sales", 200, 1.0, 3.0), measured("all", 200, 2.0, 4.0)),
    *(measured("sales", 100, 0.5, 0.5), measured("all", 100, 1.0, 1.0)),
]
ONE_SIZE = [measured("rules", 900, 1.0, 5.0), measured("popular", 100, 2.0)]


def result(measurements) -> str:
    machine = {"cpu": "a CPU", "threads": 2, "memory_gib": 4, "gpu": "none"}
    return json.dumps({"machine": machine, "absent": {"GPU": "none here"}, "measurements": measurements})


def test_lines_are_of_everything_together_by_size():
    lines = seconds_by_size(SIZES, "all")
    assert lines == {"ours": [(100, 1.0), (200, 2.0)], "pandas": [(100, 1.0), (200, 4.0)]}


def test_bars_are_of_the_largest_size_and_leave_out_what_they_compare_with():
    assert ratios(at_largest(SIZES)) == {"ours": {"sales": 3.0, "all": 2.0}}
    assert seconds(at_largest(SIZES)) == {"ours": {"sales": 1.0, "all": 2.0}, "pandas": {"sales": 3.0, "all": 4.0}}


def test_a_contender_that_ran_alone_is_compared_with_none():
    assert ratios(ONE_SIZE) == {"ours": {"rules": 5.0}}
    assert ratios(ONE_SIZE[1:]) == {}
    assert seconds(ONE_SIZE) == {"ours": {"rules": 1.0, "popular": 2.0}, "pandas": {"rules": 5.0}}


def test_of_many_things_the_longest_are_shown_in_their_order():
    many = [measured(f"step {number}", 1, 1.0 + number % 50) for number in range(100)]
    shown = [each["what"] for each in at_largest(many)]
    assert len(shown) == MOST
    assert shown == sorted(shown, key=lambda what: int(what.split()[1]))
    assert all(int(what.split()[1]) % 50 >= 50 - MOST // 2 for what in shown)


def test_without_matplotlib_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(PlotError, match=r"pip install 'hmgpu\[plot\]', or add --no-plot"):
        plot(tmp_path / "it.json")


@pytest.mark.parametrize("measurements", [SIZES, ONE_SIZE, ONE_SIZE[1:]])
def test_it_draws(tmp_path, measurements):
    pytest.importorskip("matplotlib")
    file = tmp_path / "it.json"
    file.write_text(result(measurements))
    picture = plot(file)
    assert picture == tmp_path / "it.svg"
    first = picture.read_bytes()
    assert b"<svg" in first
    assert plot(file).read_bytes() == first


@pytest.mark.parametrize("text", ["", "[]", "{}", result([])])
def test_another_file_is_refused_by_name(tmp_path, text):
    pytest.importorskip("matplotlib")
    file = tmp_path / "it.json"
    with pytest.raises(PlotError, match=r"it\.json isn't there"):
        plot(file)
    file.write_text(text)
    with pytest.raises(PlotError, match=r"it\.json has no seconds to draw"):
        plot(file)
    assert not file.with_suffix(".svg").exists()
