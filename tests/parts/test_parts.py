"""Contracts that every retriever and feature must pass, found by listing the folders: a new part is covered at once."""

import ast
import importlib
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest
from kit import CONFIGS, ROOT, small

import hmgpu
from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.core.gpu_plans import listed_collapses
from hmgpu.parts.feature import Feature
from hmgpu.parts.models.by_attribute import OF_ARTICLES, OF_CUSTOMERS
from hmgpu.parts.negative_sampler import NegativeSampler
from hmgpu.parts.part import LEVELS, Part, Trained, build, kinds
from hmgpu.parts.ranker import Ranker
from hmgpu.parts.retriever import Retriever
from hmgpu.parts.retrievers.als import ALS
from hmgpu.parts.retrievers.content import Content
from hmgpu.parts.retrievers.copurchase import CoPurchase
from hmgpu.parts.retrievers.fresh import Fresh
from hmgpu.parts.retrievers.item_cf import ItemCF
from hmgpu.parts.retrievers.repurchase import Repurchase
from hmgpu.parts.retrievers.sale_trend import SaleTrend
from hmgpu.parts.retrievers.word2vec import Word2Vec
from hmgpu.pipeline.config import load_config
from hmgpu.testing import (
    FeatureContract,
    RetrieverContract,
    bound,
    check_settings,
    collapses,
    collapses_of,
    contract_data,
    digests,
    learned,
    plans_of,
)

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
# In so little data few articles sell five units a week.
RETRIEVERS |= {f"sale_trend-{by}": SaleTrend(by=by, sold=1) for by in ("age_band", "department")}
RETRIEVERS |= {f"item_cf-{by}": ItemCF(by=by, support=1) for by in ("age_band", "price_level")}
RETRIEVERS |= {"als-latest": ALS(factors=8, latest=2)}
RETRIEVERS |= {"content-mixture": Content(of="mixture", mixture=("metadata", "text", "sales", "pictures"))}
RETRIEVERS |= {"fresh-buyers": Fresh(space="buyers", dimensions=8)}
RETRIEVERS |= {"repurchase-sum": Repurchase(decay="sum")}
RETRIEVERS |= {"copurchase-popular": CoPurchase(seeds_from="popular", support=1)}
RETRIEVERS |= {"word2vec-product": Word2Vec(of="product", sentences="baskets")}
FEATURES = _variants(Feature, {"affinity": LEVELS})
# A retriever that says something of every candidate is a feature too.
FEATURES |= {name: part for name, part in RETRIEVERS.items() if isinstance(part, Feature)}
# Their models are made small, so that training takes a second.
RETRIEVERS, FEATURES = ({name: small(part) for name, part in parts.items()} for parts in (RETRIEVERS, FEATURES))


@pytest.mark.parametrize("part", RETRIEVERS.values(), ids=RETRIEVERS.keys())
class TestEveryRetriever(RetrieverContract):
    pass


@pytest.mark.parametrize("part", FEATURES.values(), ids=FEATURES.keys())
class TestEveryFeature(FeatureContract):
    pass


def test_the_plans_that_cudf_runs_in_one_part_are_those_that_are_listed() -> None:
    """Of plans without a model, which are all of one kind: docs/gpu.md lists them, and `hmgpu doctor` their number."""
    listed, parts = listed_collapses(), FEATURES | RETRIEVERS
    assert set(listed) == {kind for base in (Retriever, Feature) for kind in kinds(base)}
    for kind in sorted(kind for kind in listed if not isinstance(parts[kind], Trained)):
        assert collapses_of(parts[kind], contract_data()) == listed[kind], f"scripts/generate_docs.py --plans ({kind})"


def test_a_row_number_puts_all_parts_into_one_and_a_sum_does_not() -> None:
    rows = pl.LazyFrame({"k": range(20), "v": [1] * 20})
    assert collapses(rows.group_by("k").agg(pl.col("v").sum()).sort("k")) == []
    assert collapses(rows.sort("k").with_row_index()) == ["row_index is not supported for multiple partitions."]


@pytest.mark.gpu
def test_both_engines_give_the_same_bytes(gpu: Engine) -> None:
    differ, data = [], contract_data()
    for name, part in (RETRIEVERS | FEATURES).items():
        if isinstance(part, Trained):  # float arithmetic; tests/parts/models say how near they are
            continue
        part = bound(part, data.history)
        tables = learned(part, data.history)
        plans = plans_of(part, data.history)
        of = part.retrieve if isinstance(part, Retriever) else part.compute
        plans["out"] = of(tables, data.customers if isinstance(part, Retriever) else data.pairs)
        found = [digests(plans, engine) for engine in (CPU, gpu)]
        differ += [f"{name}: {table}" for table in plans if found[0][table] != found[1][table]]
    assert differ == []


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
    kits = (
        "hmgpu.parts.",
        "hmgpu.core.",
        *(f"hmgpu.data.{name}." for name in ("choices", "pictures", "tables", "weeks")),
    )
    assert [name for name in ours if not name.startswith(kits) and name != "hmgpu.data.store.History"] == []


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
        assert part().kind == kind
        check_settings(part())


def test_an_unknown_kind_names_those_there_are() -> None:
    with pytest.raises(
        ConfigError,
        match=r"'popularity' is not a kind of retriever; did you mean 'popular'\? There are "
        r"als, bpr, content, copurchase, dssm, .*popular_by",
    ):
        build(Retriever, "popularity", {})
    with pytest.raises(ConfigError, match="'svm' is not a kind of ranker; choose from automl, bagged, "):
        build(Ranker, "svm", {})
