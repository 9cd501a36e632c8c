"""Every product type, colour and appearance can be seen, and the same seed gives the same bytes."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hmgpu.data.pictures import picture_file, read_picture
from hmgpu.data.synthetic import synthesize
from hmgpu.data.synthetic.articles_file import article_ids
from hmgpu.data.synthetic.catalogue import GROUPS, catalogue
from hmgpu.data.synthetic.pictures.cloth import CUTS, PAPER, cloth
from hmgpu.data.synthetic.pictures.draw import draw_pictures, drawn
from hmgpu.data.synthetic.pictures.outline import HIGH, WIDE
from hmgpu.data.synthetic.pictures.silhouettes import SILHOUETTES
from hmgpu.data.synthetic.vocabulary import APPEARANCES

RED, BLUE = (200, 32, 47), (59, 95, 156)


def pixels(image: Image.Image) -> "np.ndarray":
    return np.asarray(image).astype(int)


def test_every_product_type_has_a_silhouette() -> None:
    assert set(SILHOUETTES) == {kind.name for group in GROUPS for kind in group.types}


@pytest.mark.parametrize("kind", SILHOUETTES)
def test_a_silhouette_lies_within_the_picture_and_has_the_articles_colour(kind: str) -> None:
    picture = drawn(kind, 0, BLUE, "Plain", 0, 0)
    assert picture.size == (WIDE, HIGH)
    seen = pixels(picture)
    edge = np.concatenate([seen[0], seen[-1], seen[:, 0], seen[:, -1]])
    assert (np.abs(edge - PAPER).max(axis=1) <= 50).all()  # paper, or shadow
    assert 0.04 < (pixels(cloth(kind, 0).fabric) > 127).mean() < 0.6
    # More of it is near the colour than anything else is that isn't paper.
    near = np.abs(seen - BLUE).max(axis=2) < 60
    assert near.mean() > 0.4 * (np.abs(seen - PAPER).max(axis=2) > 60).mean()


def test_types_cuts_colours_and_appearances_differ() -> None:
    def drawings(**others) -> set[bytes]:
        usual = {"kind": ["Dress"], "cut": [0], "colour": [RED], "look": ["Plain"], "design": [0], "ink": [0]} | others
        one = max(usual, key=lambda name: len(usual[name]))
        return {
            drawn(**{name: values[n % len(values)] for name, values in usual.items()}).tobytes()
            for n in range(len(usual[one]))
        }

    assert len(drawings(kind=list(SILHOUETTES))) == len(SILHOUETTES)
    assert len(drawings(cut=range(len(CUTS)))) == len(CUTS)
    assert len(drawings(colour=[RED, BLUE])) == 2
    assert len(drawings(look=APPEARANCES)) == len(APPEARANCES)
    for look in ("Printed all over", "Striped", "Checked", "Motif"):
        assert len(drawings(look=[look], design=range(4))) == 4
    # A print shows on black and on white.
    for colour in ((38, 38, 43), (247, 246, 242)):
        plain, striped = (pixels(drawn("Dress", 0, colour, look, 0, 0)) for look in ("Plain", "Striped"))
        assert np.abs(plain - striped).max() > 60


def test_a_picture_of_every_article_lies_where_it_is_looked_for_and_has_the_same_bytes_again(tmp_path: Path) -> None:
    articles = catalogue(40, 3)
    ids, heard = article_ids(articles), list[tuple[int, int]]()
    for name in ("one", "two"):
        draw_pictures(tmp_path / name, articles, ids, 3, lambda done, total: heard.append((done, total)))
    draw_pictures(tmp_path / "other", articles, ids, 4)
    assert heard == [(40, 40), (40, 40)]

    def digests(name: str) -> list[str]:
        files = [picture_file(tmp_path / name, each) for each in ids]
        assert {read_picture(file, (WIDE, HIGH)).size for file in files} == {(WIDE, HIGH)}
        return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]

    assert digests("one") == digests("two")
    assert digests("one") != digests("other")


def test_the_other_files_are_the_same_with_pictures(raw: Path, tmp_path: Path) -> None:
    counts = synthesize(tmp_path / "raw", 0.0005, 7, images=True)  # as tests/conftest.py has it without
    assert len(list((tmp_path / "raw" / "images").glob("*/*.jpg"))) == counts["pictures"] == counts["articles"]
    for file in raw.glob("*.csv"):
        assert (tmp_path / "raw" / file.name).read_bytes() == file.read_bytes()
