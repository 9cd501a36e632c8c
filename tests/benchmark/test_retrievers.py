"""What retrievers find by themselves: figures by hand, the cutoff, and what can't run."""

import json

import polars as pl
import pytest

from hmgpu.benchmark import retrievers
from hmgpu.benchmark.retrievers import Recall, benchmark_retrievers, counted, proposed
from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.core.metrics import recall_at
from hmgpu.data.store import Store
from hmgpu.parts.retrievers.popular import Popular
from hmgpu.parts.retrievers.popular_by import PopularBy
from hmgpu.parts.retrievers.repurchase import Repurchase

CPU = Engine("cpu", "tests")


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    monkeypatch.setattr(retrievers, "alone", lambda work, *given: work(*given))


def pairs(*rows: tuple[int, ...], names: tuple[str, ...] = ("customer", "article")) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Int32), orient="row")


def test_hits_are_counted_a_buyer_at_each_number_of_places():
    candidates = pairs((1, 10, 12), (1, 20, 13), (1, 30, 101), (3, 10, 1), names=("customer", "article", "rank"))
    found = counted(candidates, pairs((1, 10), (1, 20), (1, 30), (1, 40), (2, 10)))
    assert found.rows() == [(1, 4, 1, 2, 3), (2, 1, 0, 0, 0)]
    assert found.columns == ["customer", "bought", "hits_12", "hits_100", "hits_200"]


def test_figures_are_those_of_the_lists_whatever_n_the_config_has(make_subject):
    subject = make_subject(retrievers={"few": Popular(n=3), "own": Repurchase()})
    result = benchmark_retrievers(subject, CPU, weeks=2, seeds=2)
    weeks = [subject.store.last_complete_week.back(back) for back in (1, 0)]
    labels = [CPU.collect(subject.store.sold_in(week)) for week in weeks]
    many = Popular(n=200)
    lists = [
        CPU.collect(
            many.retrieve(many.learn(subject.store.as_of(week.first_day)), sold.lazy().select("customer").unique())
        )
        for week, sold in zip(weeks, labels, strict=True)
    ]
    few, own = result.retrievers
    hits = [recall_at(each, sold, 100) * sold.height for each, sold in zip(lists, labels, strict=True)]
    assert few["recall_at_100"]["value"] == pytest.approx(sum(hits) / sum(sold.height for sold in labels))
    assert few["by_seed"] == [few["recall_at_100"]["value"]] * 2  # nothing random in it
    found = [recall_at(each, sold, 200) * sold.height for each, sold in zip(lists, labels, strict=True)]
    assert few["positive_rate"] == pytest.approx(sum(found) / sum(each.height for each in lists))
    assert few["training_seconds"] == 0
    assert few["memory_mib"] > 0
    assert own["recall_at_12"]["value"] <= own["recall_at_100"]["value"] <= own["recall_at_200"]["value"]
    assert result.data["weeks"] == [str(week) for week in weeks]
    assert result.settings["seeds"] == [subject.seed, subject.seed + 1]


def test_a_retriever_learns_from_nothing_at_or_after_the_week(make_subject, monkeypatch):
    subject, seen = make_subject(), list[int]()
    learn = Popular.learn

    def watched(part, history):
        seen.append(int(CPU.collect(history.transactions.select(pl.col("day").max())).item()))
        return learn(part, history)

    monkeypatch.setattr(Popular, "learn", watched)
    week = subject.store.last_complete_week
    proposed(Popular(), subject.store, week, CPU, 1, 28)
    assert seen == [week.first_day - 1]
    late = Store(subject.store.root, gap=2)
    proposed(Popular(), late, week, CPU, 1, 28)
    assert seen[-1] == week.first_day - 3


def test_what_can_not_run_is_said_and_refused_where_nothing_is_left(make_subject, monkeypatch, tmp_path):
    monkeypatch.setattr(type(make_subject().store), "present", frozenset())
    without = make_subject(retrievers={"popular": Popular(), "department": PopularBy(by="department")})
    result = benchmark_retrievers(without, CPU, weeks=1, seeds=1)
    assert [each["name"] for each in result.retrievers] == ["popular"]
    assert result.absent == {"department": "the data has no department"}
    result.write(tmp_path / "recall.json", "hmgpu benchmark retrievers")
    saved = json.loads((tmp_path / "recall.json").read_text())
    assert saved["retrievers"][0]["settings"]["kind"] == "popular"
    assert [*Recall.table(result).columns[0].cells] == ["popular", "department"]
    with pytest.raises(ConfigError, match="No retriever of the config can run: department: the data has no department"):
        benchmark_retrievers(make_subject(retrievers={"department": PopularBy(by="department")}), CPU, 1, 1)


def test_a_model_is_trained_at_the_weeks_cutoff(make_subject, tmp_path):
    pytest.importorskip("merlin")
    from hmgpu.parts.retrievers.mult_vae import MultVAE

    week = make_subject().store.last_complete_week
    found = proposed(MultVAE(epochs=1, n=20), make_subject().store, week, CPU, 1, 28)
    assert found.training > 0
    assert found.candidates > 0
