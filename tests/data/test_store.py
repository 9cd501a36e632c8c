"""The Store is the only place that cuts time."""

import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError
from hmgpu.data.ingest import append, ingest
from hmgpu.data.settings import ColumnNames, DataSettings, Files
from hmgpu.data.store import Store
from hmgpu.data.vectors.keep import keep
from hmgpu.data.weeks import Week, date_of, day_number
from hmgpu.testing.pictures import draw_pictures

CPU = Engine("cpu", "tests")

# Weeks start on Wednesday: 2020-09-02, -09 and -16. The data ends on Thursday 2020-09-17, in the middle of a week.
BOUGHT = [
    ("2020-09-03", "ann", "coat"),
    ("2020-09-08", "bob", "coat"),
    ("2020-09-08", "bob", "coat"),
    ("2020-09-09", "ann", "hat"),
    ("2020-09-15", "ann", "coat"),
    ("2020-09-15", "cid", "sock"),
    ("2020-09-16", "bob", "hat"),
    ("2020-09-17", "dan", "belt"),
]
CATALOGUE = ["belt", "coat", "hat", "never", "sock"]  # keys 0, 1, …: ids are sorted
PEOPLE = ["ann", "bob", "cid", "dan", "eve"]


def day(text: str) -> int:
    """The number of the day YYYY-MM-DD."""
    return day_number(datetime.date.fromisoformat(text))


def write(folder: Path, bought: list[tuple[str, str, str]]) -> None:
    """Write raw files with these purchases (day, customer, article)."""
    folder.mkdir(parents=True)
    rows = "".join(f"{when},{who},{what},2.5\n" for when, who, what in bought)
    (folder / "bought.csv").write_text("t_dat,customer_id,article_id,price\n" + rows)
    (folder / "goods.csv").write_text("article_id\n" + "".join(f"{name}\n" for name in CATALOGUE))
    (folder / "people.csv").write_text("customer_id,age\n" + "".join(f"{name},30\n" for name in PEOPLE))


