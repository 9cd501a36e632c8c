"""Contracts that every retriever and feature must pass, found by listing the folders: a new part is covered at once."""

import ast
import dataclasses
import hashlib
import importlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import kit
import numpy as np
import polars as pl
import pytest
from kit import CONFIGS, ROOT
from pydantic import ValidationError

import hmgpu
from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.data.ingest import ingest
from hmgpu.data.settings import DataSettings
from hmgpu.data.store import History, Store
from hmgpu.data.vectors.keep import keep
from hmgpu.data.weeks import date_of
from hmgpu.parts.candidates import KEYS
from hmgpu.parts.feature import Feature
from hmgpu.parts.negative_sampler import NegativeSampler
from hmgpu.parts.part import LEVELS, Learned, Part, Trained, build, kinds
from hmgpu.parts.ranker import Ranker
from hmgpu.parts.retriever import Retriever
from hmgpu.parts.retrievers.als import ALS
from hmgpu.parts.retrievers.content import Content
from hmgpu.parts.retrievers.copurchase import CoPurchase
from hmgpu.parts.retrievers.item_cf import ItemCF
from hmgpu.parts.retrievers.popular_by import OF_ARTICLES, OF_CUSTOMERS
from hmgpu.parts.retrievers.repurchase import Repurchase
from hmgpu.parts.retrievers.sale_trend import SaleTrend
from hmgpu.parts.retrievers.word2vec import Word2Vec
from hmgpu.pipeline.candidates import merge
from hmgpu.pipeline.config import load_config
from hmgpu.pipeline.describe import columns_of, with_columns

PACKAGE = Path(hmgpu.__file__).parent  # of this checkout, unless what is tested is an installed hmgpu
CPU = Engine("cpu", "tests")


def _variants(base: type[Part], by: Mapping[str, tuple[str, ...]]) -> dict[str, Part]:
    """Every kind with its defaults, what the shipped configs make of it, and every value of `by`."""
    parts: dict[str, Part] = {kind: part() for kind, part in kinds(base).items()}
    for config in sorted(CONFIGS.glob("*.yaml")):
        loaded = load_config(config)
        named = {Retriever: loaded.retrievers, Feature: loaded.features}[base]
        # A model's settings are sizes, and training takes seconds: its defaults stand for all.
        parts |= {f"{config.stem}-{name}": part for name, part in named.items() if not isinstance(part, Trained)}
    for kind, values in by.items():
        parts |= {f"{kind}-{value}": build(base, kind, {"by": value}) for value in values}
    first: dict[Part, str] = {}  # several configs say the same
    for name, part in parts.items():
        first.setdefault(part, name)
    return {name: part for part, name in first.items()}


RETRIEVERS = _variants(Retriever, {"popular_by": OF_CUSTOMERS + OF_ARTICLES})
RETRIEVERS |= {f"content-{of}": Content(of=of) for of in ("metadata", "sales", "sentences", "pictures")}
# Few articles of so small a world sell five units a week.
RETRIEVERS |= {f"sale_trend-{by}": SaleTrend(by=by, sold=1) for by in ("age_band", "department")}
RETRIEVERS |= {f"item_cf-{by}": ItemCF(by=by, support=1) for by in ("age_band", "price_level")}
RETRIEVERS |= {"als-latest": ALS(factors=8, latest=2)}
RETRIEVERS |= {"repurchase-sum": Repurchase(decay="sum")}
RETRIEVERS |= {"copurchase-popular": CoPurchase(seeds_from="popular", support=1)}
RETRIEVERS |= {"word2vec-product": Word2Vec(of="product", sentences="baskets")}
FEATURES = _variants(Feature, {"affinity": LEVELS})
# A retriever that says something of every candidate is a feature too.
FEATURES |= {name: part for name, part in RETRIEVERS.items() if isinstance(part, Feature)}
every_retriever = pytest.mark.parametrize("retriever", RETRIEVERS.values(), ids=RETRIEVERS.keys())
every_feature = pytest.mark.parametrize("feature", FEATURES.values(), ids=FEATURES.keys())
every_part = pytest.mark.parametrize("part", (RETRIEVERS | FEATURES).values(), ids=(RETRIEVERS | FEATURES).keys())


