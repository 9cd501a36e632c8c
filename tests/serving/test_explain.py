"""Why lists are what they are, told by a finished run as its pipeline tells it."""

import json
import re
from dataclasses import replace

import polars as pl
import pytest

from hmgpu.core.console import Stream
from hmgpu.core.errors import RunError
from hmgpu.pipeline.explain import Reason, explain
from hmgpu.serving.explain import as_csv, explained, reason_table, unexplained
from hmgpu.serving.finished_run import FinishedRun
from hmgpu.serving.lookup import look_up


def test_a_finished_run_explains_the_lists_that_it_holds(real_run):
    run, store = FinishedRun.open(real_run.folder), real_run.pipeline.store
    known = store.customer_ids().sort("customer").slice(3, 40).collect()
    asked = [*known["customer_id"], "f" * 64]
    found, unknown = explained(run, asked, k=5)
    assert unknown == ["f" * 64]
    lists, _ = look_up(run, asked)
    told = [(each.customer_id, each.article_id) for each in found]
    assert told == [(customer, article) for customer, articles in lists.iter_rows() for article in articles[:5]]
    with real_run.pipeline.working() as pipeline:
        keys = pl.DataFrame({"customer_id": asked}).join(known, on="customer_id", how="left", maintain_order="left")
        assert explain(pipeline, keys.select("customer_id", "customer"), k=5) == found
    table = reason_table(found)
    assert table.row_count == len(found)
    with Stream(width=250, record=True, file=None) as console, console.capture() as captured:
        console.print(table)
    assert re.search(r"repurchase \(1\)", captured.get())
    assert unexplained(found, run) is None
    rows = pl.read_csv(as_csv(found, run).encode(), infer_schema=False)
    assert rows["sentence"].to_list() == [each.sentence for each in found]
    assert [json.loads(each) for each in rows["contributions"]] == [each.contributions for each in found]


def test_a_ranker_without_contributions_is_named(real_run):
    run = FinishedRun.open(real_run.folder)
    reason = Reason("a", 1, "b", "Best seller.", {"popular": (1, 2.0)}, {})
    assert re.match(r"The scores of the ranker \w+ of this run are no sums", unexplained([reason], run) or "")
    assert unexplained([replace(reason, retrievers={})], run) is None  # a new customer's best sellers


def test_another_data_set_explains_nothing(real_run, monkeypatch):
    monkeypatch.setattr("hmgpu.data.store.Store.digest_before", lambda *_: "another")
    with pytest.raises(RunError, match=r"is not the one that .* learned from"):
        explained(FinishedRun.open(real_run.folder), ["f" * 64])
