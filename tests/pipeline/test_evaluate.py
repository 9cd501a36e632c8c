"""A week's figures and its page: two steps, the second run again where there is more to show."""

import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from kit import few_parts, files_in
from PIL import Image

from hmgpu.core.engine import Engine
from hmgpu.data.pictures import picture_file
from hmgpu.data.store import Store
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.evaluate import ablation_step
from hmgpu.pipeline.open import open_pipeline

CPU = Engine("cpu", "tests")
FULL = {"customers": 3, "map_at_12": 0.1, "recall": 0.2, "recall_at_100": 0.1, "candidates_a_customer": 9.0}
CHANGED = {"map_at_12": 0.08, "adds": 0.02, "low": 0.01, "high": 0.03}
FOUND = {
    "full": FULL,
    "reseeded": CHANGED,
    "parts": [{"part": "mine", "section": "features"} | CHANGED],
    "settings": [],
}


@pytest.fixture
def config(raw: Path, store: Store, tmp_path: Path) -> Config:
    return few_parts(raw, store.root, tmp_path / "runs")


def test_the_page_is_written_again_where_other_parts_left_themselves_out(begun: Config) -> None:
    pipeline = open_pipeline(begun, CPU)
    page, before = pipeline.run.folder / "report.html", files_in(pipeline.run.folder)
    assert "Left out" not in page.read_text()
    pipeline.context = replace(pipeline.context, left_out={"features.mine": "the data has no price"})
    pipeline.evaluate()
    assert "the data has no price" in page.read_text()
    after, week = files_in(pipeline.run.folder), pipeline.weeks.validation
    report = {"report.html", *(f"steps/{week}/report/{name}" for name in ("report.html", "manifest.json"))}
    assert {name for name in before if after[name] != before[name]} == report


def test_the_page_says_whose_it_is_and_leads_to_files_that_there_are(begun: Config) -> None:
    pipeline = open_pipeline(begun, CPU)
    folder, weeks = pipeline.run.folder, pipeline.weeks
    page, step = (file.read_text() for file in (folder / "report.html", *folder.glob("steps/*/report/report.html")))
    facts = page.partition('class="head"')[2].partition("</dl>")[0]
    for said in (folder.name, f"from {weeks.training[0]}", f"the week from {pipeline.store.next_week}"):
        assert f"{said}</dd>" in facts, said
    assert folder.name not in step  # other runs may share it, whatever their data have after the week
    said = re.findall(r'<span class="faint">([A-Z][^<]*\.) \(', page)  # of each recommendation in the section Customers
    assert len(said) >= 12
    assert any(each.startswith("You bought it on ") for each in said)
    links = re.findall(r'href="(\./[^"]+)"', page)
    assert len(links) == 4
    assert all((folder / unquote(link)).is_file() for link in links)
    assert f'href="./{folder.name}/report.html"' in (folder.parent / "index.html").read_text()


def test_the_page_is_written_again_when_pictures_have_come(
    begun: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = open_pipeline(begun, CPU)
    page, images = pipeline.run.folder / "report.html", tmp_path / "images"
    assert "data:image/jpeg" not in page.read_text()
    for each in pipeline.store.article_ids().collect()["article_id"]:
        file = picture_file(images, each)
        assert file is not None
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (9, 12), "red").save(file)
    monkeypatch.setattr(Store, "pictures", images)
    pipeline.evaluate()
    assert "data:image/jpeg" in page.read_text()


def test_the_page_follows_the_figures_and_tells_of_an_ablation_as_soon_as_there_is_one(config: Config) -> None:
    pipeline = open_pipeline(config, CPU)
    week, folder = pipeline.weeks.validation, pipeline.run.folder
    judged = pipeline.judge(week)
    assert judged == folder / "steps" / str(week) / "evaluate" / "metrics.json"
    assert not list(folder.rglob("report.html"))
    assert pipeline.evaluate().resolve() == judged
    before = files_in(folder)
    pipeline.evaluate()
    assert files_in(folder) == before

    def write(step: Path) -> None:
        (step / "ablation.json").write_text(json.dumps(FOUND))

    pipeline.run.step(ablation_step(week), {}, [], write)
    pipeline.evaluate()
    page = (folder / "report.html").read_text()
    assert '<th scope="row" class="short">features.mine</th><td class="number">0.08000</td>' in page
    after = files_in(folder)
    report = {"report.html", *(f"steps/{week}/report/{name}" for name in ("report.html", "manifest.json"))}
    assert {name for name in before if after[name] != before[name]} == report
