"""The public names: lazy, and the same results as the pipeline behind them."""

import datetime
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import hmgpu
from hmgpu.core.errors import ConfigError, DataError, RunError
from hmgpu.data.store import Store
from hmgpu.pipeline.session import Session

QUICK = {"ranker.rounds": 15, "weeks.train": 2}


@pytest.fixture(scope="module")
def places(raw: Path, store: Store, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    runs = tmp_path_factory.mktemp("api") / "runs"
    return {"data.raw": raw, "data.root": store.root, "runs": runs, "engine": "cpu", **QUICK}


@pytest.fixture(scope="module")
def session(places: dict[str, object]) -> Session:
    return hmgpu.open("small", places)


@pytest.fixture(scope="module")
def buyers(session: Session) -> list[str]:
    return session.evaluate().lists["customer_id"].unique(maintain_order=True).to_list()


# --- names -----------------------------------------------------------------------------------------------------------


def test_an_import_loads_nothing() -> None:
    heavy = "{'polars', 'numpy', 'torch', 'pandas', 'pydantic', 'xgboost', 'rich'}"
    code = f"import sys, hmgpu; dir(hmgpu); print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_name_is_there_and_documented() -> None:
    assert set(dir(hmgpu)) == set(hmgpu.__all__)
    for name in set(hmgpu.__all__) - {"__version__", "Learned"}:
        assert getattr(hmgpu, name).__doc__, name
    assert {"open", "Recommender", "Store", "compare", "backtest", "load_config"} <= set(dir(hmgpu))
    assert (Path(hmgpu.__file__).parent / "py.typed").exists()


def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'recommander'; its names are Config, .*Recommender"):
        hmgpu.recommander  # noqa: B018


def test_type_checkers_see_what_is_loaded() -> None:
    """The names under TYPE_CHECKING and those that `__getattr__` loads are the same."""
    text = Path(hmgpu.__file__).read_text()
    for name, place in hmgpu._PLACES.items():
        module, _, attribute = place.partition(":")
        imported = attribute if attribute == name else f"{attribute} as {name}"
        line = next(line for line in text.splitlines() if line.strip().startswith(f"from {module} import"))
        assert imported in line.partition(" import ")[2].split(", "), name
    assert set(hmgpu._PLACES) == set(hmgpu.__all__) - {"__version__"}


# --- a session -------------------------------------------------------------------------------------------------------


def test_explanations_are_of_the_lists_and_add_up(session: Session, buyers: list[str]) -> None:
    asked = [buyers[0], "nobody", *buyers[1:30]]
    found = session.explain(asked, k=6)
    with pytest.warns(UserWarning, match="nobody"):
        lists = session.recommend(asked, k=6)
    assert found.select("customer_id", "rank", "article_id").equals(lists)
    unknown = found.filter(customer_id="nobody")
    assert unknown["sentence"].unique().to_list() == ["Best seller of the last weeks."]
    assert unknown["contributions"].list.len().to_list() == [0] * 6
    pairs = found.filter(pl.col("contributions").list.len() > 0)
    assert pairs.height > 100
    with session.pipeline.working() as pipeline:
        model = pipeline.config.ranker.load(pipeline.train().folder, pipeline.engine)
    scores = model.score(session.features(pairs.select("customer_id", "article_id"), session.next_week))
    added = pairs.with_row_index("row").explode("contributions").unnest("contributions")
    last = added.filter(pl.col("stage") == pl.col("stage").last().over("row"))
    sums = last.group_by("row", maintain_order=True).agg(pl.col("contribution").sum())["contribution"]
    assert (sums - scores).abs().max() < 1e-4
    parts = {f"{kind}.{name}" for kind in ("retrievers", "features") for name in getattr(session.config, kind)}
    assert set(added["part"]) <= parts | {"retrievers", "start", "average"}


def test_sentences_are_true_of_the_data(session: Session, buyers: list[str], store: Store) -> None:
    found = session.explain(buyers[:40])
    known = store.as_of(store.next_week.first_day)
    ids = known.articles.select("article", "article_id", "name")
    bought = known.transactions.join(ids, on="article").join(store.customer_ids(), on="customer").collect()
    said = found.filter(pl.col("sentence").str.contains("ou bought it on"))
    assert said.height
    for customer, article, sentence in said.select("customer_id", "article_id", "sentence").iter_rows():
        days = bought.filter(customer_id=customer, article_id=article)["day"]
        last = datetime.date(1970, 1, 1) + datetime.timedelta(days=int(days.max()))
        assert f"on {last.day} {last:%B %Y}" in sentence
    together = found.filter(pl.col("sentence").str.contains("ought together with your"))
    assert together.height
    for customer, sentence in together.select("customer_id", "sentence").iter_rows():
        names = bought.filter(customer_id=customer)["name"].unique()
        assert any(f"ought together with your {name}" in sentence for name in names)


def test_evaluate_gives_frames(session: Session, store: Store) -> None:
    found = session.evaluate()
    assert set(found.metrics["map_at_12"]) == {"best_sellers", "own_past", "order", "ranker"}
    assert dict(found.lists.schema) == {"customer_id": pl.String, "rank": pl.Int32, "article_id": pl.String}
    customers = found.metrics["customers"]
    assert found.lists.height == 12 * customers
    assert found.lists["rank"].to_list() == list(range(1, 13)) * customers
    assert found.average_precision.height == customers
    mean = found.average_precision["ranker"].mean()
    assert mean == pytest.approx(found.metrics["map_at_12"]["ranker"])
    assert found.report.is_file()
    assert found.week == session.validation_week
    assert all(text in repr(found) for text in ("MAP@12", "ranker", "popular_age", str(found.week)))
    assert (session.run / "metrics.json").exists()


def test_steps_are_reused(session: Session) -> None:
    session.evaluate()
    made = {file: file.stat().st_mtime_ns for file in (session.run / "steps").rglob("*") if file.is_file()}
    session.evaluate(session.validation_week)
    session.train()
    assert made == {file: file.stat().st_mtime_ns for file in (session.run / "steps").rglob("*") if file.is_file()}


def test_weeks_that_cannot_be_evaluated(session: Session) -> None:
    before = session.validation_week - datetime.timedelta(days=7)
    with pytest.raises(ConfigError, match=f"{before} can't be evaluated.*Take {session.validation_week} or a later"):
        session.evaluate(before)
    with pytest.raises(ConfigError, match="can't be evaluated"):
        session.evaluate(session.next_week)
    with pytest.raises(DataError, match=r"No whole week of the data in .* starts on 2020-09-17"):
        session.evaluate("2020-09-17")
    with pytest.raises(ConfigError, match=r"before 2020-09-02, the oldest that this run learns from"):
        session.candidates("2020-08-05")


def test_lists_of_a_few_are_those_of_all(session: Session, buyers: list[str]) -> None:
    asked = [buyers[4], buyers[0], buyers[2], buyers[0]]
    alone = session.recommend(asked)
    everybody = session.recommend()
    assert alone["customer_id"].unique(maintain_order=True).to_list() == asked[:3]
    assert dict(alone.schema) == {"customer_id": pl.String, "rank": pl.Int32, "article_id": pl.String}
    assert everybody["customer_id"].n_unique() == session.store.customer_ids().collect().height
    same = alone.join(everybody, on=["customer_id", "rank", "article_id"], how="inner")
    assert same.height == alone.height == 36
    assert session.recommend(asked).equals(alone)  # now looked up in what the run has
    assert session.recommend(asked, k=5).equals(alone.filter(pl.col("rank") <= 5))


def test_unknown_customers_get_the_best_sellers(session: Session, buyers: list[str]) -> None:
    with pytest.warns(UserWarning, match="1 customer is not in the data and gets the best sellers: nobody"):
        found = session.recommend(["nobody", buyers[0]], k=3)
    assert found["customer_id"].to_list() == ["nobody"] * 3 + [buyers[0]] * 3
    with pytest.warns(UserWarning, match="2 customers are not in the data"):
        others = session.recommend(["nobody", "somebody"], k=3)
    assert others["article_id"].to_list() == 2 * found["article_id"].to_list()[:3]


@pytest.mark.parametrize("k", [0, 13, -1])
def test_lists_have_twelve_articles_at_most(session: Session, buyers: list[str], k: int) -> None:
    with pytest.raises(ConfigError, match=rf"k is {k}: lists have 12 articles \(lists.k\), so it must be 1 to 12"):
        session.recommend(buyers[:1], k=k)


def test_candidates_are_those_of_the_buyers(session: Session, buyers: list[str]) -> None:
    found = session.candidates()
    assert set(found["customer_id"]) == set(buyers)
    assert found.columns[:4] == ["customer_id", "article_id", "repurchase_score", "repurchase_rank"]
    assert found.columns[-2:] == ["retrievers", "best_rank"]
    assert found.height == pytest.approx(
        session.evaluate().metrics["retrievers"]["merged"]["candidates_a_customer"] * len(buyers)
    )
    some = session.candidates(str(session.validation_week), customers=buyers[:2])
    keys = ["customer_id", "article_id"]
    assert some.equals(found.join(some.select(keys), on=keys, how="semi"))
    assert not session.candidates(session.next_week, customers=buyers[:2]).equals(some)


def test_features_are_what_the_ranker_sees(session: Session) -> None:
    pairs = session.candidates().sample(40, seed=1)
    found = session.features(pairs)
    keys = ["customer_id", "article_id"]
    assert found.select(keys).equals(pairs.select(keys))
    seen = pl.read_parquet(
        next((session.run / "steps" / str(session.validation_week) / "examples").rglob("*.parquet")), glob=False
    )
    assert set(found.columns) == set(seen.columns) - {"customer", "article", "label"} | set(keys)
    assert found.select(pairs.columns).equals(pairs)
    examples = session.pipeline.engine.collect(
        seen.lazy().join(session.store.customer_ids(), on="customer").join(session.store.article_ids(), on="article")
    )
    assert found.equals(
        pairs.select(keys).join(examples, on=keys, how="left", maintain_order="left").select(found.columns)
    )


def test_features_of_pairs_that_nobody_proposed(session: Session, buyers: list[str]) -> None:
    article = session.store.article_ids().collect()["article_id"][0]
    pairs = pl.DataFrame({"customer_id": buyers[:3] * 2, "article_id": [article] * 6, "note": range(6)})
    found = session.features(pairs)
    assert found.select("customer_id", "article_id").equals(pairs.select("customer_id", "article_id"))
    assert found.head(3).equals(found.tail(3))


def test_unknown_ids_are_named(session: Session, buyers: list[str]) -> None:
    with pytest.raises(DataError, match="article_id '999' is not in the data set"):
        session.features(pl.DataFrame({"customer_id": [buyers[0]] * 2, "article_id": ["999", "998"]}))
    with pytest.raises(DataError, match=r"customer_id 'nobody' is not in the data set .*leading zeros"):
        session.candidates(customers=[buyers[0], "nobody"])
    with pytest.raises(DataError, match="The pairs have no column article_id: give a frame of customer_id and"):
        session.features(pl.DataFrame({"customer_id": buyers}))
    with pytest.raises(DataError, match="pairs is a list: give a Polars or a pandas DataFrame"):
        session.features([("a", "b")])


def test_pandas_in_pandas_out(session: Session, buyers: list[str]) -> None:
    pandas = pytest.importorskip("pandas")
    lists = session.recommend(pandas.Series(buyers[:2]), k=2)
    assert isinstance(lists, pandas.DataFrame)
    assert lists["rank"].to_list() == [1, 2, 1, 2]
    pairs = session.candidates(customers=pandas.Index(buyers[:1])).head(3)
    found = session.features(pairs)
    assert isinstance(found, pandas.DataFrame)
    assert found["article_id"].to_list() == pairs["article_id"].to_list()


def test_open_ingests_what_is_not_there_yet(raw: Path, tmp_path: Path) -> None:
    root = tmp_path / "data"
    session = hmgpu.open("small", {"data.raw": raw, "data.root": root, "runs": tmp_path / "runs"}, engine="cpu")
    assert session.store.last_complete_week
    assert session.config.runs == tmp_path / "runs"
    assert str(session.run) in repr(session)
    with pytest.raises(DataError):
        hmgpu.open("small", {"data.raw": tmp_path / "none", "data.root": tmp_path / "neither"})
    with pytest.raises(ConfigError, match="Unknown config smal"):
        hmgpu.open("smal")


# --- several runs ----------------------------------------------------------------------------------------------------


def test_compare_shows_the_difference(session: Session, places: dict[str, object]) -> None:
    other = hmgpu.open("small", {**places, "ranker": {"kind": "order"}})
    session.evaluate(), other.evaluate()
    found = hmgpu.compare(other, session)
    ahead = [each.evaluate().metrics["map_at_12"]["ranker"] for each in (other, session)]
    assert found.difference == pytest.approx(ahead[1] - ahead[0])
    assert found.low <= found.difference <= found.high
    assert 0 <= found.p_value <= 1
    assert found.weeks["week"].to_list() == [str(session.validation_week)]
    assert found.weeks["second"][0] == pytest.approx(ahead[1])
    assert found.segments["customers"].sum() == session.evaluate().metrics["customers"]
    assert found.settings["ranker.kind"] == ["order", "xgboost"]
    assert all(text in repr(found) for text in ("B - A", "95 %", "ranker.kind"))
    assert hmgpu.compare(str(other.run), session.run).found == found.found
    with pytest.raises(RunError, match="nothing does not exist"):
        hmgpu.compare(session.run / "nothing", session)


def test_backtest_scores_the_last_weeks(places: dict[str, object]) -> None:
    found = hmgpu.backtest("small", folds=2, settings=places)
    assert found.folds["week"].unique().sort().to_list() == ["2020-09-09", "2020-09-16"]
    assert found.folds.columns == ["week", "method", "customers", "map_at_12", "low", "high"]
    assert found.pooled["method"].to_list() == ["best_sellers", "own_past", "order", "ranker"]
    assert found.pooled["customers"][0] == found.folds.filter(method="ranker")["customers"].sum()
    assert (found.folds["low"] <= found.folds["map_at_12"]).all()
    assert "2020-09-09" in repr(found)
    assert hmgpu.compare(found.file, found.file).difference == 0
    with pytest.raises(ConfigError, match="folds is 0, but it must be 1 or more"):
        hmgpu.backtest("small", folds=0)
