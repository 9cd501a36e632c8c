"""The app in a real Chromium, at the width of a desk and of a phone."""

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from urllib.parse import parse_qs, urlsplit

import pytest
from kit import ROOT

from hmgpu.app.lookups.customers import any_customer, customer_of
from hmgpu.app.lookups.opened import OpenRun
from hmgpu.app.start import command

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed here")
CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium here")
pytest.importorskip("streamlit", reason="Streamlit is not installed here")
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
DRAWN = """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
    && document.querySelector('h1')?.textContent === '%s'"""
OVERLAPS = """() => {
  const boxes = [...document.querySelectorAll('.shelf li')].map(each => each.getBoundingClientRect())
  return boxes.filter((a, i) => boxes.some((b, j) => j > i && a.left < b.right - 1 && b.left < a.right - 1
    && a.top < b.bottom - 1 && b.top < a.bottom - 1)).length
}"""


@pytest.fixture(scope="module")
def address(shop: Path) -> Iterator[str]:
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen(
        command(shop, "localhost", port), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(600):
            try:
                socket.create_connection(("localhost", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://localhost:{port}"
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = Path(os.environ.get("HMGPU_SCREENSHOTS") or tmp_path_factory.mktemp("shots"))
    place.mkdir(parents=True, exist_ok=True)
    return place


def test_every_page_at_both_widths(address: str, shots: Path, opened: OpenRun) -> None:
    customer_id = any_customer(opened, "a hit", Random(3))
    assert customer_id is not None
    customer = customer_of(opened, customer_id)
    assert customer is not None
    assert customer.held_out is not None
    problems = list[str]()
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page(viewport=DESK, color_scheme="dark")
        page.set_default_timeout(60_000)
        page.on("console", lambda said: problems.append(said.text) if _is_wrong(said) else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda asked: problems.append(asked.url) if _elsewhere(asked.url, address) else None)
        item = customer.recommended[0]
        page.goto(f"{address}/article?article={item.article_id}")  # the first that this server is asked for
        page.get_by_role("heading", name=item.name).wait_for()
        other = page.locator(".shelf a").first
        other_id = parse_qs(urlsplit(other.get_attribute("href")).query)["article"][0]
        other.focus()
        page.keyboard.press("Enter")
        page.get_by_role("cell", name=other_id).wait_for()
        page.goto(address)
        page.wait_for_function(DRAWN % "Customer")
        search = page.get_by_label("Customer", exact=True)
        search.fill(customer_id)
        search.press("Enter")
        page.get_by_text(customer_id).wait_for()
        page.wait_for_function(DRAWN % "Customer")
        hits = page.locator(".shelf li.hit")
        # Each is framed where it was bought and where it was recommended.
        assert hits.count() == 2 * sum(each.hit for each in customer.held_out.bought)
        assert page.locator(".hmgpu").first.evaluate("it => getComputedStyle(it).color") == "rgb(230, 232, 234)"
        for title in ("Customer", "Article", "Why", "Compare", "Data", "Season"):
            page.set_viewport_size(DESK)
            page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True).click()
            page.wait_for_function(DRAWN % title)
            page.screenshot(path=shots / f"{title.lower()}-1280.png")
            page.set_viewport_size(PHONE)
            page.wait_for_timeout(150)  # the side bar moves out
            widths = page.evaluate(
                "[document.documentElement, document.querySelector('[data-testid=stMain]')].map(it => it.scrollWidth)"
            )
            assert max(widths) <= PHONE["width"], title
            assert page.evaluate(OVERLAPS) == 0, title
            page.screenshot(path=shots / f"{title.lower()}-390.png")
        browser.close()
    assert not problems


def _is_wrong(said) -> bool:
    # Streamlit looks for itself below the address of a page first, and says so when it is not there.
    return said.type == "error" and "/article/_stcore/" not in said.location["url"]


def _elsewhere(url: str, address: str) -> bool:
    return not url.startswith((address, "data:", "blob:", re.sub("^http", "ws", address)))
