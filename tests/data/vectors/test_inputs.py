"""Inputs of encoders."""

import shutil

import pytest
from small_world import SmallShop, article_id, articles, tree

from hmgpu.core.errors import DataError
from hmgpu.data.ingest import ingest
from hmgpu.data.pictures import Unread
from hmgpu.data.store import Store
from hmgpu.data.vectors.inputs import ArticlePictures, ArticleTexts

NAMELESS = {"columns": {"articles": {"name": None, "description": None}}}


def test_texts_are_names_and_descriptions_by_id(shop: SmallShop) -> None:
    texts = ArticleTexts(Store(shop.root))
    assert texts.ids == [article_id(number) for number in range(1, 9)]
    assert texts.read([article_id(3)]) == ["name 3, plain. description 3, plain"]


def test_articles_without_a_word_are_left_out(shop: SmallShop) -> None:
    rows = articles(range(1, 9))
    name, description = (rows[0].index(column) for column in ("prod_name", "detail_desc"))
    rows[2][name], rows[3][name], rows[3][description] = "", " ", "--"
    shop.write("articles", rows)
    ingest(shop.settings(), replace=True)
    texts = ArticleTexts(Store(shop.root))
    assert texts.ids == [article_id(number) for number in (1, 2, 4, 5, 6, 7, 8)]
    assert texts.read([article_id(2)]) == ["description 2, plain"]


def test_without_names_and_descriptions(shop: SmallShop) -> None:
    ingest(shop.settings(**NAMELESS), replace=True)
    with pytest.raises(DataError, match=r"neither names nor descriptions .* `data\.columns\.articles`"):
        ArticleTexts(Store(shop.root))


def test_pictures_are_the_files_that_exist(shop: SmallShop) -> None:
    (shop.raw / "images" / "000" / f"{article_id(2)}.jpg").write_bytes(b"\xff\xd8 no picture")
    before = tree(shop.raw)
    pictures = ArticlePictures(Store(shop.root))
    assert pictures.ids == [article_id(number) for number in range(1, 7)]
    read = pictures.read(pictures.ids)
    assert read[1] == Unread("not a picture")
    assert [picture.mode for picture in read if not isinstance(picture, Unread)] == ["RGB"] * 5
    assert tree(shop.raw) == before


def test_other_pictures_or_texts_have_another_digest(shop: SmallShop) -> None:
    before = ArticlePictures(Store(shop.root)).digest
    assert ArticlePictures(Store(shop.root)).digest == before
    with (shop.raw / "images" / "000" / f"{article_id(2)}.jpg").open("ab") as file:
        file.write(b"more")
    assert ArticlePictures(Store(shop.root)).digest != before


def test_without_pictures(shop: SmallShop) -> None:
    shutil.move(shop.raw / "images" / "000", shop.raw / "images" / "elsewhere")
    with pytest.raises(DataError, match=rf"holds no picture .* such as /.*/images/000/{article_id(1)}\.jpg\.$"):
        ArticlePictures(Store(shop.root))
    shutil.rmtree(shop.raw / "images")
    with pytest.raises(DataError, match=r"has no pictures: put them into /.*images with `hmgpu download --images`, or"):
        ArticlePictures(Store(shop.root))
    ingest(shop.settings(price_unit="1/118000"), replace=True)
    with pytest.raises(DataError, match=r"has no pictures: put them into /.*images, or import vectors"):
        ArticlePictures(Store(shop.root))
