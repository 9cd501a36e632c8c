"""Pipelines without a part: what is gone, what is shared, what stays as it was, and how they are compared."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from kit import few_parts, files_in

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.data.store import History, Store
from hmgpu.experiments import ablation
from hmgpu.experiments.ablation import ablate_folds, ablate_run, sections_in
from hmgpu.experiments.folds import fold_pipelines
from hmgpu.experiments.variants import reseeded
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.feature import Feature
from hmgpu.parts.negatives.on_sale import OnSale
from hmgpu.parts.negatives.recalled import Recalled
from hmgpu.parts.part import Learned
from hmgpu.parts.rankers.order import Order
from hmgpu.parts.rankers.xgboost import XGBoost
from hmgpu.parts.retrievers.out_of_stock import OutOfStock
from hmgpu.parts.retrievers.repurchase import Repurchase
from hmgpu.parts.retrievers.still_on_sale import StillOnSale
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.pipeline.quotas import Quotas
from hmgpu.pipeline.retrain_settings import Notify, RetrainSettings
from hmgpu.runs.seal import verify

CPU = Engine("cpu", "tests")
BOTH = ("retrievers", "features")


class Echo(Feature):
    """Useless: says again what the candidates say already."""

    def learn(self, history: History) -> Learned:
        return {}

    def compute(self, learned: Learned, pairs: pl.LazyFrame) -> pl.LazyFrame:
        return pairs.select(*KEYS, echo="popular_score")


@pytest.fixture
def config(begun: Config) -> Config:
    return begun


def ablated(config: Config, *sections: str) -> tuple[Pipeline, dict[tuple[str, str], dict]]:
    pipeline = open_pipeline(config, CPU)
    with pipeline.working():
        found, file = ablate_run(pipeline, sections)
    assert json.loads(file.read_text()) == found
    rows = [*found["parts"], *found["settings"]]
    return pipeline, {(row["section"], row.get("part") or row["value"]): row for row in rows}


def test_an_ablation_says_what_evaluate_says_and_what_less_configs_would(config: Config) -> None:
    """Each row is what a config without the part gives in a run of its own: nothing is approximated."""
    pipeline, rows = ablated(config, *BOTH)
    assert set(rows) == {("retrievers", name) for name in config.retrievers} | {
        ("features", name) for name in config.features
    }
    found = json.loads((pipeline.run.folder / "ablation.json").read_text())
    metrics = json.loads((pipeline.run.folder / "metrics.json").read_text())
    assert found["full"]["map_at_12"] == metrics["map_at_12"]["ranker"]
    assert found["full"]["customers"] == metrics["customers"]
    assert found["full"]["recall"] == pytest.approx(metrics["retrievers"]["merged"]["recall"])
    for section, name in (("retrievers", "popular"), ("features", "popular")):
        left = {key: part for key, part in getattr(config, section).items() if key != name}
        alone = open_pipeline(config.model_copy(update={section: left}), CPU)
        metrics = json.loads(alone.evaluate().read_text())
        assert rows[section, name]["map_at_12"] == metrics["map_at_12"]["ranker"]
        assert rows[section, name]["adds"] == found["full"]["map_at_12"] - metrics["map_at_12"]["ranker"]
    order = [row["adds"] for row in found["parts"]]
    assert order == sorted(order, reverse=True)
    assert rows["retrievers", "repurchase"]["adds_recall"] > 0


def test_the_full_line_is_scored_again_with_another_seed_on_what_it_has_learned(config: Config) -> None:
    config = config.model_copy(update={"negatives": {"recalled": Recalled(n=5)}})
    pipeline, _ = ablated(config, "features")
    found = json.loads((pipeline.run.folder / "ablation.json").read_text())["reseeded"]
    # No part here learns by chance, so a run of its own with the next seed gives the same.
    alone = open_pipeline(config.model_copy(update={"seed": config.seed + 1}), CPU)
    assert found["map_at_12"] == json.loads(alone.evaluate().read_text())["map_at_12"]["ranker"]
    again, week = reseeded(pipeline), pipeline.weeks.training[0]
    first, second = (pl.concat(of.examples(week, training=True)[0].tables()) for of in (pipeline, again))
    assert first.height == second.height
    assert not first.select(KEYS).equals(second.select(KEYS))
    assert not list(again.run.folder.glob("steps/*/learn"))


def test_precisions_are_what_the_figures_are_means_of(config: Config) -> None:
    file = open_pipeline(config, CPU).evaluate()
    metrics = json.loads(file.read_text())
    precisions = pl.read_parquet(file.resolve().parent / "precisions.parquet", glob=False)
    assert precisions["customer"].is_sorted()
    assert precisions["customer"].n_unique() == precisions.height == metrics["customers"]
    assert {name: precisions[name].mean() for name in precisions.columns[2:]} == metrics["map_at_12"]


def test_parts_that_say_nothing_new_add_nothing(config: Config) -> None:
    again = {"popular_again": config.retrievers["popular"]}
    doubled = {"retrievers": {**config.retrievers, **again}, "features": {**config.features, "echo": Echo()}}
    _, rows = ablated(config.model_copy(update=doubled), *BOTH)
    echo, again = rows["features", "echo"], rows["retrievers", "popular_again"]
    assert (echo["adds"], echo["low"], echo["high"]) == (0, 0, 0)
    # The number of retrievers that agree differs, so the fit may; the candidates don't.
    assert again["low"] <= 0 <= again["high"]
    assert (again["adds_recall"], again["adds_recall_at_100"]) == (0, 0)
    # Echo reads the columns of this one, so the pipeline can't do without it.
    assert 'unable to find column "popular_score"' in rows["retrievers", "popular"]["impossible"]


def test_all_else_in_the_run_stays_as_it_was(config: Config) -> None:
    pipeline = open_pipeline(config, CPU)
    with pipeline.working():
        pipeline.evaluate()
        pipeline.submit()
    before = files_in(pipeline.run.folder)
    assert {"model", "metrics.json", "report.html", "submission.csv"} <= set(before)
    ablated(config, *BOTH)
    after, week = files_in(pipeline.run.folder), pipeline.weeks.validation
    # Written at every start, with the same content; and the page, which tells of the ablation now.
    described = {
        "config.yaml",
        "manifest.json",
        "report.html",
        *(f"steps/{week}/report/{n}" for n in ("report.html", "manifest.json")),
    }
    assert {n: after[n] for n in before.keys() - described} == {n: before[n] for n in before.keys() - described}
    assert {name for name in after.keys() - before.keys() if not name.startswith(f"steps/{week}/ablate/")} == {
        "ablation.json"
    }
    assert {path.name for path in pipeline.run.folder.iterdir() if path.is_dir() and not path.is_symlink()} == {"steps"}


def test_the_page_of_the_run_tells_of_it_from_then_on(config: Config) -> None:
    pipeline = open_pipeline(config, CPU)
    pipeline.finish()
    page = pipeline.run.folder / "report.html"
    assert "retrievers.popular_age</th>" not in page.read_text().partition('id="ablation"')[2]
    ablated(config, "retrievers")
    shown = page.read_text()
    assert "retrievers.popular_age</th>" in shown.partition('id="ablation"')[2]
    verify(pipeline.run.folder)  # it was finished and is sealed again
    open_pipeline(config, CPU).evaluate()
    assert page.read_text() == shown


def test_nothing_is_made_twice_however_often_it_is_interrupted(
    raw: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = few_parts(raw, store.root, tmp_path / "runs")
    fits, copy = [], shutil.copyfile
    fit = XGBoost.fit
    monkeypatch.setattr(XGBoost, "fit", lambda *given: (fits.append(1), fit(*given))[1])

    def interrupted(source: Path, target: Path) -> None:
        monkeypatch.setattr(shutil, "copyfile", copy)
        raise KeyboardInterrupt

    for _ in range(3):
        monkeypatch.setattr(shutil, "copyfile", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ablated(config, "retrievers")
    pipeline, rows = ablated(config, "retrievers")
    assert len(fits) == 2 + len(config.retrievers)  # with all parts, once more with another seed, and without each
    written = files_in(pipeline.run.folder / "steps")
    _, again = ablated(config, "retrievers")
    assert again == rows
    assert files_in(pipeline.run.folder / "steps") == written
    assert len(fits) == 2 + len(config.retrievers)
    retrain = RetrainSettings(notify=Notify(webhook_variable="OURS"))
    _, elsewhere = ablated(
        config.model_copy(update={"memory_gb": config.memory_gb + 1, "retrain": retrain}), "retrievers"
    )
    assert elsewhere == rows
    assert len(fits) == 2 + len(config.retrievers)  # settings that decide no result decide no variant


def test_other_sections_stand_next_to_the_ones_that_were_measured_before(config: Config) -> None:
    few = config.model_copy(update={"features": {"only": config.features["popular"]}})
    _, measured = ablated(few, "features")
    _, both = ablated(few, "candidates")
    assert both["features", "only"] == measured["features", "only"]
    assert {section for section, _ in both} == {"features", "candidates"}


def test_what_can_t_be_left_out_says_why(config: Config) -> None:
    popular = {"popular": config.retrievers["popular"]}
    pipeline, rows = ablated(config.model_copy(update={"retrievers": popular}), "retrievers")
    assert rows["retrievers", "popular"]["impossible"] == (
        "retrievers.popular is the only retriever; without it there are no candidates."
    )
    chained = config.model_copy(update={"ranker": Order(retrievers=("popular", "repurchase"))})
    pipeline, rows = ablated(chained, "retrievers")
    assert "ranker.retrievers: 'popular' proposes nothing here" in rows["retrievers", "popular"]["impossible"]
    assert "impossible" not in rows["retrievers", "popular_age"]
    assert not list(pipeline.run.folder.glob("without-*"))


def test_folds_pool_the_buyers_of_their_weeks(config: Config, store: Store) -> None:
    config = config.model_copy(update={"runs": config.runs / "folds"})
    found, file = ablate_folds(fold_pipelines(config, CPU, 2), config.runs, ("features",))
    last = store.last_complete_week
    assert found["weeks"] == [str(last.back(1)), str(last)]
    assert file.parent == config.runs
    assert file.name.startswith(f"ablation-features-2-weeks-to-{last}-")
    assert json.loads(file.read_text()) == found
    assert "features.popular</th>" in file.with_suffix(".html").read_text()
    scored = [json.loads(file.read_text()) for file in config.runs.glob("*/steps/*/evaluate/metrics.json")]
    assert sorted(week["week"] for week in scored) == found["weeks"]
    buyers = sum(week["customers"] for week in scored)
    assert found["full"]["customers"] == buyers
    pooled = sum(week["customers"] * week["map_at_12"]["ranker"] for week in scored) / buyers
    assert found["full"]["map_at_12"] == pytest.approx(pooled)
    assert {row["part"] for row in found["parts"]} == set(config.features)


def test_other_settings_are_what_configs_of_their_own_would_give(config: Config) -> None:
    """Nothing is approximated: neither where the oldest training week moves, nor where retrievers propose more."""
    config = config.model_copy(
        update={"negatives": {"recalled": Recalled(n=15)}, "weeks": config.weeks.model_copy(update={"train": 2})}
    )
    pipeline, rows = ablated(config, "negatives", "weeks", "candidates")
    others = ("bought_by_others", "on_sale", "same_category", "worst_sellers")
    ways = ("5", "30", "60", *(f"and-{kind}" for kind in others))
    expected = [("negatives", ways), ("weeks", ("1", "4", "8")), ("candidates", ("x0.5", "x2"))]
    assert list(rows) == [(section, name) for section, names in expected for name in names]
    twice = {name: part.model_copy(update={"n": 2 * part.n}) for name, part in config.retrievers.items()}
    settings = {
        ("negatives", "5"): {"negatives": {"recalled": Recalled(n=5)}},
        ("negatives", "and-on_sale"): {"negatives": {"recalled": Recalled(n=15), "on_sale": OnSale()}},
        ("weeks", "1"): {"weeks": config.weeks.model_copy(update={"train": 1})},
        ("weeks", "4"): {"weeks": config.weeks.model_copy(update={"train": 4})},
        ("candidates", "x2"): {"retrievers": twice},
    }
    full = json.loads((pipeline.run.folder / "metrics.json").read_text())
    for name, update in settings.items():
        metrics = json.loads(open_pipeline(config.model_copy(update=update), CPU).evaluate().read_text())
        assert rows[name]["map_at_12"] == metrics["map_at_12"]["ranker"], name
        assert rows[name]["adds"] == full["map_at_12"]["ranker"] - metrics["map_at_12"]["ranker"]
    # `metrics` is of the last: more candidates, of which more are bought.
    more, merged = rows["candidates", "x2"], (full["retrievers"]["merged"], metrics["retrievers"]["merged"])
    assert more["candidates_a_customer"] == merged[1]["candidates_a_customer"] > merged[0]["candidates_a_customer"]
    assert more["adds_recall"] == pytest.approx(merged[0]["recall"] - merged[1]["recall"])
    assert more["adds_recall"] < 0 < rows["candidates", "x0.5"]["adds_recall"]
    assert {path.name for path in pipeline.run.folder.iterdir() if path.is_dir() and not path.is_symlink()} == {"steps"}


def test_other_candidates_are_more_of_what_is_filtered_and_kept_too(config: Config) -> None:
    """Otherwise quotas would keep as many as before, and a filter would have no more to choose from."""
    asked = config.model_copy(
        update={
            "retrievers": {"still": StillOnSale(n=20, of=OutOfStock(n=30, of=Repurchase(n=40)))},
            "quotas": Quotas(keep=25),
        }
    )
    update = ablation._with_candidates(asked, 2)
    assert update["quotas"] == Quotas(keep=50)
    assert update["retrievers"] == {"still": StillOnSale(n=40, of=OutOfStock(n=60, of=Repurchase(n=80)))}
    assert ablation._with_candidates(config, 2).keys() == {"retrievers"}


def test_a_setting_that_the_data_can_t_have_says_why(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ablation, "WEEKS", (1, 1_000))
    pipeline, rows = ablated(config, "weeks")
    assert list(rows) == [("weeks", "1000")]
    assert "weeks.train is 1000, but at most 103 weeks can be taken" in rows["weeks", "1000"]["impossible"]
    assert not list(pipeline.run.folder.glob("weeks-*"))


def test_sections_are_named_with_a_comma_between() -> None:
    assert sections_in("features, retrievers") == sections_in("retrievers,features") == BOTH
    assert sections_in("features") == ("features",)
    assert sections_in("candidates,weeks,negatives,features,retrievers") == ablation.SECTIONS
    for named in ("shoes", "", "retrievers,", "retrievers features"):
        with pytest.raises(
            ConfigError, match=r"can't be ablated; write retrievers, .* or candidates, or several, comma-sep"
        ):
            sections_in(named)
