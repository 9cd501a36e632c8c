"""Every peer on small synthetic data: full lists, no look into the future; and the simple ones by hand."""

import dataclasses
import importlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from hmgpu.benchmark import peer_runs
from hmgpu.benchmark.peer_runs import PEERS, available, buyers, load, named, recommend, tried
from hmgpu.benchmark.peers import Peer, popular, repurchase
from hmgpu.benchmark.peers.notebook_candidates import candidates
from hmgpu.benchmark.peers.notebook_features import with_notebook_features
from hmgpu.benchmark.peers.purchases import PurchaseMatrix
from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError, RunError
from hmgpu.core.list_length import K
from hmgpu.data.ingest import ingest
from hmgpu.data.settings import DataSettings
from hmgpu.data.store import Store
from hmgpu.data.weeks import Week, date_of
from hmgpu.testing.histories import EVERY_COLUMN

CPU = Engine("cpu", "tests")
OPTIONAL = EVERY_COLUMN - {"day", "customer", "article"}
VARIABLE = "HMGPU_RECTOOLS_PYTHON"
every_peer = pytest.mark.parametrize("name", PEERS)


@pytest.fixture(autouse=True)
def installed(request) -> None:
    """Skip a peer whose optional library is missing."""
    name = request.node.callspec.params.get("name") if hasattr(request.node, "callspec") else None
    if name == "esasrec":
        if VARIABLE not in os.environ:
            pytest.skip(f"{VARIABLE} is not set")
    elif name in PEERS:
        pytest.importorskip({"lambdarank": "lightgbm"}.get(name, "lenskit"))


@pytest.fixture(scope="module")
def week(store: Store) -> Week:
    return store.last_complete_week


@pytest.fixture(scope="module")
def bought(store: Store, week: Week) -> pl.DataFrame:
    return CPU.collect(store.sold_in(week))


@pytest.fixture(scope="module")
def other_future(store: Store, raw: Path, week: Week, tmp_path_factory) -> Store:
    """The same data before the week; in the week, other people buy other things."""
    folder = tmp_path_factory.mktemp("other")
    shutil.copytree(raw, folder / "raw")
    file = folder / "raw" / "transactions_train.csv"
    rows = pl.read_csv(file, infer_schema=False)
    known = pl.col("t_dat") < str(date_of(week.first_day))
    past, future = rows.filter(known), rows.filter(~known)
    articles = pl.read_csv(folder / "raw" / "articles.csv", infer_schema=False)["article_id"]
    others = future.with_columns(
        customer_id=pl.col("customer_id").reverse(),
        article_id=articles.reverse().gather(pl.Series(range(future.height)) % articles.len()),
    )
    pl.concat([past, others]).write_csv(file)
    ingest(DataSettings(raw=folder / "raw", root=folder / "data"))
    return Store(folder / "data")


@every_peer
def test_a_list_is_twelve_different_articles_and_the_future_changes_none(name, store, other_future, week, bought):
    assert not CPU.collect(other_future.sold_in(week)).sort(pl.all()).equals(bought.sort(pl.all()))
    lists = []
    for data in (store, other_future):
        lists.append(recommend(name, data, week, buyers(bought), 1, load(name).settings[0]).lists)
    assert lists[0].equals(lists[1])
    each = lists[0].group_by("customer").agg(pl.col("article").n_unique(), pl.col("rank").sort())
    assert set(each["customer"]) == set(bought["customer"])
    assert each["article"].to_list() == [K] * each.height
    assert all(ranks == list(range(1, K + 1)) for ranks in each["rank"].to_list())


@every_peer
def test_a_peer_recommends_with_every_setting(name, store, week, bought):
    peer = load(name)
    fewer = {"rounds": 20} if name == "lambdarank" else {}
    for settings in peer.settings:
        found = peer.recommend(store.as_of(week.first_day), buyers(bought), CPU, 1, **{**settings, **fewer})
        assert found.height > K
        assert found.columns == ["customer", "article", "rank"]
        assert not found.select("customer", "article").is_duplicated().any()
        assert found["rank"].max() <= K
        assert set(found["customer"]) <= set(bought["customer"])


