"""`explore.html` is complete, safe, the same every time, and computed by plans that cuDF could run."""

import re

from small_world import SmallShop

from hmgpu.core.engine import Engine
from hmgpu.data.explore.page import explore
from hmgpu.data.ingest import ingest
from hmgpu.data.store import Store

SECTIONS = ["Sales", "Customers", "Repurchases", "Articles", "Lifetimes", "Seasons", "Prices"]


def headings(page: str) -> list[str]:
    """The headings of a page's sections."""
    return re.findall(r"<h2>(.*?)</h2>", page)


def test_the_page_is_complete_and_loads_nothing(whole, engine):
    page = explore(whole.store, engine)
    assert headings(page) == SECTIONS
    assert not re.search(r"https?:|<script [^>]*src|@import|url\(|<link", page)
    assert "&lt;script&gt;" in page
    assert explore(whole.store, engine) == page


def test_synthetic_data_has_a_page(store, engine):
    assert headings(explore(store, engine)) == SECTIONS


def test_what_the_data_lacks_is_left_out(tmp_path, whole, engine):
    absent = {
        "transactions": {"price": None, "channel": None},
        "articles": dict.fromkeys(["name", "garment_group", "garment_group_name", "product_group", "colour_name"]),
        "customers": {"age": None},
    }
    shop = SmallShop(tmp_path / "raw", tmp_path / "less")
    ingest(shop.settings(columns=absent))
    page = explore(Store(shop.root), engine)
    assert headings(page) == [name for name in SECTIONS if name not in ("Seasons", "Prices")]
    assert "sales channel" not in page
    assert "by age" not in page


def test_every_plan_translates_to_cudf(whole, engine, untranslated):
    seen = []

    class Watching(Engine):
        def collect(self, plan, fits=False):
            seen.append(plan)
            assert untranslated(plan) == []
            return super().collect(plan, fits)

    explore(whole.store, Watching("cpu", "tests"))
    assert len(seen) > 10
