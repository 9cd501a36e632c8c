"""Rows of several units are as many purchases, and returns take back purchases from their own day on."""

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_world import SmallShop, Table, article_id, customer_id, price, to_csv, tree

from hmgpu.core.errors import DataError
from hmgpu.data.ingest import append, ingest
from hmgpu.data.ingest.overlap import AbsorbedError
from hmgpu.data.ingest.returns import taken_back
from hmgpu.data.manifest import Manifest
from hmgpu.data.settings import DataSettings
from hmgpu.data.store import History, Store
from hmgpu.data.weeks import Week, day_number

HEADER = ["t_dat", "customer_id", "article_id", "price", "sales_channel_id", "pieces"]
COLUMNS = {"transactions": {"quantity": "pieces"}}


def sale(day: int, who: int, what: int, pieces: str, units: int = 590) -> list[str]:
    """A row of September 2020."""
    return [f"2020-09-{day:02}", customer_id(who), article_id(what), price(units), "1", pieces]


ROWS = [
    sale(7, 1, 1, "1"),
    sale(9, 1, 1, "2", 600),  # the first of these comes back on the 17th, the other on the 24th
    sale(10, 2, 1, "3"),
    sale(10, 2, 1, "-1"),
    sale(11, 2, 2, "1"),
    sale(15, 3, 3, "-1"),  # never bought
    sale(17, 1, 1, "-1"),
    sale(18, 3, 3, "1"),
    sale(22, 2, 2, "1"),
]


def ingested(shop: SmallShop, rows: Table, **given: Any) -> DataSettings:
    """Settings with which `rows` were ingested."""
    shop.write("transactions", [HEADER, *rows])
    described = shop.settings(columns=COLUMNS, **given)
    ingest(described)
    return described


def known(history: History, who: int) -> list[tuple[str, int]]:
    """The purchases of customer 1, 2 or 3 in a history: day and price."""
    ids = pl.DataFrame({"customer_id": [customer_id(who)]}).lazy()
    customers = history.customers.join(ids, on="customer_id", how="semi")
    rows = history.transactions.join(customers, on="customer", how="semi").select("day", "price").sort("day", "price")
    return [(str(datetime.date(1970, 1, 1) + datetime.timedelta(day))[8:], cost) for day, cost in rows.collect().rows()]


def day(text: str) -> int:
    return day_number(datetime.date.fromisoformat(text))


def test_units_are_rows_and_returns_count(shop: SmallShop) -> None:
    shop.write("transactions", [HEADER, *ROWS])
    summary = ingest(shop.settings(columns=COLUMNS))
    assert (summary.rows, summary.bad_rows) == (9, {})
    assert summary.left_out == {
        "returns, which took back a purchase": 2,
        "returns of what was not bought before": 1,
    }
    history = Store(shop.root).as_of(day("2020-09-23"))
    assert known(history, 1) == [("07", 590), ("09", 600)]
    assert known(history, 2) == [("10", 590), ("10", 590), ("11", 590), ("22", 590)]
    assert known(history, 3) == [("18", 590)]
    assert history.transactions.collect_schema().names() == ["day", "customer", "article", "price", "channel"]


def test_a_return_is_unknown_before_its_day(shop: SmallShop, tmp_path: Path) -> None:
    """The past is the same bytes whether or not something comes back later, also when cut from a longer history."""
    ingested(shop, ROWS)
    without = SmallShop(shop.raw, tmp_path / "without")
    ingested(without, [row for row in ROWS if row[0] < "2020-09-16"])
    store = Store(shop.root)
    for cut in (store.as_of(day("2020-09-16")), store.as_of(day("2020-09-23")).before(day("2020-09-16"))):
        assert known(cut, 1) == [("07", 590), ("09", 600), ("09", 600)]
        expected = Store(without.root).as_of(day("2020-09-16")).transactions.sort(pl.all()).collect()
        assert cut.transactions.sort(pl.all()).collect().equals(expected)
        assert cut.with_returned is not None
        assert cut.with_returned.collect()["returned"].drop_nulls().to_list() == [day("2020-09-10")]
    ours = store.as_of(day("2020-09-23")).of(pl.LazyFrame({"customer": [0, 1, 2, 3, 4, 5]}, {"customer": pl.Int32}))
    assert known(ours.before(day("2020-09-16")), 1) == [("07", 590), ("09", 600), ("09", 600)]