@every_peer
def test_customers_without_purchases_are_accepted(name, make_history):
    bought = [(1 + day, customer, 10 + (day + customer) % 20) for day in range(30) for customer in range(1, 6)]
    articles = {article: {"product": article, "product_type": 1, "department": 1} for article in range(10, 30)}
    history = make_history(bought, articles, {99: {"age": 30}})
    peer = load(name)
    found = peer.recommend(history, asked(99), CPU, 1, **peer.settings[0])
    assert set(found["customer"]) <= {99}
    nobody = peer.recommend(history, asked(), CPU, 1, **peer.settings[0])
    assert nobody.is_empty()


def asked(*customers: int) -> pl.DataFrame:
    return pl.DataFrame({"customer": customers}, schema={"customer": pl.Int32})


def rows(table: pl.DataFrame) -> list[tuple[int, ...]]:
    return table.sort("customer", "rank").rows()


def test_best_sellers_are_the_same_for_everybody(make_history):
    history = make_history([(1, 1, 10), (2, 2, 10), (3, 1, 20), (3, 1, 20), (3, 2, 20), (9, 3, 30), (9, 3, 30)])
    assert rows(popular.recommend(history, asked(1, 5), CPU, 1, days=7)) == [
        *((1, 20, 1), (1, 10, 2), (5, 20, 1), (5, 10, 2)),
    ]


def test_own_purchases_come_before_best_sellers_the_newest_first(make_history):
    history = make_history([(40, 1, 30), (9, 1, 20), (9, 1, 20), (9, 1, 25), (2, 2, 10), (1, 2, 20)])
    found = repurchase.recommend(history, asked(1, 5), CPU, 1, days=28)
    assert rows(found) == [(1, 20, 1), (1, 25, 2), (1, 10, 3), (5, 10, 1), (5, 20, 2)]


def test_purchases_are_units_of_customers_by_articles(make_history):
    history = make_history([(1, 7, 20), (1, 7, 20), (2, 3, 10), (2, 3, 20), (50, 4, 30)])
    purchases = PurchaseMatrix.of(history, 28, CPU)
    assert purchases.customers.tolist() == [3, 7]
    assert purchases.articles.tolist() == [10, 20]
    assert purchases.units.toarray().tolist() == [[1, 1], [0, 2]]
    assert purchases.bought.toarray().tolist() == [[1, 1], [0, 1]]
    assert purchases.rows(asked(7, 4)).tolist() == [1]
    assert PurchaseMatrix.of(history, 28, CPU, most=1).articles.tolist() == [20]


def test_lists_of_places_leave_out_the_empty_ones(make_history):
    purchases = PurchaseMatrix.of(make_history([(1, 7, 20), (2, 3, 10)]), 28, CPU)
    found = purchases.listed([1, 0], [[1, 0], [0, -1]], [[0.5, 0.1], [0.2, 0.0]])
    assert rows(found) == [(3, 10, 1), (7, 20, 1), (7, 10, 2)]


def test_candidates_of_a_notebook(make_history):
    company = [(5, customer, article) for customer in (2, 3) for article in (10, 40)]
    history = make_history(
        [*company, (20, 1, 10), (30, 1, 50), (1, 4, 11)],
        articles={10: {"product": 1}, 11: {"product": 1}, 40: {"product": 4}, 50: {"product": 5}},
        customers={1: {"age": 25}, 2: {"age": 27}, 3: {"age": 50}, 4: {"age": 70}},
    )
    found = {row.pop("article"): row for row in candidates(history, asked(1), CPU).drop("customer").to_dicts()}
    none = dict.fromkeys(("own_rank", "sibling", "together", "band_rank", "best_rank"))
    assert found == {
        10: none | {"own_rank": 1, "band_rank": 1, "best_rank": 1},
        11: none | {"sibling": 1, "best_rank": 3},
        40: none | {"together": 2, "band_rank": 2, "best_rank": 2},
        50: none | {"own_rank": 2},
    }


def test_settings_are_tried_on_the_week_that_is_given(store, week):
    before = week.back(1)
    bought = CPU.collect(store.sold_in(before))
    scores = tried("popular", store, before, bought, 1)
    assert len(scores) == len(load("popular").settings)
    assert 0 < max(scores) < 1


def test_a_missing_library_is_said_with_the_remedy(monkeypatch):
    real: Callable = peer_runs.load

    def without(name):
        if name == "ease":
            raise ModuleNotFoundError("No module named 'lenskit'", name="lenskit")
        return real(name)

    monkeypatch.setattr(peer_runs, "load", without)
    peers, absent = available(["popular", "ease"], frozenset())
    assert list(peers) == ["popular"]
    assert absent == {"ease": "it needs lenskit, which is not installed: pip install 'hmgpu[peers]'"}


