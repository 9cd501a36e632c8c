"""DuckDB computes the families' columns as the plans do, from the same files."""

import duckdb
import polars as pl
import pytest

from hmgpu.benchmark.feature_agreement import FeatureAgreement
from hmgpu.benchmark.feature_timing import DuckDBFeatures, FeatureInputs, Plans
from hmgpu.benchmark.rivals.duckdb_features import connect, query
from hmgpu.benchmark.rivals.duckdb_tables import parquet
from hmgpu.benchmark.rivals.pandas_features import WRITTEN
from hmgpu.core.engine import Engine
from hmgpu.core.parquet import read_table
from hmgpu.core.threads import threads
from hmgpu.parts.features.affinity import Affinity
from hmgpu.parts.features.article_price import ArticlePrice
from hmgpu.parts.features.article_sales import ArticleSales
from hmgpu.parts.features.buyer_age import BuyerAge
from hmgpu.parts.features.catalogue import Catalogue
from hmgpu.parts.features.customer_habits import CustomerHabits
from hmgpu.parts.features.customer_profile import CustomerProfile
from hmgpu.parts.features.gender import Gender
from hmgpu.parts.features.price_fit import PriceFit
from hmgpu.parts.features.retriever_scores import RetrieverScores

FAMILIES = {
    "sales": ArticleSales(windows=(1, 7, 20)),
    "price": ArticlePrice(recent=7, days=30),
    "fit": PriceFit(days=40),
    "habits": CustomerHabits(windows=(3, 28)),
    "age": BuyerAge(days=30),
    "article": Affinity(windows=(2, 9)),
    "department": Affinity(by="department"),
    "catalogue": Catalogue(),
    "profile": CustomerProfile(),
    "retrievers": RetrieverScores(),
}


@pytest.fixture(scope="module")
def inputs(store, tmp_path_factory):
    """Candidates of customers of all kinds: some never bought, some ages and scores are missing, best scores are 0."""
    customers = read_table(store.root / store.manifest.table("customers")).select("customer").head(60)
    articles = read_table(store.root / store.manifest.table("articles")).select("article").gather_every(9)
    number = pl.int_range(pl.len())
    pairs = (
        customers.join(articles, how="cross")
        .sort("customer", "article")
        .with_columns(it_score=pl.when(number % 5 > 0).then(number % 7 * (pl.col("customer") % 3)).cast(pl.Float32))
    )
    file = tmp_path_factory.mktemp("pairs") / "it's.parquet"
    pairs.write_parquet(file)
    return FeatureInputs(store.root, store.last_complete_week.first_day, FAMILIES, file)


def test_all_families_in_one_query_and_one_alone(inputs):
    ours, theirs = Plans(inputs, Engine("cpu", "tests")), DuckDBFeatures(inputs)
    FeatureAgreement().check("all", {"plans": ours.all(), "DuckDB": theirs.all()})
    FeatureAgreement().check("one", {"plans": ours.one("fit"), "DuckDB": theirs.one("fit")})


def test_every_family_that_is_written_with_pandas_is_among_them():
    assert {type(part) for part in FAMILIES.values()} == {*WRITTEN}


def test_it_has_as_many_threads_as_the_others_keeps_no_files_and_draws_nothing(inputs):
    names = ("threads", "enable_external_file_cache", "enable_progress_bar")
    settings = ", ".join(f"current_setting('{name}')" for name in names)
    assert connect(inputs.pairs).execute(f"select {settings}").fetchone() == (threads(), False, False)


def test_any_name_of_a_file_is_read(tmp_path):
    file = tmp_path / "a[1] *ü'?.parquet"
    pl.DataFrame({"x": [1]}).write_parquet(file)
    (tmp_path / "a1 bü'c.parquet").write_text("what the pattern would match too")
    assert duckdb.sql(f"from {parquet([file])}").fetchall() == [(1,)]


def test_a_family_without_sql_is_named():
    with pytest.raises(TypeError, match="no SQL is written for the feature family gender"):
        query([Gender()], None)