def test_the_plans_translate(shop: SmallShop, untranslated: Callable[[pl.LazyFrame], list[str]]) -> None:
    ingested(shop, ROWS)
    store = Store(shop.root)
    history = store.as_of(day("2020-09-23"))
    own = history.of(pl.DataFrame({"customer": [1, 4]}, {"customer": pl.Int32}))
    for plan in (
        history.transactions,
        own.transactions,
        own.customers,
        history.before(day("2020-09-16")).transactions,
        store.purchases_in(Week(day("2020-09-09"))),
    ):
        assert untranslated(plan) == []


def test_labels_are_what_was_kept_at_the_end_of_the_week(shop: SmallShop) -> None:
    ingested(shop, [sale(9, 1, 1, "1"), sale(10, 1, 1, "-1"), sale(9, 2, 2, "1"), sale(16, 2, 2, "-1")])
    bought = Store(shop.root).purchases_in(Week(day("2020-09-09"))).collect()
    assert bought["day"].to_list() == [day("2020-09-09")]
    assert Store(shop.root).sold_in(Week(day("2020-09-09"))).collect().height == 1


def test_an_appended_return_takes_back_what_is_there(shop: SmallShop) -> None:
    described = ingested(shop, ROWS)
    file = shop.raw.parent / "week.csv"
    file.write_bytes(to_csv([HEADER, sale(24, 1, 1, "-1"), sale(24, 1, 2, "1"), sale(25, 3, 1, "-1")]))
    summary = append(described, file)
    assert (summary.rows, summary.left_out) == (
        1,
        {"returns, which took back a purchase": 1, "returns of what was not bought before": 1},
    )
    store = Store(shop.root)
    store.verify()
    assert known(store.as_of(day("2020-09-24")), 1) == [("07", 590), ("09", 600)]
    assert known(store.as_of(day("2020-09-25")), 1) == [("07", 590), ("24", 590)]
    assert known(store.as_of(day("2020-09-17")), 1) == [("07", 590), ("09", 600), ("09", 600)]
    manifest = Manifest.read(shop.root)
    assert sum(entry.rows for name, entry in manifest.files.items() if name.startswith("trans")) == manifest.rows == 10
    assert not set(tree(shop.root)) - {*manifest.files, "manifest.json"}
    for again in ([sale(24, 1, 2, "1"), sale(24, 1, 1, "-1")], ROWS):
        file.write_bytes(to_csv([HEADER, *again]))
        with pytest.raises(AbsorbedError):
            append(described, file)


def test_a_return_changes_the_digests_of_no_day_on_which_it_is_unknown(shop: SmallShop) -> None:
    def digests() -> dict[int, str]:
        store = Store(shop.root)
        return {number: store.digest_before(day(f"2020-09-{number:02}")) for number in range(8, 26)}

    described = ingested(shop, ROWS)
    file, before = shop.raw.parent / "week.csv", digests()
    file.write_bytes(to_csv([HEADER, sale(23, 1, 1, "-1"), sale(25, 1, 2, "1")]))
    append(described, file)
    after = digests()
    assert [number for number in before if before[number] != after[number]] == [24, 25]


