"""A finished run, written by hand in a moment: lists of forty customers in two shards, and a retriever's vectors."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl
from small_world import article_id, customer_id

from hmgpu.core.engine import Engine
from hmgpu.pipeline.served_tables import write_tables
from hmgpu.runs.run import Run

CPU = Engine("cpu", "tests")
CUSTOMERS, ARTICLES = 40, 30
PATTERN = "[0-9a-f]{64}"
BEST_SELLERS = [article_id(article) for article in range(20, 8, -1)]


def listed(customer: int, shift: int = 0) -> list[str]:
    """Return the list of a customer."""
    return [article_id((customer + shift + place) % ARTICLES) for place in range(12)]


def make_run(
    runs: Path, model: Mapping[str, bytes] | None = None, name: str = "2020-09-22-abcdef01", shift: int = 0
) -> Path:
    """Write the run `name` into the folder `runs`, with the files `model` for its ranker.

    All lists start `shift` articles later.
    """
    run = Run(runs / name, CPU)
    run.describe({"data": {"customer_pattern": PATTERN, "channels": ["1", "2"]}}, {"data": "0" * 64})
    ids = [
        pl.DataFrame({key: range(count), f"{key}_id": map(text, range(count))}, schema_overrides={key: pl.Int32})
        for key, count, text in (("customer", CUSTOMERS, customer_id), ("article", ARTICLES, article_id))
    ]
    codes = pl.DataFrame({"column": ["club"], "code": [0], "value": ["ACTIVE"]}, schema_overrides={"code": pl.Int32})
    best = pl.DataFrame({"article": range(20, 8, -1), "rank": range(1, 13)}, schema_overrides={"article": pl.Int32})

    def fit(folder: Path) -> None:
        for file, content in (model or {"model.ubj": b"trees", "features.json": b"[]"}).items():
            (folder / file).parent.mkdir(exist_ok=True)
            (folder / file).write_bytes(content)

    def vectors(folder: Path) -> None:
        v = {"v000": range(ARTICLES), "v001": [0] * ARTICLES}
        table = pl.DataFrame({"article": range(ARTICLES), **v, "on_sale": 1})
        table.cast({"article": pl.Int32, "v000": pl.Int16, "v001": pl.Int16}).write_parquet(folder / "articles.parquet")

    learned = run.step("2020-09-23/learn/retriever-als", {}, [], vectors)
    filler = run.step("2020-09-23/learn/fallback", {}, [], lambda folder: best.write_parquet(folder / "t.parquet"))
    fitted = run.step("fit", {}, [], fit)

    def recommend(shard: int, folder: Path) -> None:
        rows = [
            (customer, (customer + shift + place) % ARTICLES, place + 1)
            for customer in range(shard, CUSTOMERS, 2)
            for place in range(12)
        ]
        schema = {"customer": pl.Int32, "article": pl.Int32, "rank": pl.Int32}
        pl.DataFrame(rows, schema, orient="row").write_parquet(folder / "table.parquet")

    inputs = [step.digest for step in (fitted, learned, filler)]
    shards = [
        run.step(f"2020-09-23/recommend/00{n}", {}, inputs, lambda folder, n=n: recommend(n, folder)) for n in (0, 1)
    ]

    def submit(folder: Path) -> None:
        (folder / "submission.csv").write_text("customer_id,prediction\n")
        files = [shard.folder / "table.parquet" for shard in shards]
        write_tables(folder, files, best, ids[0], ids[1], codes)

    submitted = run.step("submit", {}, [shard.digest for shard in shards], submit)
    run.show("submission.csv", submitted.folder / "submission.csv")
    return run.folder
