"""What of a plan cuDF can't run, or not part by part, found out without a GPU."""

import warnings
from typing import Any

import polars as pl
import pytest

from hmgpu.parts.retriever import Retriever
from hmgpu.testing.asking import bound, learned, plans_of
from hmgpu.testing.contract_data import ContractData

ABSENT = "RAPIDS is not installed here"
SMALLEST = {"max_rows_per_partition": 1, "target_partition_size": 1, "min_device_size": 2**33}
"""A part for each row, so that all that can be cut into parts is."""


def untranslated(plan: pl.LazyFrame) -> list[str]:
    """What of `plan` cuDF can't run, by translating the optimised plan as the GPU engine would. Needs no GPU.

    Skips the test where RAPIDS is not installed.
    """
    translate = pytest.importorskip("cudf_polars.dsl.translate", reason=ABSENT)
    found: list[str] = []

    def listen(plan_tree: Any, _: int | None) -> None:
        translator = translate.Translator(plan_tree, pl.GPUEngine(executor="in-memory"))
        translator.translate_ir()
        found.extend(map(repr, translator.errors))
        plan_tree.set_udf(lambda *_: pl.DataFrame())  # in place of the plan, which is only asked about

    plan.collect(post_opt_callback=listen)  # type: ignore[call-overload]
    return found


class _Large:
    """The statistics of a file that is cut into several parts; to read real ones, cuDF wants a driver."""

    def column_storage_size(self, _: str) -> int:
        return 2


def collapses(plan: pl.LazyFrame) -> list[str]:
    """Where cuDF's streaming executor puts all parts of `plan` into one, in its words; each needs the whole table.

    The optimised plan is translated and lowered as on a GPU, with all inputs in several parts, and needs none. Skips
    the test where RAPIDS is not installed.
    """
    translate = pytest.importorskip("cudf_polars.dsl.translate", reason=ABSENT)
    from cudf_polars.dsl.ir import Scan
    from cudf_polars.dsl.traversal import traversal
    from cudf_polars.streaming.base import StatsCollector
    from cudf_polars.streaming.parallel import lower_ir_graph
    from cudf_polars.utils.config import ConfigOptions

    engine = pl.GPUEngine(executor="streaming", executor_options={"fallback_mode": "warn", **SMALLEST})
    options = ConfigOptions.from_polars_engine(engine)
    found: list[str] = []

    def listen(plan_tree: Any, _: int | None) -> None:
        whole = translate.Translator(plan_tree, engine).translate_ir()
        known = StatsCollector()
        sizes: dict[Any, Any] = {node: _Large() for node in traversal([whole]) if isinstance(node, Scan)}
        known.scan_stats = sizes
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            lower_ir_graph(whole, options, known)
        found.extend(str(warning.message) for warning in caught)

    plan.collect(post_opt_callback=listen)  # type: ignore[call-overload]
    return found


def collapses_of(part: Any, data: ContractData) -> dict[str, list[str]]:
    """Return the `collapses` of every plan of `part`: those by which it learns, sorted for writing, and `results`."""
    part = bound(part, data.history)
    plans = {name: plan.sort(plan.collect_schema().names()) for name, plan in plans_of(part, data.history).items()}
    tables = learned(part, data.history)
    asked = part.retrieve(tables, data.customers) if isinstance(part, Retriever) else part.compute(tables, data.pairs)
    return {name: sorted(collapses(plan)) for name, plan in (plans | {"results": asked}).items()}
