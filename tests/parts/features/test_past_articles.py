"""The articles that customers bought last, by hand."""

import kit
import polars as pl
import pytest
from pydantic import ValidationError

from hmgpu.core.engine import Engine
from hmgpu.parts.features.encoded import Encoded
from hmgpu.parts.features.past_articles import PastArticles
from hmgpu.testing import make_history

CPU = Engine("cpu", "tests")
# Often enough for codes of their own.
OFTEN = [(50, 20 + number, article) for article in (1, 2, 3, 4) for number in range(5)]
BOUGHT = [(9, 0, 1), (9, 0, 1), (3, 0, 2), (20, 0, 3), (3, 0, 4), (7, 1, 4), (2, 1, 4)]


@pytest.fixture(scope="module")
def history():
    kinds = {1: 7, 2: 7, 3: 8, 4: 8}
    return make_history(
        [*OFTEN, *BOUGHT], articles={article: {"product_type": kind} for article, kind in kinds.items()}
    )


def test_the_latest_come_first_and_each_once(history):
    pairs = [(0, 1), (0, 2), (1, 3), (99, 4)]
    codes = kit.described(Encoded(), history, CPU, pairs)
    found = kit.described(PastArticles(latest=3, attributes=("product_type", "article")), history, CPU, pairs)
    assert list(found[0, 1])[:3] == ["product_type_01_past", "product_type_02_past", "product_type_03_past"]
    code = {article: codes[key]["article_article_code"] for article, key in ((1, (0, 1)), (2, (0, 2)), (3, (1, 3)))}
    kind = {article: codes[key]["article_product_type_code"] for article, key in ((1, (0, 1)), (3, (1, 3)))}
    code[4] = codes[99, 4]["article_article_code"]
    assert len({*code.values()}) == 4

    def row(key, what):
        return [found[key][f"{what}_0{place}_past"] for place in (1, 2, 3)]

    # The tie of two articles of one day breaks on the article.
    assert row((0, 1), "article") == [code[2], code[4], code[1]]
    assert row((0, 1), "product_type") == [kind[1], kind[3], kind[1]]
    assert row((0, 1), "days") == [3, 3, 9]
    assert found[0, 2] == found[0, 1]  # the same for all candidates
    assert row((1, 3), "article") == [code[4], 0, 0]
    assert row((1, 3), "days") == [2, 0, 0]
    assert row((99, 4), "days") == [None, None, None]  # they never bought


def test_trees_see_nothing_of_it(history, tmp_path):
    from hmgpu.parts.examples import Examples

    found = kit.described(PastArticles(latest=1), history, CPU, [(0, 1)])
    table = pl.DataFrame({"customer": [0], "article": [1], "label": [1], "noise": [0.5], **found[0, 1]})
    table.write_parquet(tmp_path / "examples.parquet")
    examples = Examples((tmp_path / "examples.parquet",))
    assert (examples.features(), examples.codes(), len(examples.past())) == (["noise"], [], 5)


def test_an_unknown_attribute_is_refused():
    with pytest.raises(ValidationError, match="'price' is not an attribute with codes; choose from article"):
        PastArticles(attributes=("price",))
