"""Raw files become a data set with the same bytes each time, in any packing, and nothing is lost."""

import datetime
import gzip
import io
import logging
import os
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from small_world import SmallShop, article_id, articles, customer_id, customers, price, to_csv, tree

from hmgpu.core.errors import BusyError, DataError
from hmgpu.data.ingest import ingest
from hmgpu.data.manifest import Manifest
from hmgpu.data.settings import DataSettings
from hmgpu.data.store import Store
from hmgpu.data.tables import ARTICLES, CUSTOMERS


def test_rows_keys_and_columns(shop: SmallShop) -> None:
    summary = ingest(shop.settings())
    assert (summary.action, summary.rows, summary.bad_rows) == ("ingested", 40, {})
    assert (summary.new_articles, summary.new_customers, summary.prices_rounded) == (8, 6, 0)
    assert (summary.first_day, summary.last_day) == (datetime.date(2020, 9, 7), datetime.date(2020, 9, 20))
    raw = shop.read("transactions")[1:]
    expected = pl.DataFrame(
        [
            (row[2], "12".index(row[4]), row[1], (datetime.date.fromisoformat(row[0]) - datetime.date(1970, 1, 1)).days,
             round(float(row[3]) * 59000))
            for row in raw
        ],
        schema=["article_id", "channel", "customer_id", "day", "price"],
        orient="row",
    )  # fmt: skip
    expected = expected.cast({"channel": pl.Int8, "day": pl.Int32, "price": pl.Int32})
    assert shop.purchases().equals(expected.sort(pl.all()))

    manifest = Manifest.read(shop.root)
    articles = pl.read_parquet(shop.root / manifest.table("articles"))
    assert articles.columns == ["article", "article_id", *[column.name for column in ARTICLES[1:]], "first_day"]
    assert articles["article"].to_list() == list(range(8))
    assert articles["article_id"].is_sorted()
    customers = pl.read_parquet(shop.root / manifest.table("customers"))
    assert customers.columns == ["customer", "customer_id", *[column.name for column in CUSTOMERS[1:]]]
    assert {column.name: column.dtype for column in CUSTOMERS[1:]}.items() <= dict(customers.schema).items()
    assert customers["customer_id"].is_sorted()
    by_id = customers.filter(pl.col("customer_id") == customer_id(5)).row(0, named=True)
    assert (by_id["fn"], by_id["active"], by_id["age"]) == (1, 0, None)
    manifest.verify(shop.root)


def test_weeks_hold_their_days_in_order(shop: SmallShop) -> None:
    ingest(shop.settings())
    names = [name for name in Manifest.read(shop.root).files if name.startswith("transactions/")]
    assert [name.split("/")[1] for name in names] == ["week=2020-09-02", "week=2020-09-09", "week=2020-09-16"]
    for name in names:
        part = pl.read_parquet(shop.root / name)
        first = (datetime.date.fromisoformat(name.split("/")[1].removeprefix("week=")) - datetime.date(1970, 1, 1)).days
        assert part["day"].is_between(first, first + 6).all()
        assert part.equals(part.sort("day", "customer", "article", "price", "channel"))
        assert part.columns == ["day", "customer", "article", "price", "channel"]


def test_first_day_is_the_first_sale(shop: SmallShop) -> None:
    table = shop.read("transactions")
    unsold = table[1][2]
    shop.write("transactions", [row for row in table if row[2] != unsold])
    ingest(shop.settings())
    articles = pl.read_parquet(shop.root / Manifest.read(shop.root).table("articles"))
    sold = shop.purchases().group_by("article_id").agg(pl.col("day").min()).sort("article_id")
    found = articles.select("article_id", day="first_day").sort("article_id")
    assert found.filter(pl.col("article_id") == unsold)["day"].to_list() == [None]
    assert found.drop_nulls().equals(sold)


def test_same_input_same_bytes(make_shop: Callable[[str], SmallShop]) -> None:
    one, other = make_shop("one"), make_shop("other")
    ingest(one.settings())
    ingest(other.settings())
    assert tree(one.root) == tree(other.root)


def test_same_bytes_on_one_thread(make_shop: Callable[[str], SmallShop]) -> None:
    many, one = make_shop("many"), make_shop("one")
    ingest(many.settings())
    code = "from hmgpu.data.ingest import *; import sys; ingest(DataSettings(raw=sys.argv[1], root=sys.argv[2]))"
    command = [sys.executable, "-c", code, one.raw, one.root]
    subprocess.run(command, env=os.environ | {"POLARS_MAX_THREADS": "1"}, check=True)
    assert tree(one.root) == tree(many.root)