def test_in_parts_or_whole_the_same_comes_back(shop: SmallShop, tmp_path: Path) -> None:
    described = ingested(shop, ROWS[:4])
    for start, end in ((4, 6), (6, 7), (7, 9)):
        file = tmp_path / f"{start}.csv"
        file.write_bytes(to_csv([HEADER, *ROWS[start:end]]))
        if start == 6:
            with pytest.raises(DataError, match="returns and no purchase"):
                append(described, file)
            file.write_bytes(to_csv([HEADER, *ROWS[start : end + 1]]))
            append(described, file)
        elif start == 7:
            file.write_bytes(to_csv([HEADER, *ROWS[start + 1 : end]]))
            append(described, file)
        else:
            append(described, file)
    whole = SmallShop(shop.raw, tmp_path / "whole")
    ingested(whole, ROWS)
    assert shop.purchases().equals(whole.purchases())


def test_returns_may_be_dropped(shop: SmallShop) -> None:
    shop.write("transactions", [HEADER, *ROWS])
    summary = ingest(shop.settings(columns=COLUMNS, returns="drop"))
    assert (summary.rows, summary.left_out) == (9, {"returns, as data.returns is drop": 3})
    assert known(Store(shop.root).as_of(day("2020-09-23")), 1) == [("07", 590), ("09", 600), ("09", 600)]
    with pytest.raises(DataError, match=r"another `data\.returns`"):
        append(shop.settings(columns=COLUMNS), shop.file("transactions"))


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [("", "missing quantity"), ("0", "quantity is 0"), ("1.5", "quantity is not a whole number"),
     ("x", "quantity is not a whole number"), ("nan", "quantity is not a whole number"),
     ("inf", "quantity too large"), ("1000000", "quantity too large"), ("-1e9", "quantity too large")],
)  # fmt: skip
def test_a_bad_quantity_goes_to_quarantine(shop: SmallShop, pieces: str, reason: str) -> None:
    shop.write("transactions", [HEADER, *ROWS, sale(12, 1, 1, pieces)])
    assert ingest(shop.settings(columns=COLUMNS)).bad_rows == {reason: 1}


@pytest.mark.parametrize("paid", ["-0.01", "", "free"])
def test_what_a_return_was_worth_does_not_matter(shop: SmallShop, paid: str) -> None:
    back = sale(12, 2, 2, "-1.0")
    back[3] = paid
    shop.write("transactions", [HEADER, *ROWS, back])
    summary = ingest(shop.settings(columns=COLUMNS))
    assert (summary.bad_rows, summary.left_out["returns, which took back a purchase"]) == ({}, 3)


def one_by_one(bought: list[tuple[int, int]], back: list[tuple[int, int]]) -> list[int | None]:
    """The slow, plain form of `taken_back` for one article: bought and back as (day, customer)."""
    events = sorted([(day, 0, who, row) for row, (day, who) in enumerate(bought)] + [(d, 1, w, -1) for d, w in back])
    found: list[int | None] = [None] * len(bought)
    for when, kind, who, _ in events:
        if kind:
            kept = [
                row for row, (day, buyer) in enumerate(bought) if buyer == who and day <= when and found[row] is None
            ]
            if kept:
                found[max(kept, key=lambda row: (bought[row][0], row))] = when
    return found


PAIRS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1)), max_size=12)


@settings(max_examples=80, deadline=None)
@given(PAIRS, PAIRS)
def test_the_latest_purchase_before_a_return_comes_back(
    bought: list[tuple[int, int]], back: list[tuple[int, int]]
) -> None:
    frame = pl.DataFrame(
        {"day": [d for d, _ in bought], "customer": [w for _, w in bought], "article": [0] * len(bought),
         "price": range(len(bought))},
        schema=dict.fromkeys(["day", "customer", "article", "price"], pl.Int32),
    )  # fmt: skip
    returns = pl.DataFrame(
        {"day": [d for d, _ in back], "customer": [w for _, w in back], "article": [0] * len(back),
         "units": [1] * len(back)},
        schema=dict.fromkeys(["day", "customer", "article", "units"], pl.Int32),
    )  # fmt: skip
    assert taken_back(frame, returns).to_list() == one_by_one(bought, back)
