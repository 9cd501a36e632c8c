"""The pages without a browser: what they say where something is missing, and that they draw."""

import shutil
import sys
from pathlib import Path

import pytest

pytest.importorskip("streamlit", reason="Streamlit is not installed here")
from streamlit.testing.v1 import AppTest

from hmgpu.app.pages import main
from hmgpu.runs.publish import CURRENT
from hmgpu.runs.seal import SEAL


def page(title: str) -> None:
    from hmgpu.app.pages.main import drawn

    drawn(title)


def look(title: str, runs: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr(sys, "argv", ["main.py", str(runs)])
    tested = AppTest.from_function(page, kwargs={"title": title}, default_timeout=60).run()
    assert not tested.exception, tested.exception
    return tested


@pytest.mark.parametrize("title", ["Article", "Why", main.SEASON])  # the others: test_browser.py
def test_each_page_draws(title: str, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tested = look(title, shop, monkeypatch)
    assert not tested.error
    assert not tested.warning
    assert tested.title[0].value == title
    assert [each.value.startswith(f"No retrain is recorded in {shop}") for each in tested.info] == [True] * (
        title == main.SEASON
    )
    assert tested.sidebar.selectbox[0].value == (shop / CURRENT).readlink().name  # the current run comes first


def test_a_random_customer_ends_a_search(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tested = look("Customer", shop, monkeypatch)
    tested.text_input(key="customer search").set_value("nobody").run()
    assert [each.value for each in tested.warning] == ["No customer's id begins with nobody."]
    tested.selectbox(key="customer among").set_value("anybody")
    tested.button(key="customer random").click().run()
    assert not tested.warning
    assert not tested.exception
    assert not tested.text_input(key="customer search").value


def test_no_runs_and_no_finished_run_are_sentences(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "does not exist" in look("Customer", tmp_path / "none", monkeypatch).warning[0].value
    begun = shutil.copytree((shop / CURRENT).resolve(), tmp_path / "runs" / "one", symlinks=True)
    (begun / SEAL).unlink()
    said = look("Customer", tmp_path / "runs", monkeypatch).warning[0].value
    assert said == f"There is no finished run in {tmp_path / 'runs'}: `hmgpu run` or `hmgpu demo` makes one."


def test_a_missing_data_set_is_a_sentence(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = shutil.copytree(shop, tmp_path / "runs", symlinks=True)
    run = (runs / CURRENT).resolve()
    text = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(text.replace(str(shop.parent), str(tmp_path / "elsewhere")))
    from hmgpu.runs.seal import seal

    seal(run)
    assert (
        look("Customer", runs, monkeypatch).error[0].value.startswith(f"The data set of the run {run.name} is not in")
    )
