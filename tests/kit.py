"""How the tests of parts ask a part: learn from a history, then propose or describe."""

import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from hmgpu import testing
from hmgpu.core.engine import Engine
from hmgpu.core.vectors import STEPS
from hmgpu.data.store import History
from hmgpu.parts.part import Learned, Trained
from hmgpu.pipeline.config import Config, load_config
from hmgpu.pipeline.describe import with_columns
from hmgpu.pipeline.learn import all_learned
from hmgpu.testing.asking import encoders  # noqa: F401 (tests import it from here)

ROOT = Path(__file__).parents[1]
CONFIGS = ROOT / "configs"
DEMO = CONFIGS / "demo.yaml"
SEED = 1
ODD = "a[1] *ü"  # the name of a folder that patterns and shells would not leave alone
SMALL = {"epochs": 1, "weeks": 2, "width": 8, "hidden": (16,), "dimensions": 16}
TINY = {"model": "test_resnet", "pixels": 32}  # what sees pictures


def demo_config(folder: Path, models: bool = False) -> Path:
    """The demo's config, its models made small, or left out: loading and training them takes seconds."""
    content = yaml.safe_load(DEMO.read_text())
    del content["retrievers"]["two_tower"]
    if models:
        content["retrievers"]["two_tower"] = {**SMALL, "hidden": [16], "n": 30}
    file = folder / f"demo-{models}.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    return file


def small_settings(raw: Path, root: Path, runs: Path, *settings: str) -> list[str]:
    """Settings that fit the demo's config to a test."""
    places = [f"data.raw={raw}", f"data.root={root}", f"runs={runs}"]
    return [*places, "weeks.train=2", "ranker.rounds=20", "engine=cpu", *settings]


def few_parts(raw: Path, root: Path, runs: Path) -> Config:
    """A line of few parts, two of them of one name, and of one training week."""
    retrievers = "{repurchase: {n: 20}, popular_age: {kind: popular_by, by: age_band, n: 20}, popular: {n: 20}}"
    # A family may be called as a retriever is.
    parts = [f"retrievers={retrievers}", "features={retriever_scores: {}, popular: {kind: article_sales}}"]
    # Every tree sees all columns: a column more changes nothing but what it says.
    ranker = ["ranker.rounds=15", "ranker.columns=1.0"]
    places = [f"data.raw={raw}", f"data.root={root}", f"runs={runs}"]
    return load_config(DEMO, [*places, *parts, *ranker, "weeks.train=1", "engine=cpu"])


def with_its_runs(config: Config, folder: Path) -> Config:
    """`config` with a copy of its runs in `folder`, which a test may change."""
    return config.model_copy(update={"runs": shutil.copytree(config.runs, folder / "runs", symlinks=True)})


def check_unit_vectors(table: pl.DataFrame) -> None:
    """Fails unless each row of `table` (key, `v…`) has a quantised vector of length 1."""
    assert set(table.schema.dtypes()[1:]) == {pl.Int16}
    vectors = table.drop(table.columns[0]).cast(pl.Float64) / STEPS
    lengths = vectors.select(length=pl.sum_horizontal(pl.all() ** 2).sqrt())["length"]
    assert lengths.to_list() == pytest.approx([1.0] * table.height, abs=5e-3)


def files_in(folder: Path) -> dict[str, str]:
    """Every file's hash and time, and where links lead; the log and the lock aside."""
    return {
        str(path.relative_to(folder)): os.readlink(path)
        if path.is_symlink()
        else f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.stat().st_mtime_ns}"
        for path in folder.rglob("*")
        if (path.is_symlink() or path.is_file()) and path.name not in ("log.jsonl", ".lock")
    }


def small(part: Any) -> Any:
    """`part`, its model so small that training takes a second."""
    if not isinstance(part, Trained):
        return part
    return part.model_copy(update={name: value for name, value in (SMALL | TINY).items() if hasattr(part, name)})


def bound(part: Any, history: History, engine: Engine, trained_on: History | None = None) -> Any:
    """`part`, its model made small, with what a pipeline would lend it: see `hmgpu.testing.bound`."""
    return testing.bound(small(part), history, engine, trained_on)


def learned(part: Any, history: History, engine: Engine) -> Learned:
    """What `part`, at its bound, learns of everybody and of each customer, executed, handed back as scans would be."""
    return all_learned(part, history, history, engine)


def described(part, history, engine, pairs: list[tuple[int, int]]) -> dict[tuple[int, int], dict]:
    """The family's columns of each (customer, article)."""
    asked = pl.LazyFrame(pairs, schema={"customer": pl.Int32, "article": pl.Int32}, orient="row")
    part = bound(part, history, engine)
    columns = part.compute(learned(part, history, engine), asked)
    rows = with_columns(engine.collect(asked), {"it": columns}, engine).to_dicts()
    return {(row.pop("customer"), row.pop("article")): row for row in rows}


def scored(part, history, engine, customers: Iterable[int] = (1,)) -> dict[int, list[tuple[int, int]]]:
    """(article, score) of each customer, by rank."""
    part = bound(part, history, engine)
    asked = pl.LazyFrame({"customer": list(customers)}, schema={"customer": pl.Int32})
    found = engine.collect(part.retrieve(learned(part, history, engine), asked).sort("customer", "rank"))
    return {c: found.filter(pl.col("customer") == c).select("article", "score").rows() for c in customers}


def proposed(part, history, engine, customers: Iterable[int] = (1,)) -> dict[int, list[int]]:
    """Articles of each customer, by rank."""
    return {c: [article for article, _ in rows] for c, rows in scored(part, history, engine, customers).items()}
