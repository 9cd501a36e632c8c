"""A Feast repository says what our own columns say, offline and online, and a week more changes nothing in it."""

import datetime
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from kit import ODD
from polars.testing import assert_frame_equal
from season import Season, copied, make_season
from small_run import CPU
from small_world import tree

from hmgpu.core.errors import RunError
from hmgpu.core.extras import missing
from hmgpu.core.parquet import read_table
from hmgpu.data.ingest import append
from hmgpu.data.weeks import Week, date_of
from hmgpu.pipeline.asked import features_of
from hmgpu.pipeline.ids import Ids
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.serving.feature_store.folder import export_features

SETTINGS = ["weeks.train=1", "features.customer_profile={}", "features.catalogue={}"]
IDS = ["customer_id", "article_id"]


@dataclass(frozen=True)
class Repository:
    season: Season
    pipeline: Pipeline
    folder: Path


def opened(season: Season, *settings: str) -> Pipeline:
    return open_pipeline(season.config(*SETTINGS, *settings), CPU)


def exported(pipeline: Pipeline, folder: Path) -> list[str]:
    with pipeline.working():
        return export_features(pipeline, folder)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The repository of a season whose last week is yet to come."""
    folder = tmp_path_factory.mktemp("feast")
    season = make_season(folder / "season", weeks=1, scale=0.0005)
    pipeline = opened(season)
    out = folder / "ü 1" / "features"
    assert exported(pipeline, out) == ["2020-09-02", "2020-09-09", "2020-09-16"]
    assert "feast" not in sys.modules  # nothing of it is needed to write what it reads
    return Repository(season, pipeline, out)


@pytest.fixture(scope="module")
def feast(there: Repository) -> Any:
    """The feature store, applied as `feast apply` does and materialized up to the week after the data."""
    if missing(["feast"]):
        pytest.skip("Feast is not installed here")
    with pytest.MonkeyPatch.context() as patch:
        # For its checks of types, every class of Feast is compiled again: half of the seconds that the import takes.
        patch.setattr("typeguard.typechecked", lambda target=None, **_: target or (lambda each: each))
        patch.chdir(there.folder)
        patch.syspath_prepend(there.folder)
        from feast import FeatureStore
        from feast.repo_operations import apply_total

        store = FeatureStore(repo_path=str(there.folder))
        apply_total(store.config, there.folder, skip_source_validation=False)
        store = FeatureStore(repo_path=str(there.folder))
        first, last = (datetime.datetime(2020, 9, day, tzinfo=datetime.UTC) for day in (2, 16))
        store.materialize(first, last)
    return store


def pairs_of(pipeline: Pipeline, week: Week, n: int) -> pl.DataFrame:
    """Draw `n` (customer, article) of all that are known before `week`, bought or not, sorted."""
    history = pipeline.store.as_of(week.first_day)
    customers, articles = history.customers.select("customer").collect(), history.articles.select("article").collect()
    drawn = customers.sort("customer").join(articles.sort("article"), how="cross").sample(n, seed=1)
    return drawn.sort("customer", "article")


def own_columns(pipeline: Pipeline, week: Week, n: int) -> pl.DataFrame:
    """(customer_id, article_id, every column that a ranker sees) of `n` pairs."""
    with pipeline.working():
        described = features_of(pipeline.context, week, pairs_of(pipeline, week, n))
    return Ids(pipeline.store, CPU).named(described)


def offline(feast: Any, pairs: pl.DataFrame) -> pl.DataFrame:
    """What Feast joins to `pairs` (customer_id, article_id, event_timestamp)."""
    service = feast.get_feature_service("hmgpu")
    return pl.from_pandas(feast.get_historical_features(pairs.to_pandas(), features=service).to_df())


def assert_same(found: pl.DataFrame, own: pl.DataFrame) -> None:
    """Fail unless `found` has every value of its columns that `own` has; Feast's integers with nulls are floats."""
    columns = [name for name in found.columns if name not in (*IDS, "event_timestamp")]
    assert len(columns) > 40
    asked = own.select(*IDS, *(pl.col(name).cast(pl.Float64) for name in columns)).sort(IDS)
    assert any(asked[name].null_count() for name in columns)
    told = found.select(*IDS, *(pl.col(name).cast(pl.Float64).fill_nan(None) for name in columns)).sort(IDS)
    assert_frame_equal(told, asked, check_exact=True)


def moment(week: Week, days: int = 0) -> pl.Expr:
    day = datetime.datetime.combine(date_of(week.first_day + days), datetime.time(), datetime.UTC)
    return pl.lit(day, pl.Datetime("us", "UTC")).alias("event_timestamp")


