"""Pages in a real browser: nothing overlaps or scrolls sideways, tables sort, both colour schemes, print, keyboard."""

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from hmgpu.core.html.blocks import Bars, Facts, Grid, Heat, Section, count
from hmgpu.core.html.dots import Dots
from hmgpu.core.html.lines import Lines
from hmgpu.core.html.marks import Badge, Link
from hmgpu.core.html.page import page, with_head
from hmgpu.data.pictures import picture_file
from hmgpu.evaluation.report.evaluated import Evaluated
from hmgpu.evaluation.report.folds import folds_page
from hmgpu.evaluation.report.run import report_page
from hmgpu.retrain.page import history_page
from hmgpu.retrain.record import Record

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed here")
if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium here")
WIDTHS = {1280: "light", 390: "dark"}
WEEKS = [f"2020-{month:02}-{day:02}" for month in range(1, 10) for day in (1, 8, 15, 22)]
RUN = "2020-09-22-0123abcd"

# Pairs of headings, ticks, labels, links of the menu and badges whose text boxes share more than a pixel.
OVERLAPS = """() => {
  const headings = "h1, h2, h3, h4, caption, figcaption, nav a, .links a, dt, dd, summary";
  const texts = document.querySelectorAll(headings + ", .chart span, .ends span, .badge, th, .number");
  const boxes = [...texts].filter((each) => each.checkVisibility()).map((each) => {
    const range = document.createRange();
    range.selectNodeContents(each);
    return [each, range.getBoundingClientRect()];
  });
  const found = [];
  boxes.forEach(([one, a], place) => boxes.slice(place + 1).forEach(([other, b]) => {
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (across > 1 && down > 1 && !one.contains(other) && !other.contains(one)) {
      found.push(one.textContent.trim() + " | " + other.textContent.trim());
    }
  }));
  return found;
}"""
# The contrast of the faintest text with the page, as WCAG defines it.
CONTRAST = """() => {
  const light = (colour) => colour.match(/[0-9.]+/g).slice(0, 3).map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const style = (name) => getComputedStyle(document.querySelector(name));
  const [one, other] = [light(style(".faint").color), light(style("body").backgroundColor)];
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}"""


def folds() -> str:
    figures = [
        {
            "week": week,
            "customers": 1366,
            "map_at_12": BASES,
            "map_at_12_interval": {method: [base - 0.004, base + 0.004] for method, base in BASES.items()},
        }
        for week in [*WEEKS[-8:], "all"]
    ]
    return folds_page({"folds": figures[:-1], "all": figures[-1]})


BASES = {"best_sellers": 0.01, "own_past": 0.02, "order": 0.021, "ranker": 0.034}


def retrains() -> str:
    figures = {"new": 0.034, "current": 0.033, "current_lists": "served", "baseline": 0.02, "customers": 1366}
    checks = [{"name": "mean price", "value": 12.5, "usual": 24.99, "limit": "0.3 of it", "passed": False}]
    why = "MAP@12 0.03400; the current run has 0.03300, own past + best sellers 0.02000"
    records = [
        Record(f"{week}T04:00:00+00:00", "promoted", why, last_day=week, run=RUN, figures=figures | {"week": week})
        for week in WEEKS[-9:]
    ]
    return history_page(
        [*records, Record("2020-10-01T04:00:00+00:00", "refused", "too few rows", checks=checks)], {RUN}
    )


