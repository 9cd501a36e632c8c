"""Small worlds that tests share: hand-made histories, and one generated data set."""

import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from faults.counts import pytest_runtest_logreport, pytest_terminal_summary  # noqa: F401 (hooks)
from hypothesis import settings
from kit import demo_config, small_settings, vector_table

from hmgpu.core.engine import Engine
from hmgpu.core.errors import EngineError
from hmgpu.core.interrupts import exit_on_sigterm
from hmgpu.data.choices import VectorsOf
from hmgpu.data.ingest import ingest
from hmgpu.data.settings import DataSettings
from hmgpu.data.store import History, Store
from hmgpu.data.synthetic import synthesize
from hmgpu.data.tables import ARTICLES, CUSTOMERS, TABLES
from hmgpu.pipeline.config import Config, load_config

settings.register_profile("any machine", deadline=None)  # how long an example takes says how busy the machine is
settings.load_profile("any machine")

CUTOFF = 18_500  # a Wednesday in August 2020: "today" in hand-made histories
EVERY_COLUMN = frozenset(column.name for table in TABLES.values() for column in table)

Purchase = tuple[int, int, int]
MakeHistory = Callable[..., History]


@pytest.fixture
def sigterm_exits() -> Iterator[None]:
    """SIGTERM is the exception that the command line makes of it."""
    before = signal.getsignal(signal.SIGTERM)
    exit_on_sigterm()
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def engine() -> Engine:
    return Engine.choose("cpu")


@pytest.fixture
def config(raw: Path, store: Store, tmp_path: Path) -> Config:
    """Of a line on the generated data set, without models that take seconds to train."""
    return load_config(demo_config(tmp_path), small_settings(raw, store.root, tmp_path / "runs"))


@pytest.fixture
def with_models(raw: Path, store: Store, tmp_path: Path) -> Config:
    """The same with the two towers, made small."""
    return load_config(demo_config(tmp_path, models=True), small_settings(raw, store.root, tmp_path / "runs"))


@pytest.fixture(scope="session")
def gpu() -> Engine:
    """The GPU engine; what needs it skips where it can't run."""
    try:
        return Engine.choose("gpu")
    except EngineError as error:
        pytest.skip(str(error))


@pytest.fixture
def make_history() -> MakeHistory:
    """A History from a few purchases.

    `bought` is (days ago, customer, article) a unit; price defaults to 1000 units and channel to 0. Attributes of
    articles and customers are given by key, as `articles={3: {"product": 7}}`; what is not given is null (flags: 0).
    Vectors, of length 1, are given by what they are of and by key.
    """

    def make(
        bought: Iterable[Purchase],
        articles: Mapping[int, Mapping[str, Any]] | None = None,
        customers: Mapping[int, Mapping[str, Any]] | None = None,
        prices: Iterable[int] | None = None,
        channels: Iterable[int] | None = None,
        present: frozenset[str] = EVERY_COLUMN,
        vectors: Mapping[VectorsOf, Mapping[int, Sequence[float]]] | None = None,
    ) -> History:
        rows = list(bought)
        transactions = pl.DataFrame(
            {
                "day": [CUTOFF - ago for ago, _, _ in rows],
                "customer": [customer for _, customer, _ in rows],
                "article": [article for _, _, article in rows],
                "price": list(prices or [1000] * len(rows)),
                "channel": list(channels or [0] * len(rows)),
            },
            schema={"day": pl.Int32, "customer": pl.Int32, "article": pl.Int32, "price": pl.Int32, "channel": pl.Int8},
        )
        first = transactions.group_by("article").agg(first_day=pl.col("day").min())
        catalogue = _table(ARTICLES, {a for _, _, a in rows} | set(articles or ()), articles or {})
        people = _table(CUSTOMERS, {c for _, c, _ in rows} | set(customers or ()), customers or {})
        return History(
            cutoff=CUTOFF,
            transactions=transactions.lazy(),
            articles=catalogue.join(first, on="article").lazy(),
            customers=people.lazy(),
            present=present,
            vectors={of: vector_table(each).lazy() for of, each in (vectors or {}).items()},
        )

    return make


def _table(contract: Iterable[Any], keys: set[int], attributes: Mapping[int, Mapping[str, Any]]) -> pl.DataFrame:
    columns = list(contract)
    defaults = {column.name: 0 if column.kind == "flag" else None for column in columns}
    rows = [defaults | {columns[0].name: key} | dict(attributes.get(key, {})) for key in sorted(keys)]
    return pl.DataFrame(rows, schema={column.name: column.dtype for column in columns})


@pytest.fixture(scope="session")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small generated world in the raw layout: about 16,000 rows."""
    folder = tmp_path_factory.mktemp("world") / "raw"
    synthesize(folder, 0.0005, 7)
    return folder


@pytest.fixture(scope="session")
def data_settings(raw: Path) -> DataSettings:
    return DataSettings(raw=raw, root=raw.parent / "data")


@pytest.fixture(scope="session")
def store(data_settings: DataSettings) -> Store:
    """The generated world, ingested."""
    ingest(data_settings)
    return Store(data_settings.root)


@pytest.fixture(scope="session")
def untranslated() -> Callable[[pl.LazyFrame], list[str]]:
    """What of a plan cuDF can't run, by translating the optimised plan as the GPU engine would. Needs no GPU."""
    translate = pytest.importorskip("cudf_polars.dsl.translate", reason="RAPIDS is not installed here")

    def errors(plan: pl.LazyFrame) -> list[str]:
        found: list[str] = []

        def listen(plan_tree: Any, _: int | None) -> None:
            translator = translate.Translator(plan_tree, pl.GPUEngine(executor="in-memory"))
            translator.translate_ir()
            found.extend(map(repr, translator.errors))

        plan.collect(post_opt_callback=listen)  # type: ignore[call-overload]
        return found

    return errors
