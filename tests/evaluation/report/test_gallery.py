"""Lists as pictures and tiles."""

from pathlib import Path

import polars as pl
import pytest
from PIL import Image

import hmgpu
from hmgpu.core.html.tiles import Gallery, Shelf, Tile
from hmgpu.pipeline.session import Session


@pytest.fixture(scope="module")
def session(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder = tmp_path_factory.mktemp("gallery")
    places = {"data.raw": raw, "data.root": folder / "data", "runs": folder / "runs", "engine": "cpu", "weeks.train": 1}
    return hmgpu.open("small", places)


def test_each_customer_has_what_they_bought_and_what_they_get(session: Session) -> None:
    ids = session.store.customer_ids().collect()["customer_id"][:2].to_list()
    articles = session.store.articles().collect().head(3)
    lists = pl.DataFrame({"customer_id": ids * 3, "rank": [1, 1, 2, 2, 3, 3], "article_id": articles["article_id"][0]})
    shown = session.show(lists)
    assert [title[:25] for title, _ in shown.rows] == [f"Customer {each[:16]}" for each in ids]
    bought, recommended = shown.rows[0][1]
    assert len(bought.tiles) <= 6
    assert [tile.name for tile in recommended.tiles] == [articles["name"][0]] * 3
    assert f"Recommended: {articles['name'][0]}" in repr(shown)
    assert len(session.show(lists.to_pandas(), customers=1).rows) == 1


def test_what_is_shown_is_escaped() -> None:
    shown = Gallery([("<b>", [Shelf("<i>", [Tile("<script>", 'x" onload="y', picture="data:image/jpeg;base64,AA")])])])
    drawn = shown._repr_html_()
    assert "<script>" not in drawn
    assert 'onload="y' not in drawn
    assert '<img src="data:image/jpeg;base64,AA"' in drawn
    assert "&lt;i&gt;" in drawn
    assert "nothing" in Gallery([("a", [Shelf("b", [])])])._repr_html_()


def test_pictures_are_shown_where_there_are_some(
    session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    article = session.store.articles().collect()["article_id"][0]
    (tmp_path / article[:3]).mkdir()
    Image.new("RGB", (8, 8), "red").save(tmp_path / article[:3] / f"{article}.jpg")
    monkeypatch.setattr(type(session.store), "pictures", tmp_path)
    lists = pl.DataFrame({"customer_id": ["nobody"], "rank": [1], "article_id": [article]})
    assert "data:image/jpeg;base64," in session.show(lists)._repr_html_()
