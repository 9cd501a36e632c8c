"""How much of what a retriever proposes other retrievers propose too."""

import dataclasses

import polars as pl
import pytest

from hmgpu.core.html.blocks import Heat
from hmgpu.evaluation.report.retrievers import overlap, retrievers


def test_the_overlap_counts_candidates_and_hits(evaluated, engine):
    candidates, hits = overlap(evaluated.examples, ["repurchase", "popular"], engine)
    # repurchase: (1,10), (1,11), (2,12); popular: (1,10), (1,12), (2,10), (2,12), (2,13), (3,10)
    assert candidates == [("repurchase", [1.0, pytest.approx(2 / 3)]), ("popular", [pytest.approx(2 / 6), 1.0])]
    # Bought of them: (1,10) and (2,12), by both.
    assert hits == [("repurchase", [1.0, 1.0]), ("popular", [1.0, 1.0])]


def test_a_retriever_without_a_hit_shares_none(evaluated, engine):
    (file,) = evaluated.examples.files
    evaluated.examples.write(file, pl.read_parquet(file).with_columns(label=pl.lit(0, pl.Int8)), early=[])
    _, hits = overlap(evaluated.examples, ["repurchase", "popular"], engine)
    assert hits == [("repurchase", [None, None]), ("popular", [None, None])]


def test_one_retriever_has_nothing_to_overlap_with(evaluated):
    alone = dataclasses.replace(evaluated, retrievers=["popular"])
    assert not [block for block in retrievers(alone).blocks if isinstance(block, Heat)]


def test_segments_and_ranks_are_shown_where_there_are_figures(evaluated):
    assert len([block for block in retrievers(evaluated).blocks if isinstance(block, Heat)]) == 2
    figures = {name: dict(of) for name, of in evaluated.metrics["retrievers"].items()}
    figures["popular"]["segments"] = {"active": {"recall": 0.25}, "new": {"recall": 0.5}}
    figures["popular"]["ranks"] = {"13-30": {"positive_rate": 0.01}, "1-12": {"positive_rate": 0.0432}}
    found = retrievers(dataclasses.replace(evaluated, metrics={**evaluated.metrics, "retrievers": figures}))
    by_segment, by_rank = (
        b for b in found.blocks if getattr(b, "title", "") in ("Recall by segment, in %", "Positive rate by rank")
    )
    assert by_segment.columns == ["active", "new"]
    assert by_segment.rows == [("repurchase", [None, None]), ("popular", [0.25, 0.5]), ("merged", [None, None])]
    assert by_rank.headings == ["retriever", "1-12", "13-30"]
    assert by_rank.rows == [["popular", "4.32 %", "1.00 %"]]


def test_what_all_find_together_is_shown_for_every_segment(evaluated):
    depths = {12: (0.1, 0.02), 100: (0.25, 0.05), 200: (0.3, 0.06), 500: (0.5, 0.07)}
    found = {"recall": 0.6, "positive_rate": 0.0123, "candidates_a_customer": 40.5}
    by_segment = {
        name: found | {f"recall_at_{k}": recalls[place] for k, recalls in depths.items()}
        for place, name in enumerate(("active", "new"))
    }
    figures = evaluated.metrics["retrievers"]
    figures = figures | {"merged": figures["merged"] | {"segments": by_segment}}
    section = retrievers(dataclasses.replace(evaluated, metrics={**evaluated.metrics, "retrievers": figures}))
    table, curves = (b for b in section.blocks if getattr(b, "title", "").lower().endswith("together, by segment"))
    assert table.headings == [
        "segment", "customers", "per customer", "recall@12", "recall@100", "recall@200", "recall@500", "recall",
        "positive rate",
    ]  # fmt: skip
    assert table.rows == [
        ["active", "2", "40.5", "10.0 %", "25.0 %", "30.0 %", "50.0 %", "60.0 %", "1.23 %"],
        ["new", "1", "40.5", "2.0 %", "5.0 %", "6.0 %", "7.0 %", "60.0 %", "1.23 %"],
    ]
    assert curves.places == ["12", "100", "200", "500"]
    assert curves.series == {"active": [0.1, 0.25, 0.3, 0.5], "new": [0.02, 0.05, 0.06, 0.07]}


def test_the_overlap_translates_to_cudf(evaluated, engine, untranslated):
    class Watching:
        def collect(self, plan):
            assert untranslated(plan) == []
            return engine.collect(plan)

    assert overlap(evaluated.examples, ["repurchase", "popular"], Watching())[0]
