"""The Store: the ingested tables on disk, and the one place that cuts time."""

import datetime
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Literal

import polars as pl

from hmgpu.core.errors import DataError
from hmgpu.data.choices import VectorsOf
from hmgpu.data.manifest import Manifest
from hmgpu.data.settings import Weekday
from hmgpu.data.weeks import Week, date_of, day_number


@dataclass(frozen=True)
class History:
    """All that was known at the start of day `cutoff`: what every part receives.

    It holds no label and can reach none: its plans read week files from before the cutoff only.
    """

    cutoff: int
    """First unknown day, in days since 1970-01-01."""
    transactions: pl.LazyFrame
    """(day, customer, article, price?, channel?), one row a unit bought, day < cutoff."""
    articles: pl.LazyFrame
    """The articles first sold before the cutoff, with `first_day` and their attributes."""
    customers: pl.LazyFrame
    """The customer table. It is a snapshot: ages and flags are as of its export, whatever the cutoff."""
    present: frozenset[str]
    """Names of the optional columns that this retailer has, over all tables."""
    vectors: Mapping[VectorsOf, pl.LazyFrame] = field(default_factory=dict)
    """(article, `v…` int16 in steps of 1/2048) of length 1, by what they are of; only of these articles, and not all of
    them need have one."""

    def last(self, days: int) -> pl.LazyFrame:
        """The transactions of the last `days` days."""
        return self.transactions.filter(pl.col("day") >= self.cutoff - days)

    def before(self, day: int) -> "History":
        """What was known at the start of an earlier `day`. Raises ValueError for a day after the cutoff."""
        if day > self.cutoff:
            raise ValueError(f"day {day} is after the cutoff {self.cutoff}: nothing of it is known")
        articles = self.articles.filter(pl.col("first_day") < day)
        return replace(
            self,
            cutoff=day,
            transactions=self.transactions.filter(pl.col("day") < day),
            articles=articles,
            vectors={of: _only(vectors, articles) for of, vectors in self.vectors.items()},
        )

    def of(self, customers: pl.LazyFrame) -> "History":
        """This history of `customers` (customer) alone: what they bought, and their rows of the customer table."""
        return replace(
            self,
            transactions=self.transactions.join(customers, on="customer", how="semi"),
            customers=self.customers.join(customers, on="customer", how="semi"),
        )

    def has(self, *columns: str) -> bool:
        """Whether the retailer has all these optional columns."""
        return self.present.issuperset(columns)

    def vectors_of(self, of: VectorsOf) -> pl.LazyFrame:
        """Those of `vectors`. Raises DataError where the data set has none."""
        if of not in self.vectors:
            raise DataError(without_vectors(of))
        return self.vectors[of]

    def on_sale(self, days: int) -> pl.LazyFrame:
        """(article) of all articles sold in the last `days` days, each once."""
        return self.last(days).select("article").unique()


