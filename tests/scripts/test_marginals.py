"""The scripts that compare data sets, on purchases that are counted by hand."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from hmgpu.data.store import Store

SCRIPTS = Path(__file__).parents[2] / "scripts"
SOLD = [  # (customer, article, day): what is bought again is bought one day, eight days and twenty days later
    (1, 10, 0),
    (1, 11, 0),
    (1, 10, 1),
    (1, 10, 9),
    (1, 10, 9),
    (2, 20, 3),
    (2, 21, 23),
    (2, 20, 23),
    (3, 30, 90),
]


def script(name: str) -> ModuleType:
    """The module of a script."""
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def rows() -> pl.DataFrame:
    """The purchases of `SOLD`; articles 20 and 21 are of one product."""
    rows = pl.DataFrame(SOLD, schema=["customer", "article", "day"], orient="row").cast(pl.Int32)
    return rows.with_columns(product=pl.when(pl.col("article") == 21).then(20).otherwise("article"))


def test_repeats_are_counted_by_the_weeks_since_and_baskets_by_their_size(rows):
    found = script("marginals").of_repeats(rows)
    # Eight lines (a line of two units is one); articles are bought again after 1, 8 and 20 days, so is the product.
    assert found["article bought before"] == "37.50 %"
    assert found["product bought before"] == "42.86 %"
    [weeks] = [value for name, value in found.items() if name.startswith("…") and name.endswith("(article)")]
    assert weeks == "12.50 / 12.50 / 12.50 / 0.00 / 0.00 / 0.00 / 0.00 / 0.00 / 0.00 %"
    [sizes] = [value for name, value in found.items() if "of 1 / 2 / 3" in name]
    assert sizes == "100.0 / 100.0 / - / - / - / - %"


def test_baskets_gaps_and_units(rows):
    found = script("marginals").of_baskets(rows)
    assert found["baskets of 1 / 2 / 3 / 4 / 5 / 6 articles"] == "66.7 / 33.3 / 0.0 / 0.0 / 0.0 / 0.0 %"
    assert found["gaps of at most 1 / 2 / 3 / 7 / 14 / 28 days"] == "33.3 / 33.3 / 33.3 / 33.3 / 66.7 / 100.0 %"
    assert found["lines of 2 / 3 / 4 / 6 / 10 units or more"].startswith("12.50 / 0.00")
    assert not {"online rows"} & set(found)  # a data set without channels has no such row


def test_the_same_attribute_more_often_than_by_chance():
    """Two customers of one department each, who buy as much: the same one is twice as likely as by chance."""
    days = range(0, 20, 2)
    sold = [(who, 100 * who + day, day, who) for who in (1, 2) for day in days]
    rows = pl.DataFrame(sold, schema=["customer", "article", "day", "department"], orient="row")
    found = script("marginals").of_tastes(rows.with_columns(product="article"))
    assert [value.split(" / ")[:2] for value in found.values()] == [["2.00", "2.00"]]


def test_both_scripts_take_an_ingested_data_set(store: Store):
    table = CliRunner().invoke(_app("marginals"), [str(store.root), "--json", "--customers", "300"])
    [column] = json.loads(table.stdout).values()
    assert int(column["customers with purchases"]) <= 300
    assert {"rows", "online rows", "product bought before", "articles first sold, a week (52 weeks)"} < set(column)

    week = store.last_complete_week
    labels = store.sold_in(week).collect()
    before = store.as_of(week.first_day).last(7).collect()["article"]
    best = before.value_counts().sort("count", "article", descending=[True, False])["article"].head(12)
    recall = labels["article"].is_in(best.to_list()).mean()
    ladder = CliRunner().invoke(_app("ladder"), [str(store.root), "--folds", "1"])
    assert f"| recall@12 of last week's best sellers | {recall:.4f} |" in ladder.stdout


def _app(name: str) -> typer.Typer:
    app = typer.Typer()
    app.command()(script(name).main)
    return app