def test_a_peer_that_needs_columns_is_absent_where_the_data_has_none(monkeypatch):
    needy = Peer(popular.recommend, [{}], needs=frozenset({"age", "product_type"}))
    monkeypatch.setattr(peer_runs, "load", lambda name: needy)
    assert available(["popular"], frozenset({"age", "price"})) == ({}, {"popular": "the data has no product_type"})


@pytest.mark.parametrize("lacking", [set(), {"price"}, {"age"}, {"product", "department"}, OPTIONAL])
def test_the_notebook_solution_does_without_what_the_data_lacks(store, week, lacking):
    load("lambdarank")
    lambdarank = importlib.import_module("hmgpu.benchmark.peers.lambdarank")
    whole = store.as_of(week.first_day)
    kept = {
        table: getattr(whole, table).drop(lacking, strict=False) for table in ("transactions", "articles", "customers")
    }
    history = dataclasses.replace(whole, present=whole.present - lacking, **kept)
    people = CPU.collect(history.transactions.select("customer").unique().sort("customer")).head(40)
    found = lambdarank.recommend(history, people, CPU, 1, weeks=1, rounds=5, learning_rate=0.1, leaves=4)
    assert set(found["customer"]) == set(people["customer"])
    described = with_notebook_features(candidates(history, people, CPU), history, CPU).columns
    assert ("price_gap" in described) == ("price" not in lacking)
    assert ("age_gap" in described) == ("band_rank" in described) == ("age" not in lacking)
    assert ("sibling" in described) == ("product_times" in described) == ("product" not in lacking)
    assert {"own_rank", "article_times", "sold_7", "units"} <= set(described)


def test_names_of_peers():
    assert named(None) == list(PEERS)
    assert named("bpr, als,bpr") == ["bpr", "als"]
    with pytest.raises(ConfigError, match=r"Unknown peer 'svd': choose from popular, repurchase, als"):
        named("als,svd")


@pytest.fixture
def rectools(tmp_path, monkeypatch) -> Callable[[str], None]:
    """Return a function that puts a program of a few words in the place of RecTools' Python."""

    def stands_in(words: str) -> None:
        python = tmp_path / "python"
        python.write_text(f"#!{sys.executable}\nimport json, sys\nfolder = sys.argv[2]\n{words}\n")
        python.chmod(0o755)
        monkeypatch.setenv(VARIABLE, str(python))
        monkeypatch.delitem(sys.modules, "hmgpu.benchmark.peers.esasrec", raising=False)

    return stands_in


def test_rectools_gets_what_was_bought_before_and_its_lists_are_read(rectools, make_history):
    rectools("""
names = ("bought", "customers", "on_sale")
bought, customers, selling = (open(f"{folder}/{name}.csv").read().split() for name in names)
assert [row.split(",")[:2] for row in bought] == [["customer", "article"], ["2", "5"], ["1", "4"]]
assert (customers, sorted(selling[1:])) == (["customer", "1"], ["4"])
assert json.load(open(f"{folder}/settings.json")) == {
    "seed": 7, "factors": 8, "epochs": 1, "negatives": 256, "places": 12
}
open(f"{folder}/found.csv", "w").write("customer,article,rank\\n1,4,1\\n")
""")
    history = make_history([(1, 1, 4), (50, 2, 5), (300, 2, 6)])
    asked = pl.DataFrame({"customer": [1, 3]}, schema={"customer": pl.Int32})
    found = load("esasrec").recommend(history, asked, CPU, 7, days=100, factors=8, epochs=1)
    assert found.rows() == [(1, 4, 1)]
    assert set(found.dtypes) == {pl.Int32}


def test_why_rectools_failed_is_said(rectools, make_history):
    rectools('print("first", file=sys.stderr); sys.exit("out of memory")')
    asked = pl.DataFrame({"customer": [1]}, schema={"customer": pl.Int32})
    with pytest.raises(RunError, match=r"^RecTools failed: out of memory$"):
        load("esasrec").recommend(make_history([(1, 1, 4)]), asked, CPU, 7, days=100, factors=8, epochs=1)


def test_without_rectools_its_peer_says_what_to_set(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delitem(sys.modules, "hmgpu.benchmark.peers.esasrec", raising=False)
    peers, absent = available(["esasrec"], OPTIONAL)
    assert not peers
    assert absent["esasrec"].endswith(f"and set {VARIABLE} to its Python")
