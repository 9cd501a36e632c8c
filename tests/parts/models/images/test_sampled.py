"""Purchases next to what was sampled for their customers, as of the week and not later."""

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.parquet import read_table
from hmgpu.parts.models.images.sampled import write_sampled
from hmgpu.parts.part import PartContext
from hmgpu.parts.retrievers.image_ete import ImageETE

CPU = Engine("cpu", "tests")
BOUGHT = [(20, 0, 1), (12, 0, 2), (12, 3, 3), (9, 2, 1), (3, 0, 1), (3, 1, 2), (3, 2, 3), (2, 0, 3), (1, 1, 4)]
PLACES = pl.DataFrame({"article": [1, 2, 3], "place": [0, 1, 2]}, schema={"article": pl.Int32, "place": pl.Int32})


def rows(history, folder, **settings):
    part = ImageETE(weeks=1, **settings)
    (file,) = write_sampled(history, PLACES, part, part.samplers, PartContext(CPU, 1, lambda: None), folder)
    return read_table(file).sort("target", "basket").select("basket", "target", pl.col("negatives").list.sort()).rows()


def test_negatives_are_of_the_category_and_not_bought_in_the_week(make_history, tmp_path):
    history = make_history(BOUGHT, articles={each: {"product_type": 0} for each in (1, 2, 3, 4)})
    found = rows(history, tmp_path / "one", same_category=20, bought_by_others=0)
    # Customer 0 bought 1 and 3 in the week, so that 2 is left; customer 1 is new in it, and bought 2 there.
    assert found == [([0, 1], 0, [1]), (None, 1, [0, 2]), ([0], 2, [0, 1]), ([0, 1], 2, [1])]
    types = {1: 0, 2: 1, 3: 0, 4: 1}
    apart = make_history(BOUGHT, articles={each: {"product_type": type_} for each, type_ in types.items()})
    # Article 2 alone is of its type: who bought it has no negative, and isn't trained on.
    assert rows(apart, tmp_path / "two", same_category=20, bought_by_others=0) == [([0], 2, [0])]


def test_or_others_bought_them_on_the_same_day(make_history, tmp_path):
    history = make_history(BOUGHT, articles={each: {"product_type": 0} for each in (1, 2, 3, 4)})
    found = rows(history, tmp_path, same_category=0, bought_by_others=20)
    # Three days ago 1, 2 and 3 were bought; 4, which had not been sold before, is not known.
    assert found == [([0, 1], 0, [1]), ([0], 2, [0, 1]), ([0, 1], 2, [1])]