def test_the_point_in_time_join_of_a_thousand_pairs_gives_our_own_columns(there, feast):
    """In two weeks at once, on the first and on the last day of the week."""
    pipeline = there.pipeline
    weeks = {0: pipeline.weeks.training[0], 6: pipeline.weeks.validation}
    own = {days: own_columns(pipeline, week, 500) for days, week in weeks.items()}
    asked = pl.concat(own[days].select(*IDS, moment(week, days)) for days, week in weeks.items())
    found = offline(feast, asked)
    assert found.height == 1000
    for days, week in weeks.items():
        assert_same(found.filter(pl.col("event_timestamp").dt.date() == date_of(week.first_day + days)), own[days])


def test_nothing_is_said_of_days_that_no_week_holds_for(there, feast):
    week = there.pipeline.store.next_week
    own = own_columns(there.pipeline, week, 10)
    found = offline(feast, pl.concat(own.select(*IDS, moment(week, days)) for days in (-15, 8)))
    assert found.height == 20
    assert found.drop(*IDS, "event_timestamp").to_pandas().isna().all(axis=None)


def test_the_online_store_gives_the_columns_of_the_week_after_the_data_for_a_thousand_pairs(there, feast):
    own = own_columns(there.pipeline, there.pipeline.store.next_week, 1000)
    service, rows = feast.get_feature_service("hmgpu"), own.select(IDS).to_dicts()
    assert_same(pl.from_pandas(feast.get_online_features(features=service, entity_rows=rows).to_df()), own)


def test_a_week_more_changes_nothing_that_is_there(there, feast, tmp_path):
    before, week = tree(there.folder), there.pipeline.weeks.validation
    pairs = own_columns(there.pipeline, week, 100).select(*IDS, moment(week))
    said = offline(feast, pairs).sort(IDS)
    season = copied(there.season, tmp_path / "season")
    append(season.config().data, season.weeks[0])
    later = opened(season)
    assert exported(later, there.folder) == ["2020-09-02", "2020-09-09", "2020-09-16", "2020-09-23"]
    after = tree(there.folder)
    new = {name for name in after if name not in before}
    assert {name.rpartition("/")[2] for name in new} == {"2020-09-23-000.parquet"}
    assert {name for name in before if after[name] != before[name]} == {"manifest.json"}
    assert_frame_equal(offline(feast, pairs).sort(IDS), said)
    # What the data with a week more says of the weeks before it is what was said then.
    exported(later, tmp_path / "fresh")
    fresh = {name: digest for name, digest in tree(tmp_path / "fresh").items() if name.endswith(".parquet")}
    assert fresh == {name: after[name] for name in fresh}
    assert any("2020-09-09" in name for name in fresh)


# --- the folder ------------------------------------------------------------------------------------------------------


def test_everybody_known_has_a_row_at_the_cutoff(there):
    week, store = there.pipeline.weeks.validation, there.pipeline.store
    history = store.as_of(week.first_day)
    for view, key in (("customer_habits", "customer"), ("article_sales", "article")):
        table = read_table(there.folder / "data" / view / f"{week}-000.parquet")
        known = Ids(store, CPU).named(getattr(history, f"{key}s").select(key).collect())
        assert sorted(table[f"{key}_id"]) == sorted(known[f"{key}_id"])
        assert set(table["event_timestamp"].dt.date()) == {date_of(week.first_day)}


def test_settings_stay_and_an_export_that_was_killed_goes_on(there, tmp_path):
    folder = tmp_path / "features"
    exported(there.pipeline, folder)
    whole = tree(folder)
    (folder / "feature_store.yaml").write_text("project: ours\n")
    manifest = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(manifest.replace('"2020-09-16"', '"2020-09-17"'))  # as if it weren't there
    shutil.copy(*(folder / "data" / "catalogue" / f"2020-09-16-00{n}.parquet" for n in (0, 7)))
    (folder / "data" / "catalogue" / "2020-09-16-000.parquet").write_bytes(b"half")
    exported(there.pipeline, folder)
    differing = {name for name, digest in tree(folder).items() if whole.get(name) != digest}
    assert differing == {"feature_store.yaml", "manifest.json"}
    assert (folder / "feature_store.yaml").read_text() == "project: ours\n"


def test_other_features_and_other_folders_are_left_alone(there, tmp_path):
    folder = tmp_path / "features"
    exported(there.pipeline, folder)
    before = tree(tmp_path)
    other = opened(there.season, "features.article_sales.windows=[1]")
    with pytest.raises(RunError, match="other features than this config computes, such as article_sales: name a new"):
        exported(other, folder)
    with pytest.raises(RunError, match="exists and is not an earlier feature store, so it is left alone"):
        exported(there.pipeline, tmp_path)
    with pytest.raises(RunError, match=r"has \[, \* or \? in its path, which DuckDB takes for a pattern"):
        exported(there.pipeline, tmp_path / ODD)
    assert tree(tmp_path) == before


def test_a_config_without_such_features_is_refused(there, tmp_path):
    of_pairs = "features={bought_type: {kind: affinity, by: product_type}}"
    with pytest.raises(RunError, match="No feature family of this config describes articles or customers alone"):
        exported(opened(there.season, of_pairs), tmp_path / "features")
    assert not (tmp_path / "features").exists()
