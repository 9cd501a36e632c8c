"""Appending a week keeps keys and every purchase once, and a kill at any point leaves the old data set whole."""

import datetime
import gzip
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_world import (
    ARTICLE_RANGE,
    CUSTOMER_RANGE,
    SmallShop,
    Table,
    article_id,
    articles,
    customer_id,
    customers,
    price,
    to_csv,
    transactions,
    tree,
)

from hmgpu.core.errors import DataError
from hmgpu.data.ingest import append, ingest
from hmgpu.data.ingest.build import Arrived
from hmgpu.data.ingest.overlap import AbsorbedError
from hmgpu.data.manifest import Manifest

NEXT = datetime.date(2020, 9, 21)
LATER = datetime.date(2020, 9, 28)


def week_file(shop: SmallShop, name: str, rows: Table) -> Path:
    """Write the transactions of a week next to the raw files."""
    path = shop.raw.parent / name
    path.write_bytes(to_csv(rows))
    return path


def week_folder(shop: SmallShop, articles_: range, customers_: range) -> Path:
    """Write a folder with all three raw files of the next week."""
    folder = SmallShop(shop.raw.parent / "week", shop.root)
    folder.raw.mkdir()
    folder.write("articles", articles(articles_))
    folder.write("customers", customers(customers_))
    folder.write("transactions", transactions(30, articles_, customers_, NEXT, 7))
    return folder.raw


def keys(root: Path, table: str, key: str) -> dict[str, int]:
    """The keys of a table by the retailer's ids; asserts that they are dense."""
    frame = pl.read_parquet(root / Manifest.read(root).table(table))  # type: ignore[arg-type]
    assert frame[key].to_list() == list(range(frame.height))
    return dict(zip(frame[f"{key}_id"], frame[key], strict=True))


def test_the_file_of_the_next_week_is_added(shop: SmallShop) -> None:
    ingest(shop.settings())
    before = shop.purchases()
    path = week_file(shop, "week39.csv", transactions(30, ARTICLE_RANGE, CUSTOMER_RANGE, NEXT, 7))
    summary = append(shop.settings(), path)
    assert (summary.action, summary.rows, summary.warnings) == ("appended", 30, ())
    assert (summary.new_articles, summary.new_customers) == (0, 0)
    assert (summary.first_day, summary.last_day) == (NEXT, NEXT + datetime.timedelta(6))
    manifest = Manifest.read(shop.root)
    manifest.verify(shop.root)
    assert (manifest.rows, shop.purchases().height) == (70, 70)
    assert shop.purchases().filter(pl.col("day") <= before["day"].max()).equals(before)
    assert any("/week39-" in name for name in manifest.files)
    assert ingest(shop.settings()).action == "already there"  # so that `hmgpu run` goes on with the appended week


def test_the_same_file_twice_is_refused(shop: SmallShop) -> None:
    ingest(shop.settings())
    path = week_file(shop, "week39.csv", transactions(30, ARTICLE_RANGE, CUSTOMER_RANGE, NEXT, 7))
    append(shop.settings(), path)
    before = tree(shop.root)
    for again in (path, path.rename(path.with_name("renamed.csv")), shop.file("transactions")):
        with pytest.raises(DataError, match="already in the data set"):
            append(shop.settings(), again if again.exists() else path.with_name("renamed.csv"))
    assert tree(shop.root) == before


def test_new_articles_and_customers_get_the_next_keys(shop: SmallShop) -> None:
    ingest(shop.settings())
    old = [keys(shop.root, "articles", "article"), keys(shop.root, "customers", "customer")]
    before = shop.purchases()
    summary = append(shop.settings(), week_folder(shop, range(12), range(4, 10)))
    assert (summary.new_articles, summary.new_customers) == (4, 3)
    new = [keys(shop.root, "articles", "article"), keys(shop.root, "customers", "customer")]
    for was, now in zip(old, new, strict=True):
        assert was.items() <= now.items()
        fresh = sorted(now.keys() - was.keys())
        assert [now[name] for name in fresh] == list(range(len(was), len(now)))
    assert shop.purchases().filter(pl.col("day") <= before["day"].max()).equals(before)