def pack(path: Path, ending: str) -> None:
    """Replace a CSV file by one with another ending, packed accordingly."""
    content = path.read_bytes()
    target = path.with_name(path.name.removesuffix(".csv") + ending)
    path.unlink()
    if ending.endswith("gz"):
        target.write_bytes(gzip.compress(content))
    elif ending.endswith("zip"):
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("__MACOSX/._x", b"")
            archive.writestr(path.name, content)
    else:
        frame = pl.read_csv(io.BytesIO(content), infer_schema=ending == ".numbers.parquet")
        target = path.with_suffix(".parquet")
        if ending == ".numbers.parquet" and "t_dat" in frame.columns:
            frame = frame.with_columns(pl.col("t_dat").cast(pl.Date))
        frame.write_parquet(target)


@pytest.mark.parametrize("ending", [".csv.gz", ".gz", ".csv.zip", ".zip", ".parquet", ".numbers.parquet"])
def test_every_packing_gives_the_same_data(make_shop: Callable[[str], SmallShop], ending: str) -> None:
    plain, packed = make_shop("plain"), make_shop("packed")
    ingest(plain.settings())
    for table in ("transactions", "articles", "customers"):
        pack(packed.file(table), ending)
    summary = ingest(packed.settings())
    assert summary.bad_rows == {}
    assert packed.purchases().equals(plain.purchases())
    tables = [shop.root / Manifest.read(shop.root).table("customers") for shop in (plain, packed)]
    assert pl.read_parquet(tables[0]).equals(pl.read_parquet(tables[1]))


def test_the_plainest_of_several_packings_is_read_with_a_warning(shop: SmallShop) -> None:
    (shop.raw / "articles.csv.gz").write_bytes(b"stale")
    summary = ingest(shop.settings())
    assert "articles.csv.gz" in summary.warnings[0]


FORMS = ["bom", "crlf", "no final newline", "blank lines", "quoted", "extra column", "multiline"]


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_csv_that_are_fine(make_shop: Callable[[str], SmallShop], form: str) -> None:
    plain, other = make_shop("plain"), make_shop("other")
    ingest(plain.settings())
    for table in ("transactions", "articles", "customers"):
        path = other.file(table)
        content = path.read_bytes()
        rows = other.read(table)
        if form == "bom":
            content = b"\xef\xbb\xbf" + content
        elif form == "crlf":
            content = content.replace(b"\n", b"\r\n")
        elif form == "no final newline":
            content = content.removesuffix(b"\n")
        elif form == "blank lines":
            content = b"\n" + content.replace(b"\n", b"\n\r\n", 5) + b"\n\n"
        elif form == "quoted":
            content = "".join(",".join(f'"{value}"' for value in row) + "\n" for row in rows).encode()
        elif form == "extra column":
            content = to_csv([[f"x{number}", *row] for number, row in enumerate(rows)])
            content = content.replace(b"x3", b"\xff\xfe")  # not even UTF-8, which doesn't matter in an unused column
        elif form == "multiline" and table == "articles":
            rows[3][-1] = 'first\nsecond, "quoted"\r\nthird'
            content = to_csv(rows)
        path.write_bytes(content)
    assert ingest(other.settings()).bad_rows == {}
    assert other.purchases().equals(plain.purchases())
    if form == "multiline":
        articles = pl.read_parquet(other.root / Manifest.read(other.root).table("articles"))
        assert articles["description"][2] == 'first\nsecond, "quoted"\r\nthird'


def test_own_column_names_units_channels_and_absent_columns(shop: SmallShop) -> None:
    bought = [(row[1], datetime.date.fromisoformat(row[0]), row[2]) for row in shop.read("transactions")[1:]]
    rows = [["cust", "when", "sku"], *[[who, f"{day:%d.%m.%Y}", what] for who, day, what in bought]]
    shop.write("transactions", rows)
    columns = {"day": "when", "customer": "cust", "article": "sku", "price": None, "channel": None}
    settings = shop.settings(
        columns={
            "transactions": columns,
            "articles": {"department": None, "description": None},
            "customers": {"age": None},
        },
        date_format="%d.%m.%Y",
        week_starts="monday",
    )
    assert ingest(settings).rows == 40
    manifest = Manifest.read(shop.root)
    assert manifest.present["transactions"] == ["day", "customer", "article"]
    assert "department" not in manifest.present["articles"]
    assert "age" not in manifest.present["customers"]
    assert shop.purchases().columns == ["article_id", "customer_id", "day"]
    assert [name.split("/")[1] for name in manifest.files if name.startswith("trans")] == [
        "week=2020-09-07",
        "week=2020-09-14",
    ]


