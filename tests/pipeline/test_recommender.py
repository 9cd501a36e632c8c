"""Fit on frames, recommend to customers."""

import datetime
import gc
from pathlib import Path

import polars as pl
import pytest

import hmgpu
from hmgpu.core.errors import DataError, RunError

QUICK = {"ranker.rounds": 10, "weeks.train": 2, "engine": "cpu"}


@pytest.fixture(scope="module")
def transactions(raw: Path) -> pl.DataFrame:
    return pl.read_csv(raw / "transactions_train.csv", infer_schema=False, glob=False)


@pytest.fixture(scope="module")
def bare(transactions: pl.DataFrame) -> hmgpu.Recommender:
    """Fitted on nothing but customer, article and day."""
    days = pl.col("t_dat").str.to_date()
    frame = transactions.select(customer="customer_id", article="article_id", day=days)
    return hmgpu.Recommender(settings=QUICK).fit(frame)


def test_three_columns_are_enough(bare: hmgpu.Recommender, transactions: pl.DataFrame) -> None:
    asked = transactions["customer_id"].unique().sort().to_list()[3:6]
    found = bare.recommend(asked, k=5)
    assert dict(found.schema) == {"customer_id": pl.String, "rank": pl.Int32, "article_id": pl.String}
    assert found["customer_id"].to_list() == [each for each in asked for _ in range(5)]
    assert set(found["article_id"]) <= set(transactions["article_id"])
    assert bare.session.store.present == {"customer", "article", "day"}
    assert bare.recommend().height == 12 * transactions["customer_id"].n_unique()
    assert (bare.run / "config.yaml").is_file()


def test_unknown_ids_get_the_best_sellers(bare: hmgpu.Recommender) -> None:
    with pytest.warns(UserWarning, match="not in the data and gets the best sellers: 17"):
        assert bare.recommend([17], k=2)["customer_id"].to_list() == ["17", "17"]


def test_the_last_seven_days_are_the_last_week(transactions: pl.DataFrame) -> None:
    until = datetime.date(2020, 9, 19)
    frame = transactions.with_columns(pl.col("t_dat").str.to_date()).filter(pl.col("t_dat") <= until)
    session = hmgpu.Recommender(settings=QUICK).fit(frame).session
    assert session.validation_week == datetime.date(2020, 9, 13)
    assert session.next_week == datetime.date(2020, 9, 20)
    assert session.store.present >= {"price", "channel"}


def test_all_tables_as_pandas(raw: Path, transactions: pl.DataFrame, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frames = [transactions.with_columns(pl.col("price").cast(pl.Float64), pl.col("t_dat").str.to_datetime())]
    frames += [pl.read_csv(raw / f"{name}.csv", infer_schema=False, glob=False) for name in ("articles", "customers")]
    recommender = hmgpu.Recommender(settings=QUICK, folder=tmp_path).fit(*(frame.to_pandas() for frame in frames))
    found = recommender.recommend(frames[2]["customer_id"][:2].to_list(), k=3)
    assert isinstance(found, pandas.DataFrame)
    assert found["rank"].to_list() == [1, 2, 3] * 2
    assert {"department", "age", "price", "channel"} <= recommender.session.store.present
    assert recommender.run.parent == tmp_path / "runs"
    assert recommender.fit(*frames).run == recommender.run  # the same tables, now of Polars


def test_other_names_and_channels(transactions: pl.DataFrame) -> None:
    frame = transactions.select(
        client="customer_id",
        item=pl.col("article_id").cast(pl.Int64),
        on=pl.col("t_dat").str.to_date().dt.strftime("%d.%m.%Y"),
        shop=pl.lit("Malmö"),
    )
    names = {"customer": "client", "article": "item", "day": "on", "channel": "shop"}
    settings = {**QUICK, "data.date_format": "%d.%m.%Y", "data.columns.transactions": names}
    recommender = hmgpu.Recommender(settings=settings).fit(frame)
    assert recommender.session.config.data.channels == ("Malmö",)
    found = recommender.recommend(frame["client"][:1].to_list())
    assert set(found["article_id"]) <= set(frame["item"].cast(pl.String))


def test_what_is_missing_is_named(transactions: pl.DataFrame) -> None:
    with pytest.raises(
        DataError, match=r"no column 't_dat' \(they have customer_id, .*`data.columns.transactions.day`"
    ):
        hmgpu.Recommender(settings=QUICK).fit(transactions.drop("t_dat"))
    with pytest.raises(DataError, match=r"no column 'cost'.*or to None if there is no such column"):
        hmgpu.Recommender(settings={**QUICK, "data.columns.transactions.price": "cost"}).fit(transactions)
    with pytest.raises(DataError, match=r"articles is a dict: give a Polars or a pandas DataFrame"):
        hmgpu.Recommender(settings=QUICK).fit(transactions, articles={"article_id": []})
    many = transactions.with_columns(sales_channel_id=pl.int_range(pl.len()))
    with pytest.raises(DataError, match=r"'sales_channel_id' holds [\d,]+ sales channels, not 1 to 127"):
        hmgpu.Recommender(settings=QUICK).fit(many)
    with pytest.raises(RunError, match=r"not fitted: call fit\(transactions\) first"):
        hmgpu.Recommender().recommend()


def test_the_folder_goes_with_the_object(transactions: pl.DataFrame) -> None:
    recommender = hmgpu.Recommender(settings=QUICK)
    folder = recommender.folder
    assert folder.is_dir()
    del recommender
    assert not folder.exists()
    session = hmgpu.Recommender(settings=QUICK).fit(transactions).session
    assert session.recommend(k=1).height > 0  # it has the data as long as it is there
    folder = session.store.root.parent
    del session
    gc.collect()
    assert not folder.exists()