def test_known_ids_get_new_attributes_and_codes_stay(shop: SmallShop) -> None:
    ingest(shop.settings())
    manifest = Manifest.read(shop.root)
    codes = pl.read_parquet(shop.root / manifest.table("codes"))
    was = pl.read_parquet(shop.root / manifest.table("articles"))
    folder = week_folder(shop, ARTICLE_RANGE, CUSTOMER_RANGE)
    rows = articles(range(2, 4))
    rows[1][1], rows[1][2] = "aaa new", "another name"  # sorts before every known code
    (folder / "articles.csv").write_bytes(to_csv(rows))
    append(shop.settings(), folder)
    manifest = Manifest.read(shop.root)
    grown = pl.read_parquet(shop.root / manifest.table("codes"))
    assert grown.join(codes, on=grown.columns, how="semi").height == codes.height
    new = grown.join(codes, on=grown.columns, how="anti").row(0)
    assert new == ("product", codes.filter(pl.col("column") == "product").height, "aaa new")
    now = pl.read_parquet(shop.root / manifest.table("articles"))
    changed = now.join(was.drop("first_day"), on=was.drop("first_day").columns, how="anti", nulls_equal=True)
    assert changed["article_id"].to_list() == [article_id(2)]
    assert changed["name"].item() == "another name"
    assert changed["product"].item() == new[1]
    assert changed["first_day"].item() == was.filter(pl.col("article_id") == article_id(2))["first_day"].item()


@pytest.mark.parametrize(
    ("first", "warning"),
    [("2020-09-25", "2020-09-21..2020-09-24"), ("2020-08-20", "2020-08-27..2020-09-06"),
     ("2020-09-21", ""), ("2020-08-31", "")],
)  # fmt: skip
def test_gaps_cause_a_warning(shop: SmallShop, first: str, warning: str) -> None:
    ingest(shop.settings())
    start = datetime.date.fromisoformat(first)
    summary = append(
        shop.settings(), week_file(shop, "w.csv", transactions(30, ARTICLE_RANGE, CUSTOMER_RANGE, start, 7))
    )
    assert len(summary.warnings) == bool(warning)
    assert all(warning in text for text in summary.warnings)
    assert shop.purchases().height == 70
    manifest = Manifest.read(shop.root)
    days = shop.purchases()["day"]
    assert (manifest.first_day, manifest.last_day) == (days.min(), days.max())
    sold = shop.purchases().group_by("article_id").agg(first_day=pl.col("day").min())
    table = pl.read_parquet(shop.root / manifest.table("articles")).select("article_id", "first_day")
    assert table.drop_nulls().sort("article_id").equals(sold.sort("article_id"))


def test_new_ids_where_no_tables_are_declared(shop: SmallShop) -> None:
    given = shop.settings(files={"articles": None, "customers": None})
    ingest(given)
    old = keys(shop.root, "articles", "article")
    summary = append(given, week_file(shop, "w.csv", transactions(30, range(1, 14), range(1, 9), NEXT, 7)))
    now = keys(shop.root, "articles", "article")
    assert summary.new_articles == len(now) - len(old) > 0
    assert old.items() <= now.items()


def test_too_many_rows_with_unknown_customers_are_refused(shop: SmallShop) -> None:
    ingest(shop.settings())
    before = tree(shop.root)
    path = week_file(shop, "w.csv", transactions(30, ARTICLE_RANGE, range(5, 9), NEXT, 7))
    with pytest.raises(DataError, match=r"unknown customer.*next to it.*data\.rejected"):
        append(shop.settings(max_bad_rows=0.01), path)
    assert tree(shop.root) == before
    report = next(shop.root.with_name("data.rejected").iterdir())
    assert set(pl.read_csv(report)["reason"]) == {"unknown customer"}


def test_append_refuses_what_it_can_not_use(shop: SmallShop) -> None:
    path = week_file(shop, "w.csv", transactions(30, ARTICLE_RANGE, CUSTOMER_RANGE, NEXT, 7))
    with pytest.raises(DataError, match="hmgpu ingest"):
        append(shop.settings(), path)
    assert not shop.root.exists()
    ingest(shop.settings())
    before = tree(shop.root)
    with pytest.raises(DataError, match="price_unit"):
        append(shop.settings(price_unit="0.01"), path)
    with pytest.raises(DataError, match=r"nowhere\.csv"):
        append(shop.settings(), shop.raw / "nowhere.csv")
    with pytest.raises(DataError, match="transactions_train"):
        append(shop.settings(), shop.root / "transactions")
    assert tree(shop.root) == before


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 3), min_size=14, max_size=14), st.booleans())
def test_any_partition_by_day_gives_the_same_purchases(
    make_shop: Callable[[str], SmallShop], parts: list[int], closed: bool
) -> None:
    files = {} if closed else {"articles": None, "customers": None}
    folder = tempfile.mkdtemp()
    whole, split = make_shop(f"{folder}/whole"), make_shop(f"{folder}/split")
    ingest(whole.settings(files=files))
    header, *rows = whole.read("transactions")
    of_day = dict(zip(sorted({row[0] for row in rows}), parts, strict=True))
    pieces = [[header, *[row for row in rows if of_day[row[0]] == number]] for number in range(4)]
    first, *later = [piece for piece in pieces if len(piece) > 1]
    split.write("transactions", first)
    ingest(split.settings(files=files))
    for number, piece in enumerate(later):
        old = [keys(split.root, "articles", "article"), keys(split.root, "customers", "customer")]
        append(split.settings(files=files), week_file(split, f"{number}.csv", piece))
        assert old[0].items() <= keys(split.root, "articles", "article").items()
        assert old[1].items() <= keys(split.root, "customers", "customer").items()
    assert split.purchases().equals(whole.purchases())
    shutil.rmtree(folder)