def described(raw: Path, root: Path) -> DataSettings:
    """The settings for the raw files of `write`."""
    absent = {name: None for name in ColumnNames().of("articles") if name != "article"}
    people = {name: None for name in ColumnNames().of("customers") if name not in ("customer", "age")}
    return DataSettings(
        raw=raw,
        root=root,
        files=Files(transactions="bought", articles="goods", customers="people"),
        columns=ColumnNames(transactions={"channel": None}, articles=absent, customers=people),
        article_pattern="[a-z]+",
        customer_pattern="[a-z]+",
        price_unit="0.5",
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The data set of `BOUGHT`."""
    folder = tmp_path_factory.mktemp("small")
    write(folder / "raw", BOUGHT)
    ingest(described(folder / "raw", folder / "data"))
    return Store(folder / "data")


def bought_in(plan: pl.LazyFrame) -> list[tuple[int, str, str]]:
    """The rows of a plan (day, customer, article) with names instead of keys, sorted."""
    rows = CPU.collect(plan.select("day", "customer", "article")).rows()
    return sorted((when, PEOPLE[who], CATALOGUE[what]) for when, who, what in rows)


def before(cutoff: str) -> list[tuple[int, str, str]]:
    """The purchases before a day, like `bought_in`."""
    return sorted((day(when), who, what) for when, who, what in BOUGHT if when < cutoff)


@pytest.mark.parametrize("earlier", ["2020-09-04", "2020-09-09", "2020-09-16", "2020-09-17"])
def test_an_earlier_cut_of_a_history_is_the_history_of_that_day(small, earlier):
    cut = small.as_of(day("2020-09-17")).before(day(earlier))
    asked = small.as_of(day(earlier))
    assert cut.cutoff == asked.cutoff
    assert bought_in(cut.transactions) == before(earlier)
    for table in ("articles", "customers"):
        key = table.removesuffix("s")
        assert CPU.collect(getattr(cut, table).sort(key)).equals(CPU.collect(getattr(asked, table).sort(key)))


def test_a_history_can_not_be_moved_to_a_later_day(small):
    with pytest.raises(ValueError, match="is after the cutoff"):
        small.as_of(day("2020-09-16")).before(day("2020-09-17"))


@pytest.mark.parametrize("cutoff", ["2020-09-04", "2020-09-08", "2020-09-09", "2020-09-10", "2020-09-16", "2020-09-18"])
def test_a_history_holds_exactly_the_days_before_its_cutoff(small, cutoff):
    history = small.as_of(day(cutoff))
    assert history.cutoff == day(cutoff)
    assert bought_in(history.transactions) == before(cutoff)


def test_the_days_of_a_gap_are_not_known_yet(small):
    late = Store(small.root, gap=2)
    history, earlier = late.as_of(day("2020-09-17")), small.as_of(day("2020-09-15"))
    assert history.cutoff == earlier.cutoff == day("2020-09-15")
    assert bought_in(history.transactions) == before("2020-09-15")
    assert CPU.collect(history.articles).equals(CPU.collect(earlier.articles))
    assert bought_in(late.known_before(day("2020-09-17")).transactions) == before("2020-09-17")
    assert late.next_week.first_day == small.next_week.first_day + 2
    assert bought_in(late.as_of(late.next_week.first_day).transactions) == sorted(
        bought_in(small.as_of(day("2020-09-18")).transactions)
    )
    # Of a week file that the cutoff splits the whole is hashed, so days alone would not tell these two apart.
    assert late.digest_before(day("2020-09-17")) not in {small.digest_before(day(f"2020-09-{n}")) for n in (15, 16, 17)}
    with pytest.raises(DataError, match=r"Nothing is known before 2020-09-03"):
        late.as_of(day("2020-09-05"))


def test_an_article_enters_when_it_is_first_sold(small):
    def known(cutoff: str) -> list[str]:
        keys = CPU.collect(small.as_of(day(cutoff)).articles.select("article").sort("article"))["article"]
        return [CATALOGUE[key] for key in keys]

    assert known("2020-09-09") == ["coat"]
    assert known("2020-09-10") == ["coat", "hat"]
    assert known("2020-09-15") == ["coat", "hat"]
    assert known("2020-09-16") == ["coat", "hat", "sock"]
    assert known("2030-01-01") == ["belt", "coat", "hat", "sock"]  # `never` was never sold


LAUNCHED = {"belt": "2020-09-16", "coat": "2020-09-05", "hat": "", "never": "2020-09-09", "sock": "2020-09-09"}


def with_launches(folder: Path, launched: dict[str, str] = LAUNCHED) -> Store:
    """Ingest the shop with launch dates; on 2020-09-17 the belt sells, on the 15th the sock, on the 3rd the coat."""
    write(folder / "raw", BOUGHT)
    rows = "".join(f"{name},{when}\n" for name, when in launched.items())
    (folder / "raw" / "goods.csv").write_text("article_id,since\n" + rows)
    settings = described(folder / "raw", folder / "data")
    columns = settings.columns.model_copy(update={"articles": {**settings.columns.articles, "launched": "since"}})
    ingest(settings.model_copy(update={"columns": columns}))
    return Store(folder / "data")


def test_an_article_enters_on_the_day_of_its_launch(tmp_path):
    """The day itself counts: in the morning it is in the shop. A sale on that day is not known yet."""
    store = with_launches(tmp_path)

    def known(when: str) -> dict[str, str]:
        table = CPU.collect(store.as_of(day(when)).articles.select("article", "first_day").sort("article"))
        return {CATALOGUE[article]: str(date_of(first)) for article, first in table.rows()}

    assert known("2020-09-08") == {"coat": "2020-09-03"}  # sold before its launch
    launched = {"coat": "2020-09-03", "never": "2020-09-09", "sock": "2020-09-09"}
    assert known("2020-09-09") == launched  # the hat is sold that day
    assert known("2020-09-15") == launched | {"hat": "2020-09-09"}
    assert known("2020-09-16") == launched | {"hat": "2020-09-09", "belt": "2020-09-16"}
    earlier = store.as_of(day("2020-09-16")).before(day("2020-09-09")).articles.select("article").sort("article")
    assert [CATALOGUE[key] for key in CPU.collect(earlier)["article"]] == list(launched)
    assert store.present >= {"launched"}


def test_later_launches_change_nothing_that_was_known(tmp_path):
    store = with_launches(tmp_path / "one")
    other = with_launches(tmp_path / "other", LAUNCHED | {"belt": "2020-09-15", "never": "2020-12-24"})
    same = day("2020-09-08")
    assert store.digest_before(same) == other.digest_before(same)
    assert store.digest_before(day("2020-09-15")) != other.digest_before(day("2020-09-15"))


def test_vectors_enter_with_their_articles(tmp_path):
    """`coat` is known first, then `hat`, then `sock`; only the vector of `sock` differs."""
    write(tmp_path / "raw", BOUGHT)
    ingest(described(tmp_path / "raw", tmp_path / "data"))
    seen, hashes = [], []
    for sock in ((1.0, 0.0), (0.0, 1.0)):
        keep(tmp_path / "data", "pictures", pl.Series(["coat", "hat", "sock"]), np.array([[2, 0], [0, 3], sock]), "me")
        store = Store(tmp_path / "data")
        history = store.as_of(day("2020-09-16"))
        cuts = [history, history.before(day("2020-09-15")), store.as_of(day("2020-09-09"))]
        seen.append([CPU.collect(cut.vectors_of("pictures").sort("article")).rows() for cut in cuts])
        hashes.append([store.vectors_before("pictures", day(text)) for text in ("2020-09-16", "2020-09-15")])
    assert seen[0] == [[(1, 2048, 0), (2, 0, 2048), (4, 2048, 0)], [(1, 2048, 0), (2, 0, 2048)], [(1, 2048, 0)]]
    assert seen[1] == [[(1, 2048, 0), (2, 0, 2048), (4, 0, 2048)], *seen[0][1:]]
    assert hashes[0][0] != hashes[1][0]
    assert hashes[0][1] == hashes[1][1]  # what was known before the sock was sold is the same
    for ask in (store.as_of(day("2020-09-16")).vectors_of, lambda of: store.vectors_before(of, day("2020-09-16"))):
        with pytest.raises(DataError, match=r"no vectors of the articles' names and descriptions.*hmgpu vectors text"):
            ask("text")


def test_pictures_are_those_of_the_articles_that_had_appeared(small, monkeypatch, tmp_path):
    dates = (day("2020-09-15"), day("2020-09-16"))

    def hashes() -> list[str]:
        store = Store(small.root)
        monkeypatch.setattr(Store, "place_of_pictures", tmp_path / "images")
        return [store.pictures_before(each) for each in dates]

    for ask in (hashes, lambda: Store(small.root).as_of(dates[0]).picture_files({})):
        with pytest.raises(DataError, match=r"The data set has no pictures: put them into"):
            ask()
    draw_pictures(tmp_path / "images", dict.fromkeys(("coat", "never"), (9, 9, 9)))
    ids = dict(CPU.collect(small.as_of(dates[0]).articles.select("article", "article_id")).iter_rows())
    assert ids == {1: "coat", 2: "hat"}
    found = Store(small.root).as_of(dates[0]).picture_files(ids)
    assert found == {1: tmp_path / "images" / "coa" / "coat.jpg"}
    before = hashes()
    draw_pictures(tmp_path / "images", {"sock": (9, 9, 9)})  # first sold on the 15th
    later = hashes()
    assert later[0] == before[0]
    assert later[1] != before[1]
    draw_pictures(tmp_path / "images", {"coat": (200, 9, 9)})
    assert hashes()[0] != before[0]


def test_all_customers_are_known_at_any_time(small):
    assert CPU.collect(small.as_of(day("2020-09-04")).customers).height == len(PEOPLE)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cutoff=st.integers(day("2020-09-04"), day("2020-09-20")), days=st.integers(1, 20))
def test_the_last_days_end_the_day_before_the_cutoff(small, cutoff, days):
    history = small.as_of(cutoff)
    found = bought_in(history.last(days))
    assert found == [row for row in bought_in(history.transactions) if cutoff - days <= row[0] <= cutoff - 1]
    on_sale = [CATALOGUE[key] for key in CPU.collect(history.on_sale(days).sort("article"))["article"]]
    assert on_sale == sorted({what for _, _, what in found})


def test_nothing_is_known_before_the_second_day(small):
    with pytest.raises(DataError, match=r"Nothing is known before 2020-09-03.*starts on 2020-09-03.*weeks\.train"):
        small.as_of(day("2020-09-03"))


def test_labels_are_what_was_bought_in_the_week_each_pair_once(small):
    def sold(first_day: str) -> list[tuple[str, str]]:
        pairs = CPU.collect(small.sold_in(Week(day(first_day)))).select("customer", "article").rows()
        return sorted((PEOPLE[who], CATALOGUE[what]) for who, what in pairs)

    assert sold("2020-09-02") == [("ann", "coat"), ("bob", "coat")]
    assert sold("2020-09-09") == [("ann", "coat"), ("ann", "hat"), ("cid", "sock")]
    assert sold("2020-09-16") == [("bob", "hat"), ("dan", "belt")]
    # Seven days that are not a week of the files: 2020-09-08..14.
    assert sold("2020-09-08") == [("ann", "hat"), ("bob", "coat")]


def test_a_week_without_rows_has_no_labels(small):
    # A shop may be closed for a week and sell nothing, so this is not an error.
    assert CPU.collect(small.sold_in(Week(day("2020-09-23")))).is_empty()


def test_weeks_when_the_data_ends_in_the_middle_of_one(small):
    assert small.last_day == day("2020-09-17")
    assert str(small.last_complete_week) == "2020-09-09"
    assert str(small.next_week) == "2020-09-18"


def test_weeks_when_the_data_ends_with_one(tmp_path):
    write(tmp_path / "raw", [*BOUGHT, ("2020-09-22", "eve", "sock")])
    ingest(described(tmp_path / "raw", tmp_path / "data"))
    store = Store(tmp_path / "data")
    assert str(store.last_complete_week) == "2020-09-16"
    assert str(store.next_week) == "2020-09-23"


def test_a_week_is_named_by_its_first_day(small):
    assert small.week_of("2020-09-09") == Week(day("2020-09-09"))


@pytest.mark.parametrize("name", ["2020-09-10", "2020-08-19", "2020-10-07", "2020-9-9", "last", "", "2020-09-31"])
def test_the_error_for_an_unknown_week_names_the_valid_ones(small, name):
    with pytest.raises(DataError, match=r"weeks start on wednesdays and the data runs from 2020-09-03 to 2020-09-17"):
        small.week_of(name)


def test_a_history_knows_which_columns_the_retailer_has(small):
    history = small.as_of(day("2020-09-10"))
    assert history.has("price", "age")
    assert not history.has("age", "channel")
    assert not history.has("product")
    assert history.has()
    assert "channel" not in history.transactions.collect_schema()


def test_keys_lead_back_to_the_retailers_ids(small):
    assert CPU.collect(small.article_ids().sort("article"))["article_id"].to_list() == CATALOGUE
    assert CPU.collect(small.customer_ids().sort("customer"))["customer_id"].to_list() == PEOPLE


def test_codes_lead_back_to_what_they_stand_for(store):
    named = CPU.collect(store.as_of(store.last_day + 1).articles.select("section", "section_name").unique())
    stands_for = dict(CPU.collect(store.values("section")).iter_rows())
    assert len(stands_for) == named["section"].n_unique()
    assert CPU.collect(store.values("never heard of")).is_empty()


def test_pictures_are_where_the_raw_files_had_them(tmp_path):
    write(tmp_path / "raw", BOUGHT)
    ingest(described(tmp_path / "raw", tmp_path / "without"))
    assert Store(tmp_path / "without").pictures is None
    (tmp_path / "raw" / "images").mkdir()
    ingest(described(tmp_path / "raw", tmp_path / "data"))
    store = Store(tmp_path / "data")
    assert store.pictures.resolve() == (tmp_path / "raw" / "images").resolve()
    (tmp_path / "raw" / "images").rmdir()
    assert store.pictures is None


def test_more_data_changes_the_digest_and_not_the_past(tmp_path):
    write(tmp_path / "raw", BOUGHT)
    given_settings = described(tmp_path / "raw", tmp_path / "data")
    ingest(given_settings)
    old = Store(tmp_path / "data")
    past, digest = bought_in(old.as_of(day("2020-09-16")).transactions), old.digest
    assert Store(tmp_path / "data").digest == digest
    more = tmp_path / "more.csv"
    more.write_text("t_dat,customer_id,article_id,price\n2020-09-18,eve,never,1\n")
    append(given_settings, more)
    new = Store(tmp_path / "data")
    assert new.digest != digest
    assert bought_in(new.as_of(day("2020-09-16")).transactions) == past
    assert [row[1:] for row in bought_in(new.as_of(day("2020-09-19")).last(1))] == [("eve", "never")]


def test_another_week_does_not_change_the_digest_of_earlier_days(tmp_path):
    write(tmp_path / "raw", BOUGHT)
    given_settings = described(tmp_path / "raw", tmp_path / "data")
    ingest(given_settings)
    old = Store(tmp_path / "data")
    cutoffs = ["2020-09-09", "2020-09-16", "2020-09-17", "2020-09-18"]
    before = {cutoff: old.digest_before(day(cutoff)) for cutoff in cutoffs}
    assert len(set(before.values())) == 4
    more = tmp_path / "more"
    write(more, [("2020-09-23", "eve", "never"), ("2020-09-24", "eve", "a")])
    (more / "goods.csv").write_text("article_id\na\n")
    (more / "people.csv").unlink()
    append(given_settings, more)
    new = Store(tmp_path / "data")
    assert {cutoff: new.digest_before(day(cutoff)) for cutoff in cutoffs} == before
    assert new.digest_before(day("2020-09-24")) != new.digest_before(day("2020-09-23")) == before["2020-09-18"]


def test_without_a_customer_file_new_customers_are_unknown_before_they_buy_and_change_no_digest(tmp_path):
    write(tmp_path / "raw", BOUGHT)
    given = described(tmp_path / "raw", tmp_path / "data")
    settings = given.model_copy(update={"files": given.files.model_copy(update={"customers": None})})
    ingest(settings)
    cutoff = day("2020-09-16")
    before, old = Store(tmp_path / "data").digest_before(cutoff), Store(tmp_path / "data").as_of(cutoff)
    more = tmp_path / "more.csv"
    more.write_text("t_dat,customer_id,article_id,price\n2020-09-23,aaron,hat,1\n")
    append(settings, more)
    store = Store(tmp_path / "data")
    assert store.digest_before(cutoff) == before
    bought = set(old.transactions.collect()["customer"])
    assert set(store.as_of(cutoff).customers.collect()["customer"]) == bought
    assert bought < set(store.as_of(day("2020-09-24")).customers.collect()["customer"])
    # Whoever is asked about has a row, known or not.
    everybody = store.customer_ids().select("customer").sort("customer")
    asked = store.as_of(cutoff).of(everybody).customers.collect()
    assert asked["customer"].equals(everybody.collect()["customer"])
    assert asked.null_count()["customer_id"].item() == asked.height - len(bought)


def test_other_purchases_articles_or_customers_of_the_past_change_its_digest(tmp_path):
    def known(name: str, more: list[tuple[str, str, str]], people: str = "") -> str:
        write(tmp_path / name, BOUGHT)
        settings = described(tmp_path / name, tmp_path / f"{name}-data")
        ingest(settings)
        if more:
            write(tmp_path / f"{name}-more", more)
            table = tmp_path / f"{name}-more" / "people.csv"
            table.write_text(f"customer_id,age\n{people}") if people else table.unlink()
            append(settings, tmp_path / f"{name}-more")
        return Store(tmp_path / f"{name}-data").digest_before(day("2020-09-16"))

    later = ("2020-09-23", "eve", "belt")
    digests = [
        known("as-it-was", []),
        known("late-rows", [("2020-09-14", "eve", "hat"), later]),
        known("sold-before", [("2020-09-14", "eve", "never"), later]),
        known("older", [later], "ann,31\n"),
    ]
    assert len(set(digests)) == 4


def test_a_folder_without_a_data_set(tmp_path):
    with pytest.raises(DataError, match="run `hmgpu ingest` first"):
        Store(tmp_path / "none")


def test_a_changed_or_missing_file_is_found(tmp_path):
    write(tmp_path / "raw", BOUGHT)
    ingest(described(tmp_path / "raw", tmp_path / "data"))
    store = Store(tmp_path / "data")
    store.verify()
    victim = tmp_path / "data" / store.manifest.table("customers")
    victim.write_bytes(victim.read_bytes() + b"x")
    with pytest.raises(DataError, match="not the file that was ingested"):
        store.verify()
    victim.unlink()
    with pytest.raises(DataError, match="can't be read"):
        store.verify()


def test_a_week_in_which_nobody_bought_is_named(tmp_path):
    write(tmp_path / "raw", [*BOUGHT, ("2099-12-31", "eve", "never")])
    ingest(described(tmp_path / "raw", tmp_path / "data"))
    store = Store(tmp_path / "data")
    with pytest.raises(DataError, match=r"Nobody bought anything in the week 2099-12-23 .*`data\.last_day`"):
        _ = store.last_complete_week
    with pytest.raises(DataError, match="Nobody bought anything in the week 2021-09-15"):
        store.week_of("2021-09-15")
