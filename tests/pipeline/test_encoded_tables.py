"""The encoded tables of the week after the data."""

import io
from pathlib import Path

import polars as pl
import pytest
from kit import CONFIGS
from rich.console import Console

from hmgpu.core.engine import Engine
from hmgpu.data.store import Store
from hmgpu.parts.models.encode.columns import COLUMNS
from hmgpu.pipeline.config import load_config
from hmgpu.pipeline.encoded_tables import encode_run, encoding_table
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.pipeline import Pipeline

CONFIG = CONFIGS / "demo.yaml"
CPU = Engine("cpu", "tests")


@pytest.fixture(scope="module")
def pipeline(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    runs = tmp_path_factory.mktemp("encoding") / "runs"
    return open_pipeline(load_config(CONFIG, [f"data.root={store.root}", f"runs={runs}"]), CPU)


@pytest.fixture(scope="module")
def encoded(pipeline: Pipeline) -> tuple[list[dict], Path]:
    with pipeline.working():
        return encode_run(pipeline)


def test_everybody_and_every_article_by_their_own_ids(encoded, pipeline):
    folder = encoded[1]
    for name, ids in (("customer", pipeline.store.customer_ids()), ("article", pipeline.store.article_ids())):
        table = pl.read_parquet(folder / f"{name}s.parquet", glob=False)
        assert table.columns[:2] == [f"{name}_id", "key"]
        pairs = table.select(name := f"{name}_id", "key").rename({"key": name.removesuffix("_id")})
        known = ids.collect().select(pairs.columns)
        assert pairs.join(known, on=pairs.columns, how="anti").is_empty()
        assert pairs.height == known.height if name == "customer_id" else pairs.height <= known.height


def test_they_are_as_of_the_end_of_the_data(encoded, pipeline):
    """Fitted at the oldest training cutoff, applied to all that is known."""
    history = pipeline.store.as_of(pipeline.store.next_week.first_day)
    expected = pipeline.learning.encoders.articles(history)
    assert pl.read_parquet(encoded[1] / "articles.parquet", glob=False).drop("article_id").equals(expected)
    assert {folder.parent.name for folder in encoded[1].parents[1].glob("steps/*/encode")} <= {
        str(pipeline.weeks.training[0])
    }


def test_every_column_is_described(encoded):
    columns = encoded[0]
    described = {column["column"]: column for column in columns}
    assert {column.name for column in COLUMNS} <= set(described)
    assert described["recent_colour"]["encoding"] == "codes"
    assert described["colour"]["codes"] > 3
    assert described["units"]["encoding"] == "number"
    assert described["units"]["std"] > 0
    assert len({column["rows"] for column in columns if column["table"] == "customers"}) == 1
    text = io.StringIO()
    Console(file=text, width=140).print(encoding_table(columns))
    assert all(name in text.getvalue() for name in described)


def test_a_run_encodes_once(encoded, pipeline):
    file = encoded[1] / "customers.parquet"
    before = file.stat().st_mtime_ns
    again = open_pipeline(pipeline.config, CPU)
    with again.working():
        assert encode_run(again) == encoded
    assert file.stat().st_mtime_ns == before