KILLED = """
    import os, signal, sys
    import hmgpu.data.ingest.staging, polars as pl
    from pathlib import Path
    from hmgpu.data.ingest import append, ingest
    from hmgpu.data.settings import DataSettings

    verb, raw, root, path, where, count = sys.argv[1:]
    left = int(count)

    def kill_at(call):
        def counted(*args, **kwargs):
            global left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **kwargs)
        return counted

    if where == "write":
        pl.DataFrame.write_parquet = kill_at(pl.DataFrame.write_parquet)
    elif where == "move":
        os.replace = kill_at(os.replace)
    elif where == "remove":
        Path.unlink = kill_at(Path.unlink)
    settings = DataSettings(raw=raw, root=root, max_bad_rows=0.5)
    if verb == "append":
        append(settings, Path(path))
    else:
        ingest(settings)
"""


def run_killed(verb: str, shop: SmallShop, path: Path, where: str, count: int) -> int:
    """Run `KILLED` in a new process; returns its exit status."""
    command = [sys.executable, "-c", textwrap.dedent(KILLED), verb, shop.raw, shop.root, path, where, str(count)]
    return subprocess.run(command, check=False, capture_output=True).returncode


@pytest.mark.parametrize(("where", "count"), [("write", 0), ("write", 2), ("move", 0), ("move", 2), ("move", 5)])
def test_killed_append_leaves_the_old_data_set(make_shop: Callable[[str], SmallShop], where: str, count: int) -> None:
    shop, calm = make_shop("shop"), make_shop("calm")
    ingest(shop.settings())
    ingest(calm.settings())
    folder = week_folder(shop, range(12), range(4, 10))
    before, manifest = shop.purchases(), Manifest.read(shop.root)
    assert run_killed("append", shop, folder, where, count) == -signal.SIGKILL
    assert Manifest.read(shop.root) == manifest
    manifest.verify(shop.root)
    assert shop.purchases().equals(before)
    append(shop.settings(), folder)
    append(calm.settings(), folder)
    assert tree(shop.root) == tree(calm.root)


def test_killed_while_old_files_are_removed(shop: SmallShop) -> None:
    ingest(shop.settings())
    folder = week_folder(shop, range(12), range(4, 10))
    assert run_killed("append", shop, folder, "remove", 1) == -signal.SIGKILL
    Manifest.read(shop.root).verify(shop.root)
    assert shop.purchases().height == 70
    with pytest.raises(DataError, match="already in the data set"):
        append(shop.settings(), folder)


@pytest.mark.parametrize(("where", "count"), [("write", 1), ("move", 3)])
def test_killed_first_ingest_can_be_repeated(make_shop: Callable[[str], SmallShop], where: str, count: int) -> None:
    shop, calm = make_shop("shop"), make_shop("calm")
    assert run_killed("ingest", shop, shop.raw, where, count) == -signal.SIGKILL
    with pytest.raises(DataError, match="no data set"):
        Manifest.read(shop.root)
    ingest(shop.settings())
    ingest(calm.settings())
    assert tree(shop.root) == tree(calm.root)


def test_repeated_rows_are_units_of_one_purchase(shop: SmallShop) -> None:
    row = [str(NEXT), customer_id(1), article_id(1), price(7), "1"]
    ingest(shop.settings())
    append(shop.settings(), week_file(shop, "w.csv", [shop.read("transactions")[0], row, row, row]))
    assert shop.purchases().filter(pl.col("price") == 7).height == 3


def test_replacing_warns_about_appended_files_that_are_lost(shop: SmallShop) -> None:
    ingest(shop.settings())
    append(shop.settings(), week_file(shop, "week.csv", transactions(5, ARTICLE_RANGE, CUSTOMER_RANGE, NEXT, 7)))
    summary = ingest(shop.settings(), replace=True)
    assert any("also held week.csv" in warning for warning in summary.warnings)


def other_bytes(shop: SmallShop, how: str) -> Path:
    """The days of the data set in a file of other bytes, or in a folder."""
    header, *rows = shop.read("transactions")
    if how == "folder":
        folder = week_folder(shop, ARTICLE_RANGE, CUSTOMER_RANGE)
        (folder / "transactions_train.csv").write_bytes(to_csv([header, *rows[::-1]]))
        return folder
    path = week_file(shop, "again.csv", [header, *(rows[::-1] if how == "rows turned round" else rows)])
    if how == "packed":
        packed = path.with_name("again.csv.gz")
        packed.write_bytes(gzip.compress(path.read_bytes()))
        return packed
    if how == "parquet":
        pl.read_csv(path, infer_schema=False).write_parquet(path.with_suffix(".parquet"))
        return path.with_suffix(".parquet")
    return path


