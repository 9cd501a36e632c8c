"""Lists of other lengths, and what they must not hold: in a file, or bought lately by the customer."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from kit import few_parts

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError, DataError
from hmgpu.data.store import Store
from hmgpu.pipeline.config import Config, load_config
from hmgpu.pipeline.exclusions import Exclusions, ListSettings
from hmgpu.pipeline.lists import best_sellers, top_k
from hmgpu.pipeline.open import open_pipeline

CPU = Engine("cpu", "tests")
PAIR = {"customer": pl.Int32, "article": pl.Int32}


def test_a_list_is_filled_with_what_is_not_excluded(make_history: Any) -> None:
    # Articles 1 to 9 in the order of their sales, all bought by customer 7; customer 1 bought 1 and 2 three days ago.
    sold = [(20, 7, article) for article in range(1, 10) for _ in range(10 - article)]
    history = make_history([*sold, (3, 1, 1), (3, 1, 2)])
    exclusions = Exclusions(pl.DataFrame({"article": [4]}, schema={"article": pl.Int32}), days=5)
    assert exclusions.most(history, CPU) == 2
    filler = best_sellers(history, 3 + 2, exclusions.articles.lazy())
    scored = pl.LazyFrame({"customer": [1], "article": [8], "score": [0.5]}, schema={**PAIR, "score": pl.Float32})
    asked = pl.LazyFrame({"customer": [1, 2]}, schema={"customer": pl.Int32})
    lists = CPU.collect(top_k(scored, asked, filler, 3, exclusions.pairs(history)).sort("customer", "rank"))
    assert lists["article"].to_list() == [8, 3, 5, 1, 2, 3]


def test_what_may_be_proposed(make_history: Any) -> None:
    history = make_history([(3, 1, 1), (6, 1, 2), (3, 2, 3)])
    pairs = [(1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 3)]
    candidates = pl.LazyFrame(pairs, schema=PAIR, orient="row")

    def allowed(articles: list[int] | None, days: int | None) -> list[tuple[int, ...]]:
        table = None if articles is None else pl.DataFrame({"article": articles}, schema={"article": pl.Int32})
        return CPU.collect(Exclusions(table, days).allowed(candidates, history).sort(*PAIR)).rows()

    assert allowed(None, None) == sorted(pairs)
    assert allowed([4], None) == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 3)]
    assert allowed(None, 5) == [(1, 2), (1, 3), (1, 4), (2, 1)]
    assert allowed([2, 3], 6) == [(1, 4), (2, 1)]


def write(folder: Path, name: str, ids: list[str]) -> Path:
    file, table = folder / name, pl.DataFrame({"other": range(len(ids)), "article_id": ids})
    if file.suffix == ".csv":
        table.write_csv(file)
    elif file.suffix == ".parquet":
        table.write_parquet(file)
    else:
        file.write_text("\n".join(["", *ids, ""]))
    return file


@pytest.mark.parametrize("name", ["ids.txt", "ids.csv", "ids.parquet"])
def test_a_file_of_ids_in_any_form(name: str, store: Store, tmp_path: Path) -> None:
    ids = CPU.collect(store.article_ids().sort("article").head(3))
    file = write(tmp_path, name, [*ids["article_id"], "unknown"])
    found = Exclusions.of(ListSettings(exclude=file), store, CPU)
    assert found.articles is not None
    assert found.articles["article"].to_list() == ids["article"].to_list()


def test_a_file_that_can_not_be_read_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"lists\.exclude: .*none\.txt can't be read"):
        Exclusions.of(ListSettings(exclude=tmp_path / "none.txt"), store, CPU)
    (tmp_path / "odd.csv").write_text("sku\n1\n")
    with pytest.raises(DataError, match=r"odd\.csv has no column article_id"):
        Exclusions.of(ListSettings(exclude=tmp_path / "odd.csv"), store, CPU)


@pytest.fixture
def config(raw: Path, store: Store, tmp_path: Path) -> Config:
    return few_parts(raw, store.root, tmp_path / "runs")


def test_a_run_with_short_lists_and_exclusions(config: Config, store: Store, tmp_path: Path) -> None:
    plain = open_pipeline(config, CPU)
    best = pl.read_parquet(plain.learn(store.next_week)["fallback"].folder / "table.parquet", glob=False).sort("rank")
    ids = CPU.collect(store.article_ids())
    barred = best.join(ids, on="article")["article_id"].head(4).to_list()
    lists = ListSettings(k=5, exclude=write(tmp_path, "barred.txt", barred), not_bought_days=60)
    pipeline = open_pipeline(config.model_copy(update={"lists": lists}), CPU)
    with pipeline.working():
        submission = pl.read_csv(pipeline.finish(), infer_schema=False, glob=False)
    metrics = json.loads((pipeline.run.folder / "metrics.json").read_text())
    assert metrics["map_at_5"]["ranker"] > 0
    assert "map_at_12" not in metrics
    found = submission.select("customer_id", article_id=pl.col("prediction").str.split(" "))
    assert found["article_id"].list.len().unique().to_list() == [5]
    shown = found.explode("article_id")
    assert shown.filter(pl.col("article_id").is_in(barred)).is_empty()
    history = store.as_of(store.next_week.first_day)
    lately = CPU.collect(
        history.last(60)
        .join(store.customer_ids(), on="customer")
        .join(store.article_ids(), on="article")
        .select("customer_id", "article_id")
    )
    assert lately.height > 100
    assert shown.join(lately, on=["customer_id", "article_id"], how="semi").is_empty()
    # What was judged was chosen in the same way, a week earlier.
    week = pipeline.weeks.validation
    judged = pl.read_parquet(pipeline.run.folder / "steps" / str(week) / "evaluate" / "lists.parquet", glob=False)
    earlier = CPU.collect(store.as_of(week.first_day).last(60).select("customer", "article"))
    assert judged.group_by("customer").len()["len"].unique().to_list() == [5]
    assert judged.join(earlier, on=["customer", "article"], how="semi").is_empty()


def test_the_content_of_the_file_decides_the_run_and_not_its_name(config: Config, store: Store, tmp_path: Path) -> None:
    ids = CPU.collect(store.article_ids().sort("article"))["article_id"].to_list()

    def run(name: str, barred: list[str]) -> str:
        lists = ListSettings(exclude=write(tmp_path, name, barred))
        return open_pipeline(config.model_copy(update={"lists": lists}), CPU).run.folder.name

    assert run("a.txt", ids[:2]) == run("b.csv", ids[1::-1]) != run("a.txt", ids[:3])


def test_the_file_that_names_the_run_is_the_one_that_decides_it(config: Config, store: Store, tmp_path: Path) -> None:
    """It is read once: what is in it later, while the run works, changes nothing."""
    ids = CPU.collect(store.article_ids().sort("article"))["article_id"].to_list()
    file = write(tmp_path, "barred.txt", ids[:2])
    pipeline = open_pipeline(config.model_copy(update={"lists": ListSettings(exclude=file)}), CPU)
    write(tmp_path, "barred.txt", ids[2:9])
    barred = pipeline.learning.exclusions.articles
    assert barred is not None
    assert set(CPU.collect(store.article_ids().join(barred.lazy(), on="article"))["article_id"]) == set(ids[:2])


def test_a_cascade_that_keeps_fewer_than_a_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"keep is 24, but lists have 30 articles \(lists\.k\)"):
        load_config("base", {"lists.k": 30, "ranker.keep": 24})
    load_config("base", {"lists.k": 30})  # what is measured is twice a list or more