def bind(part: Retriever | Feature, history: History, trained_on: History | None = None) -> Any:
    """`part`, with workflows and a model of its own where it wants them."""
    return kit.bound(part, history, CPU, trained_on)


def learned(part: Retriever | Feature, history: History) -> Learned:
    """What `part` learns, executed and handed back as scans would be."""
    return kit.learned(part, history, CPU)


def plans_of(part: Retriever | Feature, history: History) -> Learned:
    """Every plan that `part` learns by."""
    return part.learn(history) | part.learn_customers(learned(part, history), history)


def digests(plans: Mapping[str, pl.LazyFrame], folder: Path, engine: Engine = CPU) -> dict[str, str]:
    """Hash of the bytes that the engine writes for each plan."""
    for name, plan in plans.items():
        engine.write(plan, folder / name)
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in plans}


def with_vectors(store: Store, cutoff: int, seed: int) -> Store:
    """`store` with vectors of its articles; those of articles first sold at the cutoff or later depend on `seed`.

    Pictures' are long enough to be made shorter, and not all articles have one.
    """
    articles = CPU.collect(store.articles().sort("article_id"))
    known = (articles["first_day"] < cutoff).fill_null(False).to_numpy()
    first, others = (np.random.default_rng(each).normal(size=(articles.height, 70)) for each in (3, seed))
    vectors = np.where(known[:, None], first, others)
    some = np.arange(articles.height) % 5 > 0
    keep(store.root, "pictures", articles["article_id"].filter(some), vectors[some], "tests")
    keep(store.root, "text", articles["article_id"], vectors[:, :6], "tests")
    return Store(store.root)