@pytest.mark.parametrize("how", ["packed", "rows turned round", "parquet", "folder"])
def test_days_that_are_there_are_not_added_again_whatever_their_bytes(shop: SmallShop, how: str) -> None:
    ingest(shop.settings())
    path = other_bytes(shop, how)
    before = tree(shop.root)
    with pytest.raises(AbsorbedError, match=r"All days of .* with the same rows"):
        append(shop.settings(), path)
    assert tree(shop.root) == before


def test_of_a_rolling_export_only_the_new_days_are_added(shop: SmallShop) -> None:
    ingest(shop.settings())
    header, *rows = shop.read("transactions")
    week = transactions(30, ARTICLE_RANGE, CUSTOMER_RANGE, NEXT, 7)[1:]
    late = [row for row in rows if row[0] >= "2020-09-12"]
    seen: list[Arrived] = []
    summary = append(shop.settings(), week_file(shop, "w.csv", [header, *week, *late[::-1]]), inspect=seen.append)
    assert (summary.rows, summary.left_out, summary.warnings) == (
        30,
        {"of days that are there already, with the same rows": len(late)},
        (),
    )
    assert f"left out: {len(late)} rows, of days that are there already" in str(summary)
    assert (summary.first_day, seen[0].transactions.height) == (NEXT, 30)
    manifest = Manifest.read(shop.root)
    assert (shop.purchases().height, manifest.rows, manifest.sources[-1].rows) == (70, 70, 30)
    append(shop.settings(), week_file(shop, "v.csv", transactions(9, ARTICLE_RANGE, CUSTOMER_RANGE, LATER, 9)))
    assert shop.purchases().height == 79


@pytest.mark.parametrize("change", ["a row less", "a row twice", "another price", "another customer"])
def test_a_day_that_is_there_with_other_rows_is_refused(shop: SmallShop, change: str) -> None:
    ingest(shop.settings())
    header, *rows = shop.read("transactions")
    week = transactions(30, ARTICLE_RANGE, CUSTOMER_RANGE, NEXT, 7)[1:]
    last = [list(row) for row in rows if row[0] == "2020-09-20"]
    if change == "a row less":
        last.pop()
    elif change == "a row twice":
        last.append(last[0])
    elif change == "another price":
        last[0][3] = price(2999)
    else:
        last[0][1] = next(customer_id(n) for n in CUSTOMER_RANGE if customer_id(n) != last[0][1])
    path, before = week_file(shop, "w.csv", [header, *last, *week]), tree(shop.root)
    with pytest.raises(
        DataError, match=rf"w\.csv.* 2020-09-20 \({len(last)} rows here, \d there\); .*--replace"
    ) as raised:
        append(shop.settings(), path)
    assert not isinstance(raised.value, AbsorbedError)
    assert tree(shop.root) == before


@pytest.mark.parametrize("packed", [False, True])
def test_codes_that_lost_their_zeros_are_known(shop: SmallShop, packed: bool) -> None:
    rows = articles(ARTICLE_RANGE)
    for row in rows[1:]:
        row[1] = f"0{row[0][-4:]}"
    shop.write("articles", rows)
    ingest(shop.settings())
    folder = week_folder(shop, ARTICLE_RANGE, CUSTOMER_RANGE)
    for row in rows[1:]:
        row[1] = row[1].lstrip("0")
    (folder / "articles.csv").write_bytes(to_csv(rows))
    if packed:
        pl.read_csv(folder / "articles.csv").write_parquet(folder / "articles.parquet")
        (folder / "articles.csv").unlink()
    before = pl.read_parquet(shop.root / Manifest.read(shop.root).table("articles"))
    summary = append(shop.settings(article_pattern=r"\d{10}"), folder)
    assert [text for text in summary.warnings if "articles.product is" in text and "'1001' for '01001'" in text]
    after = pl.read_parquet(shop.root / Manifest.read(shop.root).table("articles"))
    assert after["product"].equals(before["product"])


def test_ids_that_lost_their_zeros_are_told(shop: SmallShop) -> None:
    given = shop.settings(files={"articles": None, "customers": None}, article_pattern=r"\d+")
    ingest(given)
    row = [str(NEXT), customer_id(1), article_id(1).lstrip("0"), price(7), "1"]
    summary = append(given, week_file(shop, "w.csv", [shop.read("transactions")[0], row]))
    assert summary.warnings[0].startswith("1 new article id may be known in another form, such as '1001' for '0")