class Store:
    """An ingested data set. Raises DataError where `root` holds none."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.manifest = Manifest.read(root)
        self.week_starts: Weekday = self.manifest.settings["week_starts"]  # type: ignore[assignment]
        self._weeks = {name: _week(name) for name in sorted(self.manifest.files) if name.startswith("transactions/")}
        self._digests: dict[int, str] = {}
        self._vector_digests: dict[tuple[VectorsOf, int], str] = {}

    def verify(self) -> None:
        """Raises DataError where a file is missing or is not the one that was ingested."""
        self.manifest.verify(self.root)

    @property
    def digest(self) -> str:
        """Hash of all that the data set holds, vectors aside: see `vectors_before`."""
        vectors = {table.file for table in self.manifest.vectors.values()}
        files = {name: file.sha256 for name, file in sorted(self.manifest.files.items()) if name not in vectors}
        return hashlib.sha256(json.dumps(files).encode()).hexdigest()

    def digest_before(self, day: int) -> str:
        """Hash of all that `as_of(day)` can reach: a week more of data leaves that of earlier days as it was.

        The customer table is a snapshot, so a new one changes it for every day. Files of transactions count whole: for
        a day in the middle of a week, the rest of that week counts too.
        """
        if day not in self._digests:
            files = {name: self.manifest.files[name].sha256 for name in self._names(0, day - 1)}
            articles = self._appeared(day).collect()
            facts = [files, self.manifest.files[self.manifest.table("customers")].sha256, sorted(self.present)]
            self._digests[day] = _digest(json.dumps(facts), articles)
        return self._digests[day]

    def vectors_before(self, of: VectorsOf, day: int) -> str:
        """Hash of the vectors that `as_of(day)` can reach; apart from all else, so that only what uses them is remade
        when they are other ones. Raises DataError where there are none."""
        if (of, day) not in self._vector_digests:
            if of not in self.manifest.vectors:
                raise DataError(without_vectors(of, self.root))
            known = _only(self._scan_vectors(of), self._appeared(day)).sort("article").collect()
            self._vector_digests[of, day] = _digest(of, known)
        return self._vector_digests[of, day]

    @property
    def present(self) -> frozenset[str]:
        """Names of the optional columns that the data has, over all tables."""
        return frozenset(name for table in self.manifest.present.values() for name in table)

    @property
    def pictures(self) -> Path | None:
        """The folder of the articles' pictures; None where the data came without, or the folder is gone since."""
        folder = self.root / self.manifest.images if self.manifest.images else None
        return folder if folder and folder.is_dir() else None

    @property
    def last_day(self) -> int:
        return self.manifest.last_day

    @property
    def last_complete_week(self) -> Week:
        """The latest week whose last day is in the data."""
        week = Week.containing(self.last_day, self.week_starts)
        return week if week.last_day <= self.last_day else week.back(1)

    @property
    def next_week(self) -> Week:
        """The seven days after the last day: what a submission is for."""
        return Week(self.last_day + 1)

    def week_of(self, date: str) -> Week:
        """The week named by its first day, `YYYY-MM-DD`. Raises DataError unless the data has all of such a week."""
        first, last = self.manifest.first_day, self.last_day
        try:
            week = Week(day_number(datetime.date.fromisoformat(date)))
        except ValueError:
            week = Week(last + 1)
        starts = Week.containing(week.first_day, self.week_starts) == week
        if not (starts and first <= week.first_day and week.last_day <= last):
            raise DataError(
                f"No whole week of the data in {self.root} starts on {date}: weeks start on {self.week_starts}s "
                f"and the data runs from {date_of(first)} to {date_of(last)}."
            )
        return week

    def as_of(self, day: int) -> History:
        """What was known at the start of `day` (days since 1970-01-01). Raises DataError when that is nothing."""
        if day <= self.manifest.first_day:
            raise DataError(
                f"Nothing is known before {date_of(day)}: the data in {self.root} starts on "
                f"{date_of(self.manifest.first_day)}; lower weeks.train or take a later weeks.validation."
            )
        past, articles = self._scan_weeks(up_to=day - 1).filter(pl.col("day") < day), self._appeared(day)
        return History(
            cutoff=day,
            transactions=past,
            articles=articles,
            customers=self._scan("customers"),
            present=self.present,
            vectors={of: _only(self._scan_vectors(of), articles) for of in self.manifest.vectors},
        )

    def sold_in(self, week: Week) -> pl.LazyFrame:
        """The labels of `week`: each (customer, article) bought in it, once."""
        return self.purchases_in(week).select("customer", "article").unique()

    def purchases_in(self, week: Week) -> pl.LazyFrame:
        """(day, customer, article) bought in `week`, one row a unit: labels too."""
        sold = self._scan_weeks(week.first_day, week.last_day)
        within = pl.col("day").is_between(week.first_day, week.last_day)
        return sold.filter(within).select("day", "customer", "article")

    def articles(self) -> pl.LazyFrame:
        """The whole catalogue, with what was never sold: no part's to see."""
        return self._scan("articles")

    def article_ids(self) -> pl.LazyFrame:
        """(article, article_id) of the whole catalogue: the way back to the retailer's own ids."""
        return self._scan("articles").select("article", "article_id")

    def customer_ids(self) -> pl.LazyFrame:
        """(customer, customer_id) of every customer."""
        return self._scan("customers").select("customer", "customer_id")

    def values(self, column: str) -> pl.LazyFrame:
        """(code, value) of a column of codes: what they stand for in the retailer's own files."""
        return self.codes().filter(pl.col("column") == column).select("code", "value")

    def codes(self) -> pl.LazyFrame:
        """(column, code, value) of all columns of codes."""
        return self._scan("codes").select("column", "code", "value")

    def _appeared(self, day: int) -> pl.LazyFrame:
        """The articles first sold before `day`."""
        return self._scan("articles").filter(pl.col("first_day") < day)

    def _scan_vectors(self, of: VectorsOf) -> pl.LazyFrame:
        return pl.scan_parquet([self.root / self.manifest.vectors[of].file], glob=False)

    def _scan(self, table: Literal["articles", "customers", "codes"]) -> pl.LazyFrame:
        return pl.scan_parquet([self.root / self.manifest.table(table)], glob=False)

    def week_files(self, since: int, up_to: int) -> list[Path]:
        """The files of transactions that hold days of `since..up_to`, oldest first; they may hold others too."""
        return [self.root / name for name in self._names(since, up_to)]

    def _names(self, since: int, up_to: int) -> list[str]:
        weeks = self._weeks.items()
        return [name for name, week in weeks if week.last_day >= since and week.first_day <= up_to]

    def _scan_weeks(self, since: int = 0, up_to: int = 0) -> pl.LazyFrame:
        """The week files that hold days of `since..up_to`; an explicit list, since cuDF reads no hive partitions."""
        chosen = self.week_files(since, up_to)
        # A week in which nothing was sold has no file; any file has the right columns, and none of its rows.
        plan = pl.scan_parquet(chosen or [self.root / next(iter(self._weeks))], glob=False)
        return plan if chosen else plan.filter(pl.lit(False))


def without_vectors(of: VectorsOf, root: Path | str = "DATA") -> str:
    """What to do about vectors that are wanted and not there."""
    what = {"pictures": "the articles' pictures", "text": "the articles' names and descriptions"}[of]
    command = f"`hmgpu vectors {of} --data {root}"
    return (
        f"The data set has no vectors of {what}: make them with {command} --model NAME_OR_FOLDER`, or bring your own "
        f"with {command} --from FILE`."
    )


def _only(vectors: pl.LazyFrame, articles: pl.LazyFrame) -> pl.LazyFrame:
    """`vectors` (article, …) of these `articles` (article, …)."""
    return vectors.join(articles.select("article"), on="article", how="semi")


def _digest(facts: str, table: pl.DataFrame) -> str:
    """Hash of `facts` and of the content of `table`."""
    known = hashlib.sha256(facts.encode())
    # The oldest layout: newer ones keep the text of rows that were filtered away.
    oldest = pl.CompatLevel.oldest()
    known.update(table.rechunk().write_ipc(None, compat_level=oldest).getbuffer())
    return known.hexdigest()


def _week(name: str) -> Week:
    """The week of a file `transactions/week=YYYY-MM-DD/….parquet`."""
    return Week(day_number(datetime.date.fromisoformat(PurePosixPath(name).parent.name.removeprefix("week="))))
