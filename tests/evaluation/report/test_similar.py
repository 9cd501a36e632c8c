"""What lies near some articles, in the spaces that the run has."""

import dataclasses

import polars as pl
import pytest
from PIL import Image

from hmgpu.core.vectors import STEPS
from hmgpu.evaluation.report.run import report_page
from hmgpu.evaluation.report.similar import similar, spaces_of


@pytest.fixture
def folder(tmp_path):
    """10 looks like 11 and not like 12; 13 is its twin, which is not on sale."""
    vectors = {10: (1.0, 0.0), 11: (0.4, 0.3), 12: (0.0, 1.0), 13: (1.0, 0.0)}
    rows = [(a, round(x * STEPS), round(y * STEPS), int(a < 13)) for a, (x, y) in vectors.items()]
    schema = {"article": pl.Int32, "v000": pl.Int16, "v001": pl.Int16, "on_sale": pl.Int8}
    (tmp_path / "looks").mkdir()
    pl.DataFrame(rows, schema, orient="row").write_parquet(tmp_path / "looks" / "articles.parquet")
    return tmp_path / "looks"


def test_neighbours_are_by_cosine_and_on_sale(evaluated, folder):
    spaces = spaces_of({"looks": folder})
    section = similar(dataclasses.replace(evaluated, spaces=spaces))
    # In the last week 10 alone was sold.
    (card,) = section.blocks
    ((_, itself), (space, near)) = card.shelves
    assert (space, [article.name for article in itself]) == ("looks", [card.title])
    assert [(article.name, article.note) for article in near] == [("Coat 11", "0.80"), ("Coat 12", "0.00")]


def test_pictures_are_shown_on_the_page(evaluated, folder, tmp_path):
    for name in ("0010", "0011"):
        place = tmp_path / "images" / name[:3] / f"{name}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (30, 40), "red").save(place, "JPEG")
    shown = dataclasses.replace(evaluated, spaces=spaces_of({"looks": folder}), pictures=tmp_path / "images")
    near = similar(shown).blocks[0].shelves[1][1]
    assert [article.picture is not None for article in near] == [True, False]
    assert 'id="similar-articles"' in report_page(shown)


def test_what_has_no_vectors_is_no_space(evaluated, folder, tmp_path):
    pl.DataFrame({"article": [1], "sold": [2]}).write_parquet(tmp_path / "articles.parquet")
    assert list(spaces_of({"other": tmp_path, "gone": tmp_path / "gone", "looks": folder})) == ["looks"]
    assert not similar(evaluated).blocks
