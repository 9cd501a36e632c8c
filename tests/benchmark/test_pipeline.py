"""Submissions of two engines must be the same where no model is fitted, and about as good where one is."""

import pytest

from hmgpu.benchmark import pipeline
from hmgpu.benchmark.agreement import DisagreementError
from hmgpu.benchmark.pipeline import Ran, agree, benchmark_pipeline
from hmgpu.benchmark.steps import Kind
from hmgpu.core.engine import Engine
from hmgpu.pipeline.config import WeekSettings

NAMES = ("hmgpu, CPU", "hmgpu, GPU")


def ran(first: str, precision: float = 0.05) -> Ran:
    rows = "".join(f"{customer},{' '.join([first, *map(str, range(100, 111))])}\n" for customer in "ab")
    return Ran({"fit": Kind(1.0)}, f"customer_id,prediction\n{rows}".encode(), precision)


def test_the_gpu_takes_part_where_there_is_one(make_subject, pretended_gpu, monkeypatch):
    monkeypatch.setattr(pipeline, "alone", lambda work, *given: work(*given))  # another process would not pretend
    monkeypatch.setattr(pipeline, "start_logging", lambda: None)
    subject = make_subject(weeks=WeekSettings(train=1))
    result = benchmark_pipeline(subject, [Engine("cpu", "tests"), pretended_gpu], {}, repeats=2)
    assert {each.what for each in result.measurements} == {
        *(
            "learn retriever-popular",
            "learn fallback",
            "examples",
            "fit",
            "evaluate",
            "report",
            "recommend",
            "submit",
            "whole line",
        )
    }
    assert all(
        {name: len(s) for name, s in each.seconds.items()} == dict.fromkeys(NAMES, 2) for each in result.measurements
    )
    assert result.agreement["submission"] == "hmgpu, CPU and hmgpu, GPU wrote the same submission, byte for byte"


def test_one_engine_alone_is_compared_with_nothing():
    assert agree({"CPU": ran("001")}, True) == "only CPU ran: its submission was compared with nothing"


def test_the_same_bytes_are_said_to_be():
    assert agree({"CPU": ran("001"), "GPU": ran("001")}, True) == "CPU and GPU wrote the same submission, byte for byte"


def test_other_lists_without_a_model_are_refused():
    with pytest.raises(DisagreementError, match=r"no model was fitted: 91.7% of all places"):
        agree({"CPU": ran("001"), "GPU": ran("002")}, True)


def test_other_lists_of_other_models_are_compared_by_how_good_they_are():
    said = agree({"CPU": ran("001", 0.05), "GPU": ran("002", 0.051)}, False)
    assert "91.7% of all places" in said
    assert "MAP@12 0.05000 and 0.05100, within 10%" in said
    with pytest.raises(DisagreementError, match="MAP@12 of CPU and GPU"):
        agree({"CPU": ran("001", 0.05), "GPU": ran("002", 0.07)}, False)