def blocks() -> str:
    many = {name: [number * factor for number in range(len(WEEKS))] for name, factor in (("units", 9), ("buyers", 4))}
    days = [f"2020-09-{day:02}" for day in range(1, 6)]
    rows = [
        [Link(f"run {n}", f"{n}.html", (Badge("current", "good"),)), f"{1000 * n:,}", f"{n}.5 %"] for n in (2, 10, 1)
    ]
    bars, near = Bars("Bars", [("a", 1, "1")]), [(rows[0][0], 0.031, (0.03, 0.033)), ("b", 0.03, None)]
    return page(
        "Every kind of block, with long headings and names, and as many dates as there may be",
        "Made for a test.",
        [
            Section("Charts", "Lines and bars.", [Lines("By week", "week", WEEKS, many), bars]),
            Section("Days", "Few places.", [Lines("By day", "day", days, {"units": [1, 2, None, 4, 3]})]),
            Section("One", "One place.", [Lines("One week", "week", WEEKS[:1], {"units": [7_000_000]}, count)]),
            Section("Dots", "Dots.", [Dots("Near each other", near)]),
            Section("Heat", "A map.", [Heat("Heat", "group", ["Jan", "Feb"], [("Jersey", [0.5, None])], 1.0)]),
            Section("Tables", "A table.", [Grid("Runs", ["run", "units", "share"], rows), Facts({"units": "1,234"})]),
        ],
        {"run": RUN, "config": "shop.yaml (48 settings not as in base)", "data": "31,788,324 purchases"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def pages(grouped: Evaluated, tmp_path: Path) -> dict[str, str]:
    file = picture_file(tmp_path / "images", "0011")
    assert file is not None
    file.parent.mkdir(parents=True)
    Image.new("RGB", (300, 400), "red").save(file)
    head = {"run": RUN, "config": "shop.yaml", "data": "31,788,324 purchases, 2018-09-20 to 2020-09-22"}
    links = [Link(name, f"{name}.json") for name in ("metrics", "lists of these customers", "config", "all runs")]
    week = dataclasses.replace(grouped, pictures=tmp_path / "images")
    return {
        "report": with_head(report_page(week), head, links),
        "folds": folds(),
        "retrains": retrains(),
        "blocks": blocks(),
    }


def opened(browser: "Browser", text: str, width: int) -> "Page":
    tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=WIDTHS[width])  # type: ignore[arg-type]
    tab.on("console", lambda message: pytest.fail(message.text))
    tab.on("pageerror", lambda error: pytest.fail(str(error)))
    tab.set_content(text)
    return tab


def test_nothing_overlaps_or_scrolls_sideways_and_all_is_readable(browser: "Browser", pages: dict[str, str]) -> None:
    folder = os.environ.get("HMGPU_SCREENSHOTS")  # to look at
    for name, text in pages.items():
        for width in WIDTHS:
            tab = opened(browser, text, width)
            if folder:
                tab.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
            assert tab.evaluate("document.documentElement.scrollWidth") <= width, name
            assert tab.evaluate(OVERLAPS) == [], (name, width)
            assert tab.evaluate(CONTRAST) >= 4.5, (name, width)
            tab.close()


def test_tables_sort_by_a_click_or_a_key_and_are_whole_without_a_script(
    browser: "Browser", pages: dict[str, str]
) -> None:
    tab = opened(browser, pages["blocks"], 1280)

    def names() -> list[str]:
        return tab.locator("table.sortable tbody th a").all_inner_texts()

    assert names() == ["run 2", "run 10", "run 1"]
    tab.get_by_role("button", name="units").click()
    assert names() == ["run 10", "run 2", "run 1"]
    assert tab.locator("th[aria-sort=descending]").inner_text().startswith("units")
    tab.get_by_role("button", name="share").focus()
    for expected in (["run 10", "run 2", "run 1"], ["run 1", "run 2", "run 10"]):
        tab.keyboard.press("Enter")
        assert names() == expected
    tab.close()
    still = browser.new_context(java_script_enabled=False).new_page()
    still.set_content(pages["blocks"])
    assert still.locator("table.sortable tbody th a").all_inner_texts() == ["run 2", "run 10", "run 1"]
    still.context.close()


def test_it_prints_in_dark_ink_without_the_menu(browser: "Browser", pages: dict[str, str]) -> None:
    tab = opened(browser, pages["report"], 390)  # in dark colours
    assert tab.locator("nav").is_visible()
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    tab.emulate_media(media="print")
    assert not tab.locator("nav").is_visible()
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.pdf(format="A4").startswith(b"%PDF")
    tab.close()


def test_the_first_key_leads_past_the_menu(browser: "Browser", pages: dict[str, str]) -> None:
    tab = opened(browser, pages["blocks"], 390)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the figures"
    assert tab.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    tab.close()
