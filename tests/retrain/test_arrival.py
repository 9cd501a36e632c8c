"""New weeks, checked against the weeks in the data set."""

import json

import polars as pl
import pytest
from season import Season, copied, shuffled

from hmgpu.core.engine import Engine
from hmgpu.data.ingest import append, ingest
from hmgpu.data.store import Store
from hmgpu.pipeline.retrain_settings import Limits
from hmgpu.retrain import weekly
from hmgpu.retrain.arrival import RefusedError, check_arrived, check_last_week

CPU = Engine("cpu", "tests")


def test_the_mean_price_is_in_the_files_own_unit_and_currency(own):
    mean = pl.read_csv(own.weeks[0], infer_schema=False, glob=False)["price"].cast(pl.Float64).mean()
    manifest = own.folder / "data" / "manifest.json"
    content = json.loads(manifest.read_text())
    content["settings"]["currency"] = "kr"
    manifest.write_text(json.dumps(content))
    settings = own.config().data.model_copy(update={"currency": "kr"})
    checked = []
    append(
        settings,
        own.weeks[0],
        inspect=lambda new: checked.extend(check_arrived(Store(settings.root), new, Limits(), CPU)),
    )
    (price,) = [each for each in checked if each.name == "mean price"]
    assert price.value == pytest.approx(mean, rel=1e-6)
    assert price.unit == "kr"


@pytest.fixture
def own(season, tmp_path) -> Season:
    return copied(season, tmp_path / "season")


def add(season: Season, file, limits: Limits | None = None) -> list:
    """Append a file and return the checks of it."""
    checked = []
    settings = season.config().data
    store = Store(settings.root)
    append(settings, file, inspect=lambda new: checked.extend(check_arrived(store, new, limits or Limits(), CPU)))
    return checked


def held(season: Season) -> dict[str, bytes]:
    root = season.folder / "data"
    files = (path for path in root.rglob("*") if path.is_file() and path.name != ".lock")
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def changed(week, name: str, *columns: pl.Expr):
    file = week.with_name(f"{name}.csv")
    pl.read_csv(week, infer_schema=False, glob=False).with_columns(*columns).write_csv(file)
    return file


def test_a_week_like_the_others_joins_them(own):
    checks = add(own, own.weeks[0])
    assert len(checks) == 7
    assert all(check.passed for check in checks)
    assert all(check.passed for check in check_last_week(Store(own.folder / "data"), Limits(), CPU))


@pytest.mark.parametrize(
    ("what", "broken"),
    [
        ("shuffled", "share of repeated purchases"),
        ("dear", "mean price"),
        ("other channel", "share of purchases in another channel"),
        ("a tenth", "number of purchases"),
        ("thrice", "number of purchases"),
        ("a day short", "days without the usual sales"),
    ],
)
def test_a_week_unlike_the_others_is_refused_and_nothing_changes(own, what, broken):
    week = own.weeks[0]
    rows = pl.read_csv(week, infer_schema=False, glob=False)
    file = week.with_name("poisoned.csv")
    if what == "shuffled":
        file = shuffled(week)
    elif what == "dear":
        file = changed(week, "dear", (pl.col("price").cast(pl.Float64) * 2).round(12).cast(pl.String))
    elif what == "other channel":
        file = changed(week, "moved", pl.lit("1").alias("sales_channel_id"))
    elif what == "a tenth":
        rows.gather_every(10).write_csv(file)
    elif what == "thrice":
        pl.concat([rows, rows, rows]).write_csv(file)
    else:
        rows.filter(pl.col("t_dat") != rows["t_dat"].min()).write_csv(file)
    before = held(own)
    with pytest.raises(RefusedError, match=broken) as refused:
        add(own, file)
    assert broken in [check.name for check in refused.value.checks if not check.passed]
    assert held(own) == before