def test_without_articles_and_customers_the_transactions_give_the_keys(shop: SmallShop) -> None:
    for table in ("articles", "customers"):
        shop.file(table).unlink()
    settings = shop.settings(files={"articles": None, "customers": None})
    summary = ingest(settings)
    raw = shop.read("transactions")[1:]
    assert summary.new_articles == len({row[2] for row in raw})
    manifest = Manifest.read(shop.root)
    customers = pl.read_parquet(shop.root / manifest.table("customers"))
    assert customers.columns == ["customer", "customer_id"]
    assert customers["customer_id"].to_list() == sorted({row[1] for row in raw})
    articles = pl.read_parquet(shop.root / manifest.table("articles"))
    assert articles.columns == ["article", "article_id", "first_day"]
    assert articles["first_day"].null_count() == 0


def test_prices_off_the_unit_are_rounded_and_counted(shop: SmallShop) -> None:
    rows = shop.read("transactions")
    rows[1][3], rows[2][3] = price(100)[:-9], str(100.4 / 59000)
    shop.write("transactions", rows)
    summary = ingest(shop.settings(max_rounded=0.05))
    assert summary.prices_rounded == 1
    assert "rounded: 1 prices" in str(summary)
    assert shop.purchases().filter(pl.col("price") == 100).height >= 2


def test_cents(shop: SmallShop) -> None:
    rows = shop.read("transactions")
    for number, row in enumerate(rows[1:]):
        row[3] = f"{number}.{number:02d}"
    shop.write("transactions", rows)
    assert ingest(shop.settings(price_unit="0.01")).prices_rounded == 0
    assert shop.purchases()["price"].sort().to_list() == [101 * number for number in range(40)]


def test_again_is_already_there_and_other_input_is_refused(shop: SmallShop) -> None:
    ingest(shop.settings())
    before = tree(shop.root)
    assert ingest(shop.settings()).action == "already there"
    assert ingest(shop.settings(max_bad_rows=0.0)).action == "already there"  # doesn't change what is kept
    with pytest.raises(DataError, match=r"--append.*--replace"):
        ingest(shop.settings(week_starts="monday"))
    shop.write("transactions", shop.read("transactions")[:-1])
    with pytest.raises(DataError, match=r"--append.*--replace"):
        ingest(shop.settings())
    assert tree(shop.root) == before
    assert ingest(shop.settings(), replace=True).rows == 39
    assert not set(before) & set(tree(shop.root)) - {"manifest.json"}
    Manifest.read(shop.root).verify(shop.root)


def test_replace_repairs_a_damaged_manifest(shop: SmallShop) -> None:
    ingest(shop.settings())
    before = tree(shop.root)
    (shop.root / "manifest.json").write_text("{")
    with pytest.raises(DataError, match="damaged"):
        ingest(shop.settings())
    ingest(shop.settings(), replace=True)
    assert tree(shop.root) == before


def test_strays_of_a_killed_ingest_are_removed(shop: SmallShop) -> None:
    ingest(shop.settings())
    before = tree(shop.root)
    for stray in ("transactions/week=2020-09-09/x-00000000.parquet", "transactions/week=1999-01-06/x-0.parquet",
                  "articles-00000000.parquet", "quarantine/x-00000000.csv", ".staging/half"):  # fmt: skip
        (shop.root / stray).parent.mkdir(parents=True, exist_ok=True)
        (shop.root / stray).write_bytes(b"half")
    (shop.root / "notes.txt").write_text("mine")
    ingest(shop.settings())
    assert tree(shop.root) == before | {"notes.txt": tree(shop.root)["notes.txt"]}
    assert not (shop.root / "quarantine").exists()


def test_a_folder_with_other_things_is_left_alone(shop: SmallShop) -> None:
    shop.root.mkdir()
    (shop.root / "thesis.txt").write_text("mine")
    with pytest.raises(DataError, match=r"thesis\.txt"):
        ingest(shop.settings())
    with pytest.raises(DataError, match=r"data\.root"):
        ingest(shop.settings(root=shop.raw))


def test_two_at_once_are_refused(shop: SmallShop) -> None:
    def second(done: int, total: int) -> None:
        with pytest.raises(BusyError, match="Another ingest"):
            ingest(shop.settings())

    assert ingest(shop.settings(), progress=second).rows == 40


