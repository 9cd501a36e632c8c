"""An entry for RelBench's H&M tasks: configs chosen between in the validation week, the test week scored once.

manifest.json                              the figures of every task, and of every config that was tried
predictions/rel-hm__user-item-purchase.csv a prediction table for each task, as RelBench takes them
"""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.files import hashes, is_vacant, write_json
from hmgpu.core.parquet import read_table
from hmgpu.core.whole_folder import NAME, replaced
from hmgpu.data.ingest import ingest
from hmgpu.data.manifest import NAME as DATA
from hmgpu.data.open_store import open_store
from hmgpu.evaluation.method_names import RANKER
from hmgpu.experiments.relbench import heads, predictions, tables
from hmgpu.experiments.relbench.metrics import Figures, of_churn, of_purchases, of_sales
from hmgpu.experiments.relbench.nodes import Nodes
from hmgpu.experiments.relbench.protocol import TEST, VALIDATION, Origin, check_config, check_data
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.evaluate import LISTS
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.pipeline.workers import IN_PROCESS, Workers

log = logging.getLogger(__name__)
FORMAT = "hmgpu relbench 1"
PREDICTIONS = "predictions"
Task = dict[str, Any]


def write_entry(
    configs: Mapping[str, Config], engine: Engine, out: Path, workers: Workers = IN_PROCESS
) -> dict[str, Any]:
    """Write the folder `out`, or replace it where it is an earlier entry; return what its manifest says.

    Args:
        configs: by name. Each is fitted, stopped and scored on the week after the validation origin; only the best of
            them, the first of equal ones, is scored on the week after the test origin.

    Raises ConfigError where a config doesn't keep to RelBench's weeks or the data are not the database's, DataError
    where a file is missing, RunError where `out` is anything but new, empty or an earlier entry.
    """
    started = time.perf_counter()
    with replaced(out.resolve(), "relbench") as draft:
        pipelines = {name: _opened(config, engine, workers) for name, config in configs.items()}
        tried = {name: _validated(pipeline) for name, pipeline in pipelines.items()}
        chosen = max(tried, key=lambda name: tried[name])
        log.info("chosen in the validation week: %s", chosen)
        (draft / PREDICTIONS).mkdir()
        with pipelines[chosen].working() as pipeline:
            found = _scored(pipeline, draft / PREDICTIONS)
        said = {
            "format": FORMAT,
            "dataset": predictions.DATASET,
            "origins": {"validation": str(VALIDATION.timestamp), "test": str(TEST.timestamp)},
            "tried": {name: {"map": value} for name, value in tried.items()},
            "chosen": chosen,
            "run": pipeline.run.folder.name,
            "data": pipeline.store.digest,
            "relbench": _version(),
            "tasks": found,
            "seconds": round(time.perf_counter() - started, 1),
        }
        write_json(draft / NAME, said | {"files": hashes(draft)})
    return said


def _opened(config: Config, engine: Engine, workers: Workers) -> Pipeline:
    check_config(config)
    if not (config.data.root / DATA).exists() and not is_vacant(config.data.raw):
        ingest(config.data)
    check_data(open_store(config.data, config.weeks.gap))
    return open_pipeline(config, engine, workers)


def _validated(pipeline: Pipeline) -> float:
    """Return the MAP@12 of the week after the validation origin."""
    with pipeline.working():
        metrics = json.loads(pipeline.evaluate().read_text(encoding="utf-8"))
    return float(metrics["map_at_12"][RANKER])


def _scored(pipeline: Pipeline, folder: Path) -> dict[str, Task]:
    """Predict and score every task; write the prediction tables of the test origin into `folder`."""
    nodes = Nodes.of(pipeline.config.data, pipeline.store, pipeline.engine)
    learned_from = [VALIDATION.back(weeks) for weeks in range(len(pipeline.weeks.training), 0, -1)]
    return {
        tables.PURCHASE: _purchases(pipeline, nodes, folder),
        tables.CHURN: _churn(pipeline, learned_from, nodes, folder),
        tables.SALES: _sales(pipeline, learned_from, nodes, folder),
    }


def _purchases(pipeline: Pipeline, nodes: Nodes, folder: Path) -> Task:
    found = {}
    for origin in (VALIDATION, TEST):
        judged = pipeline.evaluate(origin.week).resolve().parent
        lists = read_table(judged / LISTS).select("customer", "article", "rank")
        bought = tables.purchases(pipeline.store, origin, pipeline.engine)
        found[origin] = (bought["customer"].n_unique(), of_purchases(lists, bought))
    predictions.write_purchases(folder, lists, nodes, TEST)
    return _task(found)


def _churn(pipeline: Pipeline, origins: Sequence[Origin], nodes: Nodes, folder: Path) -> Task:
    made = heads.predict_churn(pipeline.context, origins, nodes)
    predictions.write_churn(folder, made.test.select("customer", "predicted"), nodes, TEST)

    def figures(table: pl.DataFrame) -> tuple[int, Figures]:
        return table.height, of_churn(table["predicted"].to_numpy(), table["churn"].to_numpy())

    return _task({VALIDATION: figures(made.validation), TEST: figures(made.test)}) | {"trees": made.trees}


def _sales(pipeline: Pipeline, origins: Sequence[Origin], nodes: Nodes, folder: Path) -> Task:
    made = heads.predict_sales(pipeline.context, origins, nodes)
    predictions.write_sales(folder, made.test.select("article", "predicted"), nodes, TEST)
    deviation = tables.deviation(pipeline.store, nodes, pipeline.engine)

    def figures(table: pl.DataFrame) -> tuple[int, Figures]:
        return table.height, of_sales(table["predicted"].to_numpy(), table["sales"].to_numpy(), deviation)

    return _task({VALIDATION: figures(made.validation), TEST: figures(made.test)}) | {"trees": made.trees}


def _task(found: Mapping[Origin, tuple[int, Figures]]) -> Task:
    return {
        name: {"rows": found[origin][0], "ours": found[origin][1].ours, "relbench": found[origin][1].relbench}
        for name, origin in (("validation", VALIDATION), ("test", TEST))
    }


def _version() -> str | None:
    try:
        return version("relbench")
    except PackageNotFoundError:
        return None
