"""Whether a plan runs on a GPU, asked on a machine without one."""

from typing import Any

import polars as pl
import pytest


def untranslated(plan: pl.LazyFrame) -> list[str]:
    """What of `plan` cuDF can't run, by translating the optimised plan as the GPU engine would. Needs no GPU.

    Skips the test where RAPIDS is not installed.
    """
    translate = pytest.importorskip("cudf_polars.dsl.translate", reason="RAPIDS is not installed here")
    found: list[str] = []

    def listen(plan_tree: Any, _: int | None) -> None:
        translator = translate.Translator(plan_tree, pl.GPUEngine(executor="in-memory"))
        translator.translate_ir()
        found.extend(map(repr, translator.errors))
        plan_tree.set_udf(lambda *_: pl.DataFrame())  # in place of the plan, which is only asked about

    plan.collect(post_opt_callback=listen)  # type: ignore[call-overload]
    return found