def test_progress_and_log(shop: SmallShop, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[tuple[int, int]] = []
    with caplog.at_level(logging.INFO, logger="hmgpu"):
        ingest(shop.settings(), progress=lambda done, total: seen.append((done, total)))
    size = sum(shop.file(table).stat().st_size for table in ("transactions", "articles", "customers"))
    assert seen[-1] == (size, size)
    assert seen == sorted(seen)
    assert any("read transactions_train.csv: 40 rows, 0 bad" in message for message in caplog.messages)


def test_images_are_referred_to_and_not_copied(shop: SmallShop) -> None:
    (shop.raw / "images").mkdir()
    ingest(shop.settings())
    assert Manifest.read(shop.root).images == "../raw/images"


def test_pictures_are_found_whenever_they_arrive(shop: SmallShop) -> None:
    ingest(shop.settings())
    assert Store(shop.root).pictures is None
    (shop.raw / "images").mkdir()
    assert Store(shop.root).pictures is not None


def test_pictures_are_found_where_the_raw_files_have_moved(shop: SmallShop) -> None:
    ingest(shop.settings())
    elsewhere = SmallShop(shop.raw.rename(shop.raw.with_name("elsewhere")), shop.root)
    assert ingest(elsewhere.settings()).action == "already there"
    assert Store(shop.root).pictures is None
    (elsewhere.raw / "images").mkdir()
    assert ingest(elsewhere.settings()).action == "already there"
    assert Store(shop.root).pictures == elsewhere.raw / "images"


def test_pictures_are_found_from_a_root_that_is_a_link(shop: SmallShop, tmp_path: Path) -> None:
    (tmp_path / "large" / "disk" / "data").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "large" / "disk" / "data")
    (shop.raw / "images").mkdir()
    linked = SmallShop(shop.raw, tmp_path / "link")
    ingest(linked.settings())
    assert Store(linked.root).pictures == shop.raw / "images"


def test_a_data_set_that_knows_no_place_of_pictures_is_told_by_the_next_ingest(shop: SmallShop) -> None:
    ingest(shop.settings())
    manifest = Manifest.read(shop.root)
    (shop.root / "manifest.json").write_bytes(manifest.model_copy(update={"images": None}).to_bytes())
    (shop.raw / "images").mkdir()
    assert ingest(shop.settings()).action == "already there"
    assert Store(shop.root).pictures is not None
    assert Manifest.read(shop.root) == manifest


REAL = os.environ.get("HMGPU_REAL_DATA")


@pytest.mark.skipif(not REAL, reason="HMGPU_REAL_DATA names no folder with H&M's own files")
def test_real_rows_are_all_kept(tmp_path: Path) -> None:
    summary = ingest(DataSettings(raw=Path(str(REAL)), root=tmp_path / "data"))
    assert (summary.rows, summary.bad_rows, summary.prices_rounded) == (30542, {}, 0)
    assert (summary.new_articles, summary.new_customers) == (105542, 1364)
    assert not (tmp_path / "data" / "quarantine").exists()


def raw_of_size(folder: Path, rows: int) -> int:
    """Write a raw folder with so many transactions; returns the size of the transactions file in MiB."""
    folder.mkdir()
    (folder / "articles.csv").write_bytes(to_csv(articles(range(500))))
    (folder / "customers.csv").write_bytes(to_csv(customers(range(5000))))
    draw = np.random.default_rng(0)
    people = pl.Series([customer_id(number) for number in range(5000)])
    goods = pl.Series([article_id(number) for number in range(500)])
    part = 250_000
    with (folder / "transactions_train.csv").open("wb") as file:
        for start in range(0, rows, part):
            pl.DataFrame(
                {
                    "t_dat": pl.Series(draw.integers(18000, 18050, part).astype("int32")).cast(pl.Date),
                    "customer_id": people[draw.integers(0, 5000, part)],
                    "article_id": goods[draw.integers(0, 500, part)],
                    "price": draw.integers(1, 30000, part) / 59000,
                    "sales_channel_id": draw.integers(1, 3, part),
                }
            ).write_csv(file, include_header=not start)
        return file.tell() >> 20


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """2.5 million rows need more memory than a fifth of them for their integers, not for their 220 MB of text."""
    code = """
        import sys
        from pathlib import Path
        from hmgpu.data.ingest import ingest
        from hmgpu.data.settings import DataSettings
        raw = Path(sys.argv[1])
        print(ingest(DataSettings(raw=raw, root=raw / "data")).rows, end=" ")
        # Not getrusage's figure, which starts from the memory of the parent process.
        status = Path("/proc/self/status").read_text()
        print(int(status.partition("VmHWM:")[2].split()[0]) // 1024)
    """

    def peak(rows: int) -> int:
        raw = tmp_path / str(rows)
        assert raw_of_size(raw, rows) > rows / 10_000
        command = [sys.executable, "-c", textwrap.dedent(code), str(raw)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        kept, megabytes = map(int, done.stdout.split())
        assert kept == rows
        return megabytes

    small, large = peak(500_000), peak(2_500_000)
    assert large - small < 200
    assert large < 900
