"""Workflows: what they are fitted on, what they return, and what they refuse."""

import dataclasses
import hashlib
import shutil
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError
from hmgpu.data.store import History
from hmgpu.data.tables import TABLES
from hmgpu.parts.models.encode.columns import COLUMNS, LATEST, OF_CUSTOMERS, RECENT, SIDES, columns, listed
from hmgpu.parts.models.encode.rows import article_rows, context_rows, customer_rows
from hmgpu.parts.models.encode.workflow import PADDING, Encoders

from merlin.schema import Tags  # isort: skip  (Merlin comes after its patches)

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*an NVTabular Dataset .* CPU mode"),
    pytest.mark.filterwarnings("ignore:Using the 'subgraph' approach"),
]
CPU = Engine("cpu", "tests")
OPTIONAL = {column.name for table in TABLES.values() for column in table if not column.required}
OTHER, FIRST = 2, 3  # NVTabular's codes for unknown or rare values, and for the most frequent one
DAYS, N = 91, 5


def encoded(encoders: Encoders, history: History) -> dict[str, pl.DataFrame]:
    articles = encoders.articles(history)
    customers = encoders.customers(history, history.customers.select("customer"), articles, N)
    return {"customer": customers, "article": articles}


def digests(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def without(history: History, *names: str) -> History:
    """Return the history as a retailer without these columns has it."""

    def rest(plan: pl.LazyFrame) -> pl.LazyFrame:
        return plan.select(name for name in plan.collect_schema().names() if name not in names)

    tables = {table: rest(getattr(history, table)) for table in ("transactions", "articles", "customers")}
    return dataclasses.replace(history, present=history.present - set(names), **tables)


@pytest.fixture(scope="module")
def history(store) -> History:
    return store.as_of(store.last_complete_week.first_day)


@pytest.fixture(scope="module")
def folder(history, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("encoders")
    Encoders.fit(history, DAYS, CPU, folder)
    return folder


@pytest.fixture(scope="module")
def encoders(folder) -> Encoders:
    return Encoders.load(folder, CPU)


@pytest.fixture(scope="module")
def tables(encoders, history) -> dict[str, pl.DataFrame]:
    return encoded(encoders, history)


@pytest.fixture(scope="module")
def fitted_on(history) -> dict[str, pl.DataFrame]:
    """The rows that each side was fitted on: one for each purchase of the last days."""
    sides = {"customer": customer_rows, "article": article_rows}
    return {
        side: CPU.collect(history.last(DAYS).select(key=side).join(rows(history), on="key"))
        for side, rows in sides.items()
    }


# --- what comes out --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["customer", "article"])
def test_codes_are_by_frequency_and_the_rare_share_one(side, history, fitted_on, tables):
    keys = tables[side].select("key")
    raw = CPU.collect((customer_rows if side == "customer" else article_rows)(history))
    raw = keys.join(raw, on="key", how="left", maintain_order="left")
    for column in (c for c in columns(side, history.present) if c.encoding == "category"):
        counts = fitted_on[side].group_by(column.name).len().filter(pl.col("len") >= column.least)
        ordered = counts.sort("len", column.name, descending=[True, False])[column.name].to_list()
        codes = {value: FIRST + place for place, value in enumerate(ordered)}
        expected = [codes.get(value, OTHER) for value in raw[column.name]]
        assert tables[side][column.name].to_list() == expected, column.name


def test_the_context_knows_all_weeks_of_the_past(encoders, history):
    rows = CPU.collect(context_rows(history).sort("key", "channel"))
    output = encoders.encode("context", rows)
    for column in ("week_of_year", "channel"):
        ordered = rows.group_by(column).len().sort("len", column, descending=[True, False])[column].to_list()
        assert output[column].to_list() == [FIRST + ordered.index(value) for value in rows[column]]
    assert output["week_of_year"].n_unique() == 53


@pytest.mark.parametrize("side", ["customer", "article"])
def test_numbers_have_mean_0_and_deviation_1_over_what_was_bought(side, encoders, fitted_on):
    output = encoders.encode(side, fitted_on[side]).select(pl.col(pl.Float32).cast(pl.Float64))
    assert output.width > 2
    for column in output:
        assert column.null_count() == 0
        assert column.is_finite().all()
        assert column.mean() == pytest.approx(0, abs=1e-4), column.name
        assert column.std() == pytest.approx(1, abs=1e-3), column.name


def test_a_missing_number_is_the_median_one(encoders, fitted_on):
    rows = fitted_on["customer"].head(2)
    middle = fitted_on["customer"]["age"].median()
    both = rows.with_columns(age=pl.Series([None, middle], dtype=pl.Float32))
    output = encoders.encode("customer", both)["age"]
    assert output[0] == output[1]


def test_an_amount_is_normalised_after_its_logarithm(encoders, fitted_on):
    logs = fitted_on["article"]["sales_28"].cast(pl.Float64).log1p()
    expected = (logs - logs.mean()) / logs.std()
    output = encoders.encode("article", fitted_on["article"])["sales_28"].cast(pl.Float64)
    assert (output - expected).abs().max() < 1e-3


def test_the_price_against_that_of_its_type(encoders, fitted_on):
    rows = fitted_on["article"]
    usual = rows.group_by("product_type").agg(usual=pl.col("price").cast(pl.Float64).mean())
    share = rows.join(usual, on="product_type", maintain_order="left")
    share = share["price"].cast(pl.Float64) / share["usual"]
    expected = (share - share.mean()) / share.std()
    output = encoders.encode("article", rows)["type_price"].cast(pl.Float64)
    assert (output - expected).abs().max() < 1e-3


def test_what_was_given_away_gives_no_infinite_share(make_history, tmp_path):
    given_away = {"articles": {1: {"product_type": 1}, 2: {"product_type": 2}}}
    free = make_history([(1, 1, 1), (2, 2, 2), (3, 2, 2)], **given_away, prices=[0, 300, 300])
    encoders = Encoders.fit(free, DAYS, CPU, tmp_path)
    for price in (0, 500):
        now = make_history([(1, 1, 1), (2, 2, 2)], **given_away, prices=[price, 100])
        shares = encoders.articles(now)["type_price"]
        assert shares.is_finite().all()
        assert shares.abs().max() < 10


def test_a_column_of_nothing_but_missing_values_is_0(make_history, tmp_path):
    encoders = Encoders.fit(make_history([(1, 1, 1), (2, 2, 2)]), DAYS, CPU, tmp_path)
    later = make_history([(1, 1, 1)], customers={1: {"age": 40}, 2: {}})
    assert encoders.profiles(later, later.customers.select("customer"))["age"].to_list() == [0.0, 0.0]


@pytest.mark.parametrize("side", ["customer", "article"])
def test_a_row_a_key_sorted_with_plain_types(side, tables, history):
    table = tables[side]
    everybody = getattr(history, f"{side}s").select(side).sort(side).collect()[side]
    assert table["key"].equals(everybody, check_names=False)
    sides = OF_CUSTOMERS if side == "customer" else ("article",)
    expected = {"key": pl.Int32}
    for column in (c for each in sides for c in columns(each, history.present)):
        expected[column.name] = pl.Int32 if column.encoding == "category" else pl.Float32
    if side == "customer":
        expected |= {
            f"{prefix}{c.name}": pl.List(pl.Int32) for c in listed(history.present) for prefix in (RECENT, LATEST)
        }
    assert dict(table.schema) == expected
    assert sum(table.null_count().row(0)) == 0


def test_only_customers_who_are_asked_for_come_back(encoders, history, tables):
    few = tables["customer"].filter(pl.col("key") % 3 == 0)
    asked = few.select(customer="key").lazy()
    assert encoders.customers(history, asked, tables["article"], N).equals(few)


def test_nobody_is_asked_for(encoders, history, tables):
    nobody = pl.LazyFrame(schema={"customer": pl.Int32})
    found = encoders.customers(history, nobody, tables["article"], N)
    assert found.is_empty()
    assert found.schema == tables["customer"].schema


def test_a_customer_without_purchases_has_one_padding_code(tables, history):
    bought = CPU.collect(history.transactions.select(key="customer").unique())
    others = tables["customer"].join(bought, on="key", how="anti")
    assert others.height > 0
    for name in (name for name in others.columns if name.startswith((RECENT, LATEST))):
        assert others[name].to_list() == [[PADDING]] * others.height
        assert PADDING not in tables["customer"].join(bought, on="key", how="semi")[name].explode()


# --- the schema ------------------------------------------------------------------------------------------------------


def test_every_code_is_within_its_domain(encoders, tables):
    for side, sides in (("customer", OF_CUSTOMERS), ("article", ("article",))):
        schema = encoders.schema(*sides)
        assert set(schema.column_names) == set(tables[side].columns) - {"key"}
        for column in schema:
            values = tables[side][column.name]
            if Tags.CATEGORICAL in column.tags:
                assert (values.explode() if column.is_list else values).max() <= column.int_domain.max, column.name
            else:
                assert Tags.CONTINUOUS in column.tags


def test_lists_share_the_domain_of_their_article_column(encoders, history):
    customers, articles = encoders.schema("customer"), encoders.schema("article")
    for column in listed(history.present):
        for prefix in (RECENT, LATEST):
            assert customers[f"{prefix}{column.name}"].is_list
            theirs, own = (
                each.properties["domain"] for each in (customers[f"{prefix}{column.name}"], articles[column.name])
            )
            assert theirs == own


# --- fitted once -----------------------------------------------------------------------------------------------------


def test_loaded_as_saved_wherever_the_folder_lies(history, tmp_path):
    fitted = Encoders.fit(history, DAYS, CPU, tmp_path / "here")
    expected = encoded(fitted, history)
    shutil.move(tmp_path / "here", tmp_path / "there")
    found = encoded(Encoders.load(tmp_path / "there", CPU), history)
    assert all(found[side].equals(expected[side]) for side in expected)


def test_another_fit_in_the_same_place_does_not_reuse_the_first(history, make_history, tmp_path, tables):
    """NVTabular caches tables of categories by path."""
    little = make_history([(1, 1, 1), (2, 2, 2)])
    encoded(Encoders.fit(little, DAYS, CPU, tmp_path / "it"), little)
    shutil.rmtree(tmp_path / "it")
    found = encoded(Encoders.fit(history, DAYS, CPU, tmp_path / "it"), history)
    assert all(found[side].equals(tables[side]) for side in tables)


def test_the_order_of_rows_changes_no_byte(history, folder, tmp_path):
    shuffled = {
        name: CPU.collect(getattr(history, name)).sample(fraction=1.0, shuffle=True, seed=3).lazy()
        for name in ("transactions", "articles", "customers")
    }
    Encoders.fit(dataclasses.replace(history, **shuffled), DAYS, CPU, tmp_path / "again")
    assert digests(tmp_path / "again") == digests(folder)


def test_nothing_is_saved_twice(folder):
    assert sorted(path.name for path in folder.iterdir()) == sorted([*SIDES, "encoders.json"])


def test_the_future_changes_no_byte(store, history, folder, tmp_path):
    """Neither later transactions nor articles that are only sold later change it."""
    whole = store.as_of(store.last_day + 1)
    assert whole.transactions.select(pl.len()).collect().item() > history.transactions.select(pl.len()).collect().item()
    Encoders.fit(whole.before(history.cutoff), DAYS, CPU, tmp_path / "cut")
    assert digests(tmp_path / "cut") == digests(folder)
    Encoders.fit(store.as_of(history.cutoff + 7), DAYS, CPU, tmp_path / "later")
    assert digests(tmp_path / "later") != digests(folder)


def test_days_without_a_purchase_are_refused(make_history, tmp_path):
    with pytest.raises(DataError, match=r"^encode: nothing was bought in the 10 days .*; raise encode.days.$"):
        Encoders.fit(make_history([(11, 1, 1)]), 10, CPU, tmp_path)


# --- what comes later ------------------------------------------------------------------------------------------------


def test_what_was_unknown_then_has_one_code(encoders, history):
    new = 10_000_000
    customers = pl.concat(
        [
            history.customers,
            history.customers.head(1).with_columns(
                customer=pl.lit(new, pl.Int32), postal_code=pl.lit(new, pl.Int32), club=pl.lit(new, pl.Int32)
            ),
        ]
    )
    articles = pl.concat(
        [
            history.articles,
            history.articles.head(1).with_columns(
                article=pl.lit(new, pl.Int32), product=pl.lit(new, pl.Int32), product_type=pl.lit(new, pl.Int32)
            ),
        ]
    )
    sale = history.transactions.head(1).with_columns(customer=pl.lit(new, pl.Int32), article=pl.lit(new, pl.Int32))
    transactions = pl.concat([history.transactions, sale])
    found = encoded(
        encoders, dataclasses.replace(history, customers=customers, articles=articles, transactions=transactions)
    )
    person = found["customer"].row(by_predicate=pl.col("key") == new, named=True)
    article = found["article"].row(by_predicate=pl.col("key") == new, named=True)
    assert [person[name] for name in ("customer", "postal_code", "club")] == [OTHER] * 3
    assert [article[name] for name in ("article", "product", "product_type")] == [OTHER] * 3
    assert person["recent_article"] == person["latest_product_type"] == [OTHER]
    assert article["type_price"] == pytest.approx(0, abs=1)


@pytest.mark.parametrize(
    ("side", "column", "dtype", "now"),
    [
        ("article", "colour", pl.Int64, "int64"),
        ("article", "price", pl.Float64, "float64"),
        ("customer", "club", pl.String, "string"),
        ("context", "channel", pl.Int8, "int8"),
    ],
)
def test_a_column_of_another_type_is_refused(encoders, side, column, dtype, now):
    names = [c for c in columns(side, encoders.present) if c.encoding != "ratio"]
    types = {c.name: pl.Int32 if c.encoding == "category" else pl.Float32 for c in names}
    rows = pl.DataFrame(schema={"key": pl.Int32} | types | {column: dtype})
    with pytest.raises(DataError, match=f"^encode: the {side} column '{column}' was .* and is {now} now; train a new"):
        encoders.encode(side, rows)


@pytest.mark.parametrize(
    ("gone", "side", "column"),
    [
        ("price", "article", "price"),
        ("price", "customer", "price_level"),
        ("colour", "article", "colour"),
        ("product_type", "article", "product_type"),
        ("channel", "customer", "first_channel"),
        ("postal_code", "customer", "postal_code"),
    ],
)
def test_a_column_that_the_data_no_longer_has_is_refused(encoders, history, tables, gone, side, column):
    less = without(history, gone)
    customers = less.customers.select("customer")
    ask = {
        "article": lambda: encoders.articles(less),
        "customer": lambda: encoders.customers(less, customers, tables["article"], N),
    }
    with pytest.raises(
        DataError, match=f"^encode: the {side} column '{column}' was .* and is absent from the data now"
    ):
        ask[side]()


def test_a_column_that_the_context_lacks_is_refused(encoders):
    rows = pl.DataFrame({"key": [1], "week_of_year": [3]}, schema={"key": pl.Int32, "week_of_year": pl.Int32})
    with pytest.raises(DataError, match=r"^encode: the context column 'channel' was int32 .* absent from the data now"):
        encoders.encode("context", rows)


def test_columns_that_the_data_only_has_now_are_passed_over(history, tmp_path):
    """As they would be for the models that were trained without them."""
    new = ("price", "department", "postal_code", "channel")
    less = without(history, *new)
    encoders = Encoders.fit(less, DAYS, CPU, tmp_path)
    before, now = encoded(encoders, less), encoded(encoders, history)
    assert all(now[side].equals(before[side]) for side in before)
    assert "recent_department" not in now["customer"].columns


def test_a_bare_retailer(history, tmp_path):
    bare = without(history, *(history.present & OPTIONAL))
    Encoders.fit(bare, DAYS, CPU, tmp_path)
    encoders = Encoders.load(tmp_path, CPU)
    output = encoded(encoders, bare)
    assert output["article"].columns == ["key", "article", "days_on_sale", "sales_7", "sales_28"]
    assert output["customer"].columns == [
        "key", "customer", "units", "days_since", "week_of_year", "recent_article", "latest_article",
    ]  # fmt: skip
    assert encoders.schema(*OF_CUSTOMERS, "article").column_names


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_rows_come_back_in_order_within_the_domain(encoders, data):
    side = data.draw(st.sampled_from(SIDES))
    raw = [c for c in columns(side, encoders.present) if c.encoding != "ratio"]
    size = data.draw(st.integers(1, 12))
    code = st.integers(-1, 2**31 - 1) | st.integers(-1, 40)
    number = st.none() | st.floats(0, 1e6, width=32)
    columns_given = {"key": pl.Series(range(size), dtype=pl.Int32)}
    for column in raw:
        dtype, values = (pl.Int32, code) if column.encoding == "category" else (pl.Float32, number)
        columns_given[column.name] = pl.Series(data.draw(st.lists(values, min_size=size, max_size=size)), dtype=dtype)
    output = encoders.encode(side, pl.DataFrame(columns_given))
    assert output["key"].to_list() == list(range(size))
    assert sum(output.null_count().row(0)) == 0
    for column in columns(side, encoders.present):
        if column.encoding == "category":
            top = encoders.workflows[side].output_schema[column.name].int_domain.max
            assert output[column.name].is_between(OTHER, top).all()
        else:
            assert output[column.name].is_finite().all()


@pytest.mark.gpu
def test_both_engines_encode_alike(gpu, history, tables, tmp_path):
    Encoders.fit(history, DAYS, gpu, tmp_path)
    found = encoded(Encoders.load(tmp_path, gpu), history)
    for side, expected in tables.items():
        numbers = [c.name for c in COLUMNS if c.encoding != "category" and c.name in expected.columns]
        assert found[side].drop(numbers).equals(expected.drop(numbers))
        apart = found[side].select(numbers).cast(pl.Float64) - expected.select(numbers).cast(pl.Float64)
        assert max(column.abs().max() for column in apart) < 1e-3