@pytest.fixture(scope="module")
def store(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The generated world, ingested, with vectors."""
    folder = tmp_path_factory.mktemp("vectors") / "data"
    shutil.copytree(store.root, folder)
    return with_vectors(Store(folder), store.last_complete_week.first_day, 4)


@pytest.fixture(scope="module")
def cutoff(store: Store) -> int:
    return store.last_complete_week.first_day


@pytest.fixture(scope="module")
def history(store: Store, cutoff: int) -> History:
    return store.as_of(cutoff)


@pytest.fixture(scope="module")
def customers(store: Store) -> pl.LazyFrame:
    """Half of all customers, those without any purchase among them."""
    even = store.customer_ids().filter(pl.col("customer") % 2 == 0)
    return CPU.collect(even.select("customer").sort("customer")).lazy()


@pytest.fixture(scope="module")
def pairs(history: History, customers: pl.LazyFrame) -> pl.LazyFrame:
    """Merged candidates of three unlike retrievers."""
    chosen = {name: bind(RETRIEVERS[name], history) for name in ("repurchase", "popular", "popular_by")}
    found = {name: part.retrieve(learned(part, history), customers) for name, part in chosen.items()}
    return CPU.collect(merge(found).sort(KEYS)).lazy()


# --- what they return ------------------------------------------------------------------------------------------------


@every_retriever
def test_candidates_keep_the_contract(retriever: Retriever, history: History, customers: pl.LazyFrame) -> None:
    retriever = bind(retriever, history)
    found = CPU.collect(retriever.retrieve(learned(retriever, history), customers).sort("customer", "rank"))
    assert {"customer": pl.Int32, "article": pl.Int32, "rank": pl.Int32}.items() <= dict(found.schema).items()
    assert found["score"].dtype.is_numeric()
    assert found.null_count().select("customer", "article", "score", "rank").row(0) == (0, 0, 0, 0)
    assert found.select(KEYS).is_unique().all()
    assert found.join(customers.collect(), on="customer", how="anti").is_empty()
    assert found.join(history.articles.collect(), on="article", how="anti").is_empty()
    places = found.with_columns(place=pl.int_range(1, pl.len() + 1).over("customer"))
    assert (places["place"] == places["rank"]).all()
    assert places["place"].max() <= retriever.n
    by_score = found.sort("customer", "score", "article", descending=[False, True, False])
    assert by_score["article"].to_list() == found["article"].to_list()


@every_retriever
def test_retrievers_that_find_nothing_find_it_without_error(
    retriever: Retriever, history: History, make_history: Callable
) -> None:
    little = make_history([(1, 0, 0)], vectors={"pictures": {0: (1.0, 0.0)}, "text": {0: (1.0, 0.0)}})
    retriever = bind(retriever, little, trained_on=history)
    nobody = pl.LazyFrame(schema={"customer": pl.Int32})
    assert CPU.collect(retriever.retrieve(learned(retriever, little), nobody)).is_empty()


@every_retriever
def test_n_bounds_the_candidates(retriever: Retriever, history: History, customers: pl.LazyFrame) -> None:
    few = bind(retriever, history).model_copy(update={"n": 2})
    found = CPU.collect(few.retrieve(learned(few, history), customers))
    assert found.group_by("customer").len()["len"].max() in (None, 1, 2)


@every_feature
def test_columns_keep_the_contract(feature: Feature, history: History, pairs: pl.LazyFrame) -> None:
    feature = bind(feature, history)
    columns = CPU.collect(feature.compute(learned(feature, history), pairs))
    keys = [key for key in KEYS if key in columns.columns]
    assert keys
    assert columns.select(keys).is_unique().all()
    described = columns.drop(keys)
    assert described.width > 0
    assert all(dtype.is_numeric() for dtype in described.dtypes)
    finite = described.select(pl.all().cast(pl.Float64).is_finite().all())
    assert all(finite.row(0)), f"not finite: {finite}"


@every_feature
def test_a_feature_adds_columns_and_no_rows(feature: Feature, history: History, pairs: pl.LazyFrame) -> None:
    feature = bind(feature, history)
    columns = feature.compute(learned(feature, history), pairs)
    described = with_columns(pairs.collect(), {"this": columns}, CPU)
    assert described.select(KEYS).equals(pairs.select(KEYS).collect())
    assert described.width > pairs.collect().width


@every_feature
def test_what_is_said_of_a_candidate_depends_on_others_only_where_the_family_says_so(
    feature: Feature, history: History, pairs: pl.LazyFrame
) -> None:
    feature = bind(feature, history)
    tables = learned(feature, history)
    every = pairs.collect()
    kept = every.filter((pl.col("customer") * 7 + pl.col("article")) % 3 == 0)
    told = [columns_of(some, feature.compute(tables, some.lazy()), "this", CPU) for some in (every, kept)]
    of_kept = pl.concat([every.select(KEYS), told[0]], how="horizontal").join(kept, on=KEYS, how="semi").drop(KEYS)
    assert of_kept.equals(told[1]) or feature.compares


@every_part
def test_what_is_learned_of_a_customer_depends_on_no_other(
    part: Retriever | Feature, history: History, customers: pl.LazyFrame, tmp_path: Path
) -> None:
    """Nor on the size of the shard; and nothing that is learned for everybody is about customers."""
    part = bind(part, history)
    known = {name: CPU.collect(plan).lazy() for name, plan in part.learn(history).items()}
    assert [name for name, table in known.items() if "customer" in table.collect_schema()] == []
    everybody = part.learn_customers(known, history)
    assert [name for name, table in everybody.items() if "customer" not in table.collect_schema()] == []
    of_some = part.learn_customers(known, history.of(customers))
    expected = {name: table.join(customers, on="customer", how="semi") for name, table in everybody.items()}
    assert digests(of_some, tmp_path) == digests(expected, tmp_path)


# --- engines ---------------------------------------------------------------------------------------------------------


@every_retriever
def test_retrievers_translate_to_cudf(
    retriever: Retriever, history: History, customers: pl.LazyFrame, untranslated: Callable
) -> None:
    retriever = bind(retriever, history)
    for name, plan in plans_of(retriever, history).items():
        assert untranslated(plan.sort(plan.collect_schema().names())) == [], name
    assert untranslated(retriever.retrieve(learned(retriever, history), customers)) == []


@every_feature
def test_features_translate_to_cudf(
    feature: Feature, history: History, pairs: pl.LazyFrame, untranslated: Callable
) -> None:
    feature = bind(feature, history)
    for name, plan in plans_of(feature, history).items():
        assert untranslated(plan.sort(plan.collect_schema().names())) == [], name
    columns = feature.compute(learned(feature, history), pairs)
    assert untranslated(columns) == []


@pytest.mark.gpu
def test_both_engines_give_the_same_bytes(
    gpu: Engine, history: History, customers: pl.LazyFrame, pairs: pl.LazyFrame, tmp_path: Path
) -> None:
    differ = []
    for name, part in (RETRIEVERS | FEATURES).items():
        if isinstance(part, Trained):  # float arithmetic; tests/parts/models/neural says how near they are
            continue
        if isinstance(part, Content) and part.of != "sales":  # cuML and scikit-learn agree to rounding errors
            continue
        part = bind(part, history)
        tables = learned(part, history)
        plans = plans_of(part, history)
        plans["out"] = part.retrieve(tables, customers) if isinstance(part, Retriever) else part.compute(tables, pairs)
        found = [digests(plans, tmp_path / engine.name, engine) for engine in (CPU, gpu)]
        differ += [f"{name}: {table}" for table in plans if found[0][table] != found[1][table]]
    assert differ == []


# --- time ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def other_future(raw: Path, cutoff: int, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The same world up to the cutoff; after it, other people buy other things at other prices, until another day."""
    folder = tmp_path_factory.mktemp("other")
    shutil.copytree(raw, folder / "raw")
    file = folder / "raw" / "transactions_train.csv"
    rows = pl.read_csv(file, infer_schema=False)
    first = str(date_of(cutoff))
    past, future = rows.filter(pl.col("t_dat") < first), rows.filter(pl.col("t_dat") >= first)
    assert future.height > 50
    articles = pl.read_csv(folder / "raw" / "articles.csv", infer_schema=False)["article_id"]
    others = future.with_columns(
        customer_id=pl.col("customer_id").reverse(),
        article_id=articles.reverse().gather(pl.Series(range(future.height)) % articles.len()),
        price=pl.lit("0.0169491525423729"),
        sales_channel_id=pl.lit("1"),
        t_dat=pl.col("t_dat").str.replace("..$", str(date_of(cutoff))[-2:]),
    )
    pl.concat([past, others.head(others.height // 2)]).write_csv(file)
    ingest(DataSettings(raw=folder / "raw", root=folder / "data"))
    return with_vectors(Store(folder / "data"), cutoff, 5)


@pytest.fixture(scope="module")
def other_history(other_future: Store, cutoff: int) -> History:
    return other_future.as_of(cutoff)


@every_retriever
def test_the_future_changes_no_candidate(
    retriever: Retriever, history: History, other_history: History, customers: pl.LazyFrame, tmp_path: Path
) -> None:
    found = []
    for past in (history, other_history):
        part = bind(retriever, past)
        tables = learned(part, past)
        found.append(digests(tables | {"found": part.retrieve(tables, customers)}, tmp_path))
    assert found[0] == found[1]


@every_feature
def test_the_future_changes_no_column(
    feature: Feature, history: History, other_history: History, pairs: pl.LazyFrame, tmp_path: Path
) -> None:
    found = []
    for past in (history, other_history):
        part = bind(feature, past)
        tables = learned(part, past)
        found.append(digests(tables | {"columns": part.compute(tables, pairs)}, tmp_path))
    assert found[0] == found[1]


def test_the_other_future_is_another(store: Store, other_future: Store, cutoff: int) -> None:
    """Else the two tests above could not fail."""
    week = store.last_complete_week
    mine, others = (CPU.collect(world.sold_in(week).sort(KEYS)) for world in (store, other_future))
    assert not mine.equals(others)
    later = [CPU.collect(world.as_of(cutoff + 7).articles.sort("article")) for world in (store, other_future)]
    assert not later[0].equals(later[1])
    for of in ("pictures", "text"):
        seen = [CPU.collect(world.as_of(cutoff + 7).vectors_of(of).sort("article")) for world in (store, other_future)]
        assert not seen[0].equals(seen[1])


PART_FILES = sorted((PACKAGE / "parts").rglob("*.py"))


@pytest.mark.parametrize("file", PART_FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_parts_can_reach_no_label(file: Path) -> None:
    """A part imports History and never the Store, raw files or whatever holds them."""
    imported = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            imported |= {f"{node.module}.{alias.name}" for alias in node.names}
    ours = {name for name in imported if name.startswith("hmgpu")}
    kits = ("hmgpu.parts.", "hmgpu.core.", "hmgpu.data.tables.", "hmgpu.data.weeks.")
    assert [name for name in ours if not name.startswith(allowed)] == []


# --- the same bytes --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shuffled(history: History, tmp_path_factory: pytest.TempPathFactory) -> History:
    """The same history with the rows of every table in another order and in other files."""
    folder = tmp_path_factory.mktemp("shuffled")

    def reorder(name: str, plan: pl.LazyFrame) -> pl.LazyFrame:
        rows = CPU.collect(plan).sample(fraction=1.0, shuffle=True, seed=3)
        half = rows.height // 2
        files = [folder / f"{name}-1.parquet", folder / f"{name}-2.parquet"]
        rows.tail(half).write_parquet(files[0])
        rows.head(rows.height - half).write_parquet(files[1])
        return pl.scan_parquet(files)

    tables = {name: reorder(name, getattr(history, name)) for name in ("transactions", "articles", "customers")}
    vectors = {of: reorder(f"vectors-{of}", plan) for of, plan in history.vectors.items()}
    return dataclasses.replace(history, **tables, vectors=vectors)


@every_part
def test_the_order_of_rows_changes_no_byte(
    part: Retriever | Feature,
    history: History,
    shuffled: History,
    customers: pl.LazyFrame,
    pairs: pl.LazyFrame,
    tmp_path: Path,
) -> None:
    found = []
    for past in (history, shuffled):
        part = bind(part, past)
        tables = learned(part, past)
        out = part.retrieve(tables, customers) if isinstance(part, Retriever) else part.compute(tables, pairs)
        found.append(digests(tables | {"out": out}, tmp_path))
    assert found[0] == found[1]


# --- what a retailer lacks -------------------------------------------------------------------------------------------


@every_part
def test_a_part_needs_no_more_than_it_says(
    part: Retriever | Feature, history: History, customers: pl.LazyFrame, pairs: pl.LazyFrame
) -> None:
    """Where only customer, article, day and what it says it needs are there, it works."""
    needs = part.needs()
    keep = {"customer", "article", "day", "first_day", "article_id", "customer_id"} | needs

    def only(plan: pl.LazyFrame) -> pl.LazyFrame:
        return plan.select(name for name in plan.collect_schema().names() if name in keep)

    bare = dataclasses.replace(
        history,
        transactions=only(history.transactions),
        articles=only(history.articles),
        customers=only(history.customers),
        present=frozenset(needs),
    )
    part = bind(part, bare)
    tables = learned(part, bare)
    if isinstance(part, Retriever):
        CPU.collect(part.retrieve(tables, customers))
    else:
        CPU.collect(part.compute(tables, pairs))


# --- how they are written --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", [Retriever, Feature, Ranker], ids=lambda base: base.__name__)
def test_every_file_of_a_folder_is_a_part_with_a_test(base: type[Part]) -> None:
    folder = Path(importlib.import_module(base.home).__file__).parent
    files = {file.stem for file in folder.glob("*.py")} - {"__init__"}
    assert set(kinds(base)) == files
    tests = ROOT / "tests" / "parts" / folder.name
    untested = {name for name in files if not (tests / f"test_{name}.py").is_file()}
    assert untested == set()


@pytest.mark.parametrize("base", [Retriever, Feature, Ranker, NegativeSampler], ids=lambda base: base.__name__)
def test_every_setting_is_explained_frozen_and_checked(base: type[Part]) -> None:
    for kind, part in kinds(base).items():
        assert part.__doc__, kind
        inherited = {name: field.description for name, field in base.model_fields.items()}
        assert all(field.description or inherited.get(name) for name, field in part.model_fields.items()), kind
        made = part()
        assert made.kind == kind
        assert build(base, kind, made.settings()) == made
        with pytest.raises(ValidationError, match="extra_forbidden"):
            build(base, kind, {"no_such_setting": 1})
        for name in part.model_fields:
            with pytest.raises(ValidationError, match="frozen"):
                setattr(made, name, 1)


def test_an_unknown_kind_names_those_there_are() -> None:
    with pytest.raises(
        ConfigError,
        match=r"'popularity' is no kind of retriever; there are als, bpr, content, copurchase, item_cf, .*popular_by",
    ):
        build(Retriever, "popularity", {})
