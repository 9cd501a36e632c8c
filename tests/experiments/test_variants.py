"""A pipeline with one thing changed: what is gone, what stays, and what both share."""

import polars as pl
import pytest
from kit import files_in

from hmgpu.core.engine import Engine
from hmgpu.experiments.variants import varied, without
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.examples import LABEL
from hmgpu.parts.negatives.recalled import Recalled
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.open import open_pipeline

CPU = Engine("cpu", "tests")


@pytest.fixture
def config(begun: Config) -> Config:
    return begun


def test_without_a_retriever_its_own_candidates_and_all_its_columns_are_gone(config: Config) -> None:
    pipeline = open_pipeline(config, CPU)
    less = without(pipeline, "retrievers", "repurchase")
    for week, training in ((pipeline.weeks.training[0], True), (pipeline.weeks.validation, False)):
        everything = pl.concat(pipeline.examples(week, training)[0].tables())
        rest = pl.concat(less.examples(week, training)[0].tables())
        lost = {"repurchase_score", "repurchase_rank", "repurchase_score_share"}
        assert set(everything.columns) - set(rest.columns) == lost
        assert set(rest.columns) <= set(everything.columns)
    # Validation examples are all candidates: those that another retriever proposed stay, the others do not.
    others = everything.filter(pl.any_horizontal(pl.col("popular_rank", "popular_age_rank").is_not_null()))
    assert 0 < others.height < everything.height
    assert rest.select(*KEYS, LABEL).equals(others.select(*KEYS, LABEL))
    # What describes all retrievers together is computed again.
    agreed = others["retrievers"] - others["repurchase_rank"].is_not_null().cast(pl.Int32)
    assert rest["retrievers"].to_list() == agreed.to_list()


def test_without_a_family_its_columns_are_gone_and_the_candidates_stay(config: Config) -> None:
    pipeline = open_pipeline(config, CPU)
    less = without(pipeline, "features", "popular")
    everything, rest = (pl.concat(of.validation[0].tables()) for of in (pipeline, less))
    assert set(rest.columns) < set(everything.columns)
    assert {"popular_score", "popular_rank", "popular_score_share"} <= set(rest.columns)
    assert rest.equals(everything.select(rest.columns))


def test_what_was_learned_is_shared(config: Config) -> None:
    pipeline = open_pipeline(config, CPU)
    pipeline.evaluate()
    learned = {name: file for name, file in files_in(pipeline.run.folder).items() if "/learn/" in name}
    less = without(without(pipeline, "retrievers", "repurchase"), "features", "retriever_scores")
    less.evaluate()
    assert less.run.folder.is_relative_to(pipeline.run.folder)
    assert not list(less.run.folder.glob("steps/*/learn"))
    assert learned == {
        name: made
        for name, made in files_in(pipeline.run.folder).items()
        if "/learn/" in name and "without" not in name
    }


def test_what_is_learned_alike_is_taken_from_the_line(config: Config) -> None:
    pipeline = open_pipeline(config, CPU)
    pipeline.evaluate()
    learned = files_in(pipeline.run.folder)
    fewer = varied(pipeline, "negatives-5", {"negatives": {"recalled": Recalled(n=5)}})
    fewer.evaluate()
    assert not list(fewer.run.folder.glob("steps/*/learn"))
    longer = varied(pipeline, "weeks-2", {"weeks": config.weeks.model_copy(update={"train": 2})})
    longer.evaluate()
    assert {folder.parent.name for folder in longer.run.folder.glob("steps/*/learn")} == {str(longer.weeks.training[0])}
    part = config.retrievers["popular"].model_copy(update={"n": 40})
    more = varied(pipeline, "more", {"retrievers": {**config.retrievers, "popular": part}})
    more.evaluate()
    assert {folder.name for folder in more.run.folder.glob("steps/*/learn/*")} == {"retriever-popular"}
    after = files_in(pipeline.run.folder)
    assert {name: after[name] for name in learned} == learned