def test_purchases_count_though_they_were_taken_back_since(own):
    """A new week's have had no time for that; where most things come back it would seem to have far too many."""
    file = own.folder / "raw" / "transactions_train.csv"
    rows = pl.read_csv(file, infer_schema=False, glob=False).with_columns(quantity=pl.lit("1"))
    back = pl.concat(rows.gather_every(5, offset).with_columns(quantity=pl.lit("-1")) for offset in range(3))
    pl.concat([rows, back]).write_csv(file)
    config = own.config("data.columns.transactions.quantity=quantity")
    ingest(config.data, replace=True)
    store, limits = Store(config.data.root), Limits(volume=(0.8, 1.25))
    week = changed(own.weeks[0], "gross", pl.lit("1").alias("quantity"))
    append(config.data, week, inspect=lambda new: check_arrived(store, new, limits, CPU))
    check_last_week(Store(config.data.root), limits, CPU)


def without(week, name: str, *places: int):
    """The week's file without its days at `places`."""
    rows = pl.read_csv(week, infer_schema=False)
    gone = rows["t_dat"].unique().sort().gather(places)
    file = week.with_name(f"{name}.csv")
    rows.filter(~pl.col("t_dat").is_in(gone.implode())).write_csv(file)
    return file


def test_a_shop_that_is_closed_on_a_weekday_is_not_refused_for_it(own):
    raw = next((own.folder / "raw").glob("transactions_train*"))
    rows = pl.read_csv(raw, infer_schema=False)
    closed = pl.col("t_dat").str.to_date().dt.weekday() == 6
    rows.filter(~closed).write_csv(raw)
    ingest(own.config().data, replace=True)
    for week in own.weeks[:2]:
        pl.read_csv(week, infer_schema=False).filter(~closed).write_csv(week)
        assert all(check.passed for check in add(own, week))
    with pytest.raises(RefusedError, match="days without the usual sales is 1"):
        add(own, without(own.weeks[2], "and-monday", 3, 5))


def test_days_so_far_are_compared_with_the_same_days_and_a_day_that_never_comes_is_missed(own):
    assert all(check.passed for check in add(own, without(own.weeks[0], "so-far", 4, 5, 6)))
    # Now the week is over, and three of its days are missing.
    with pytest.raises(RefusedError, match="days without the usual sales is 3"):
        add(own, own.weeks[1])
    add(own, without(own.weeks[0], "the-rest", 0, 1, 2, 3))
    assert len(add(own, own.weeks[1])) == 7


def test_limits_that_are_null_let_it_in(own):
    names = ("volume", "missing_days", "new_articles", "price", "channels", "repeats", "unknown")
    assert add(own, shuffled(own.weeks[0]), Limits(**dict.fromkeys(names))) == []
    assert Store(own.folder / "data").manifest.sources[-1].name.startswith("shuffled")


def test_after_a_week_that_never_came_the_next_is_compared_fairly(own):
    for week in (own.weeks[0], own.weeks[2], own.weeks[3]):
        assert all(check.passed for check in add(own, week))


def test_days_of_several_weeks_are_checked_week_by_week(own, tmp_path):
    both = tmp_path / "both.csv"
    pl.concat([pl.read_csv(week, infer_schema=False, glob=False) for week in own.weeks[:2]]).write_csv(both)
    assert len(add(own, both)) == 14


def test_the_last_week_that_is_there_is_checked_too(season, own):
    assert all(check.passed for check in check_last_week(Store(own.folder / "data"), Limits(), CPU))
    append(own.config().data, shuffled(own.weeks[0]))
    with pytest.raises(RefusedError, match="share of repeated purchases"):
        check_last_week(Store(own.folder / "data"), Limits(), CPU)


def test_rows_of_days_that_are_there_are_left_out_and_recorded(own, tmp_path):
    add(own, own.weeks[0])
    both = tmp_path / "both.csv"
    pl.concat([pl.read_csv(week, infer_schema=False, glob=False) for week in own.weeks[1::-1]]).write_csv(both)
    checks = weekly._add_week(own.config(), both, CPU, None)
    (left_out,) = [check for check in checks if "left out" in check.name]
    assert left_out.value == pl.read_csv(own.weeks[0], glob=False).height
    assert left_out.passed
