"""The page of a run: whole, safe and the same every time."""

import base64
import dataclasses
import hashlib
import json
import re
from html.parser import HTMLParser

import polars as pl
import pytest
from PIL import Image

from hmgpu.evaluation.report.evaluated import Evaluated
from hmgpu.evaluation.report.run import report_page

VOID = {"meta", "br", "img", "line"}


class Balanced(HTMLParser):
    """Parse a page, fail where elements don't close in order, and collect what is in it."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: dict[str, list[dict[str, str | None]]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.setdefault(tag, []).append(dict(attrs))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.setdefault(tag, []).append(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def page(evaluated: Evaluated) -> str:
    return report_page(evaluated)


def read(page: str) -> Balanced:
    reader = Balanced()
    reader.feed(page)
    assert reader.open == []
    return reader


def test_the_page_is_sound_and_has_every_section(page):
    assert page.startswith("<!DOCTYPE html>")
    anchors = [section["id"] for section in read(page).seen["section"]]
    assert anchors == ["result", "methods", "segments", "retrievers", "learning", "customers"]
    assert [link["href"] for link in read(page).seen["a"]] == ["#main", *(f"#{anchor}" for anchor in anchors)]


def test_the_page_loads_nothing_and_runs_nothing_but_its_own_script(page):
    seen = read(page).seen
    assert seen["script"] == [{}]
    assert not set(seen) & {"link", "iframe", "object", "embed", "base", "form"}
    assert not re.search(r"https?:|@import|url\(|\bon\w+=", page)
    (policy,) = (meta["content"] or "" for meta in seen["meta"] if "http-equiv" in meta)
    assert policy.startswith("default-src 'none';")
    script = page.partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy


def test_names_of_articles_are_text(page):
    assert page.count("<script") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_name_breaks_out_of_no_attribute(evaluated, tmp_path):
    Image.new("RGB", (300, 400), "red").save(_place(tmp_path, "0011"), "JPEG")
    catalogue = evaluated.catalogue.with_columns(name=pl.lit('" onerror="alert(1)'))
    page = report_page(dataclasses.replace(evaluated, catalogue=catalogue, pictures=tmp_path / "images"))
    images = read(page).seen["img"]
    assert images
    assert all(set(image) == {"src", "alt"} for image in images)


def test_the_same_week_gives_the_same_bytes(evaluated, page):
    assert report_page(evaluated) == page


def test_figures_of_every_method_segment_and_retriever_are_there(page):
    for figure in ("0.03128", "0.02211", "0.00099", "7.0 %", "25.0 %", "50.0 %", "1.23 %", "recall@500", "active (2)"):
        assert figure in page


def test_an_ablation_is_shown_where_the_run_has_one(evaluated):
    found = {"weeks": ["2020-08-26"], "parts": [{"part": "popular", "section": "retrievers", "impossible": "alone"}]}
    found |= {"full": {"customers": 3, "map_at_12": 0.1, "recall": 0.5}, "settings": []}
    anchors = [s["id"] for s in read(report_page(dataclasses.replace(evaluated, ablation=found))).seen["section"]]
    assert anchors == ["result", "methods", "segments", "retrievers", "learning", "ablation", "customers"]


def test_parts_that_left_themselves_out_are_shown_with_the_reason(evaluated, page):
    assert "left out" not in page.lower()
    page = report_page(dataclasses.replace(evaluated, left_out={"features.price_fit": "the data has no price"}))
    anchors = [section["id"] for section in read(page).seen["section"]]
    assert anchors == ["result", "methods", "segments", "retrievers", "learning", "left-out", "customers"]
    assert '<th scope="row" class="short">features.price_fit</th><td class="short">the data has no price</td>' in page


def test_pictures_have_a_text_and_charts_say_what_they_show(evaluated, tmp_path):
    Image.new("RGB", (300, 400), "red").save(_place(tmp_path, "0011"), "JPEG")
    seen = read(report_page(dataclasses.replace(evaluated, pictures=tmp_path / "images"))).seen
    assert {image["alt"] for image in seen["img"]} == {"Coat 11"}
    assert all((image["src"] or "").startswith("data:image/jpeg;base64,") for image in seen["img"])
    labels = [chart["aria-label"] for chart in seen["div"] if chart.get("role") == "img"]
    assert labels == ["NDCG@50 by tree; 2 are kept, by tree. NDCG@50: lowest 0.2500 (1), highest 0.5000 (2)."]


def test_a_ranker_without_trees_has_no_section_about_them(evaluated):
    for file in evaluated.model_files.iterdir():
        file.unlink()
    assert "learning" not in [section["id"] for section in read(report_page(evaluated)).seen["section"]]


def test_each_ranker_of_a_cascade_has_its_curve(evaluated):
    (evaluated.model_files / "curve.json").unlink()
    for name in ("first", "then"):
        (evaluated.model_files / name).mkdir()
        (evaluated.model_files / name / "curve.json").write_text(
            json.dumps({"metric": "ndcg@50", "kept": 1, "validation": []})
        )
        (evaluated.model_files / name / "importances.json").write_text(json.dumps({"price": 1.0}))
    page = report_page(evaluated)
    assert "Ranker first: Gain by part" in page
    assert "Ranker then: Gain by part" in page


def test_what_a_guard_found_is_shown(evaluated):
    verdict = {
        "customers": 1234,
        "map_at_12": {"ranker": 0.05, "order": 0.04},
        "ahead": {"order": [0.01, -0.002, 0.022]},
        "weights": {"ranker": 0.8, "order": 0.2},
    }
    (evaluated.model_files / "guard.json").write_text(json.dumps({"verdict": verdict}))
    page = report_page(evaluated)
    assert "Guard: a trial on 1,234 customers of the last training week, fitted on those before" in page
    assert "+0.01000 (-0.00200 to +0.02200)" in page
    too_few = {"customers": 3, "map_at_12": {}, "ahead": {}, "weights": {"order": 1.0}}
    (evaluated.model_files / "guard.json").write_text(json.dumps({"verdict": too_few}))
    assert "Guard: a trial on 3 customers" in report_page(evaluated)


def _place(folder, article_id):
    place = folder / "images" / article_id[:3] / f"{article_id}.jpg"
    place.parent.mkdir(parents=True)
    return place
