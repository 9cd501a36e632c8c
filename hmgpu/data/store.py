"""The Store: the ingested tables on disk, and the only place where time is cut."""

import datetime
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import polars as pl

from hmgpu.core.errors import DataError
from hmgpu.core.files import digest_of
from hmgpu.core.parquet import scan_table
from hmgpu.data.choices import VectorsOf
from hmgpu.data.manifest import Manifest
from hmgpu.data.pictures import picture_files, state_of, without_pictures
from hmgpu.data.settings import Weekday
from hmgpu.data.tables import LAUNCHED, TableName
from hmgpu.data.weeks import Week, date_of, day_number, week_of_file


@dataclass(frozen=True)
class History:
    """Everything known at the start of day `cutoff`; every part receives one.

    It holds no labels and can't reach any: its plans only read rows from before the cutoff.
    """

    cutoff: int
    """The first unknown day, in days since 1970-01-01."""
    transactions: pl.LazyFrame
    """(day, customer, article, price?, channel?), one row a unit bought, day < cutoff."""
    articles: pl.LazyFrame
    """The articles that had appeared, with their attributes and the `first_day` of each, the first day on offer.

    That is the day of its first sale, before the cutoff; where the shop says when articles are launched, the day of its
    launch if that is earlier. Articles that are launched on the cutoff day are in the shop when it opens, so they are
    known too, though nobody can have bought them; later ones are not.
    """
    customers: pl.LazyFrame
    """The customer table, a snapshot: ages and flags are as of its export, whatever the cutoff. Without a customer file
    it has the ids of those who bought before the cutoff."""
    present: frozenset[str]
    """Names of the optional columns that this retailer has, over all tables."""
    with_returned: pl.LazyFrame | None = None
    """The transactions and those that were taken back before the cutoff, with the day of that (`returned`); None where
    the data have no returns."""
    vectors: Mapping[VectorsOf, pl.LazyFrame] = field(default_factory=dict)
    """Vectors of length 1 (article, `v…` int16 in steps of 1/2048), by what they describe.

    Only `articles` have one, and not all of them need to.
    """
    pictures: Path | None = None
    """The folder of the articles' pictures, None where there is none. Look for those of `articles` alone."""

    def last(self, days: int) -> pl.LazyFrame:
        """Return the transactions of the last `days` days before the cutoff."""
        return self.transactions.filter(pl.col("day") >= self.cutoff - days)

    def before(self, day: int) -> "History":
        """Return what was known at the start of an earlier `day`; raises ValueError for a day after the cutoff."""
        if day > self.cutoff:
            raise ValueError(f"day {day} is after the cutoff {self.cutoff}, so this history doesn't know it")
        articles = _appeared(self.articles, day, self.present)
        past, with_returned = self.transactions.filter(pl.col("day") < day), None
        if self.with_returned is not None:
            past, with_returned = _known(self.with_returned, day)
        return replace(
            self,
            cutoff=day,
            transactions=past,
            with_returned=with_returned,
            articles=articles,
            vectors={of: _only(vectors, articles) for of, vectors in self.vectors.items()},
        )

    def of(self, customers: pl.DataFrame | pl.LazyFrame) -> "History":
        """Restrict the history to `customers` (customer), each once: their transactions, and a row about each of them.

        Where they are in memory, files are read from the first to the last of them only: see `among`. Who is not in the
        customer table, such as a new customer where there is no customer file, has nulls there.
        """
        asked = customers.lazy().select("customer")
        return replace(
            self,
            transactions=among(self.transactions, customers),
            with_returned=None if self.with_returned is None else among(self.with_returned, customers),
            customers=asked.join(_between(self.customers, customers), on="customer", how="left", maintain_order="left"),
        )

    def has(self, *columns: str) -> bool:
        """Whether the retailer's data has all these optional columns."""
        return self.present.issuperset(columns)

    def vectors_of(self, of: VectorsOf) -> pl.LazyFrame:
        """Return the vectors that describe `of`; raises DataError where the data set has none."""
        if of not in self.vectors:
            raise DataError(without_vectors(of))
        return self.vectors[of]

    def picture_files(self, ids: Mapping[int, str]) -> dict[int, Path]:
        """Return the files of the pictures of those articles that have one, by article.

        Args:
            ids: the retailer's id of each article; take them from `articles`.

        Raises DataError where the data set has no pictures.
        """
        if self.pictures is None:
            raise DataError(without_pictures("DATA"))
        return picture_files(self.pictures, ids)

    def on_sale(self, days: int) -> pl.LazyFrame:
        """Return the articles (article) sold in the last `days` days, each once."""
        return self.last(days).select("article").unique()


class Store:
    """An ingested data set. Raises DataError where `root` holds none."""

    def __init__(self, root: Path, gap: int = 0) -> None:
        """Open the data set in `root`.

        Args:
            gap: days right before each week of which nothing is known yet when the week's lists are made.
        """
        self.root, self.gap = root, gap
        self.manifest = Manifest.read(root)
        self.week_starts: Weekday = self.manifest.settings["week_starts"]  # type: ignore[assignment]
        self._weeks = {
            name: week_of_file(name) for name in sorted(self.manifest.files) if name.startswith("transactions/")
        }
        self._digests: dict[int, str] = {}
        self._vector_digests: dict[tuple[VectorsOf, int], str] = {}
        self._picture_digests: dict[int, str] = {}

    def verify(self) -> None:
        """Raise DataError where a file is missing or was changed since it was ingested."""
        self.manifest.verify(self.root)

    @property
    def digest(self) -> str:
        """Hash of everything in the data set except vectors: see `vectors_before`."""
        vectors = {table.file for table in self.manifest.vectors.values()}
        files = {name: file.sha256 for name, file in sorted(self.manifest.files.items()) if name not in vectors}
        return hashlib.sha256(json.dumps(files).encode()).hexdigest()

    def digest_before(self, day: int) -> str:
        """Hash everything that `as_of(day)` can reach; another week of data doesn't change the hash of earlier days.

        A customer file is a snapshot, so a new one changes the hash of every day; without one, new customers change
        nothing. Files of transactions are hashed whole: for a day in the middle of a week, the rest of that week counts
        too. Where the data have returns, what is known of each file is hashed instead: a return changes the file of
        its purchase, however old that is, but nothing that was known before the return.
        """
        if day not in self._digests:
            files = [self._digest_of_file(name, day) for name in self._names(0, day - 1)]
            articles = self._appeared(day).collect()
            table = self.manifest.files[self.manifest.table("customers")].sha256 if self._has_customer_file else None
            facts = [files, table, sorted(self.present), *([self.gap] if self.gap else [])]
            self._digests[day] = _digest(json.dumps(facts), articles)
        return self._digests[day]

    def vectors_before(self, of: VectorsOf, day: int) -> str:
        """Hash the vectors that `as_of(day)` can reach.

        It is apart from `digest_before`, so that other vectors invalidate only the steps that use vectors. Raises
        DataError where there are none.
        """
        if (of, day) not in self._vector_digests:
            if of not in self.manifest.vectors:
                raise DataError(without_vectors(of, self.root))
            known = _only(self._scan_vectors(of), self._appeared(day)).sort("article").collect()
            self._vector_digests[of, day] = _digest(of, known)
        return self._vector_digests[of, day]

    def pictures_before(self, day: int) -> str:
        """Hash which articles that `as_of(day)` can reach have pictures, and the sizes and times of these."""
        if self.pictures is None:
            raise DataError(without_pictures(self.place_of_pictures))
        if day not in self._picture_digests:
            ids = dict(self._appeared(day).select("article", "article_id").collect().iter_rows())
            files = picture_files(self.pictures, ids)
            self._picture_digests[day] = digest_of({ids[article]: state_of(file) for article, file in files.items()})
        return self._picture_digests[day]

    @property
    def present(self) -> frozenset[str]:
        """Names of the optional columns that the data has, over all tables."""
        return frozenset(name for table in self.manifest.present.values() for name in table)

    @property
    def place_of_pictures(self) -> Path:
        """The folder that pictures belong in, whether or not there are any."""
        return (self.root / (self.manifest.images or "images")).resolve()

    @property
    def pictures(self) -> Path | None:
        """The folder of the articles' pictures; None while there is none."""
        return self.place_of_pictures if self.place_of_pictures.is_dir() else None

    @property
    def last_day(self) -> int:
        return self.manifest.last_day

    @property
    def last_complete_week(self) -> Week:
        """The latest week that ends on or before the last day of the data; DataError where nobody bought in it."""
        week = Week.containing(self.last_day, self.week_starts)
        return self._with_sales(week if week.last_day <= self.last_day else week.back(1))

    @property
    def next_week(self) -> Week:
        """The seven days after the last day of the data and the gap, for which a run recommends."""
        return Week(self.last_day + 1 + self.gap)

    def week_of(self, date: str) -> Week:
        """Return the week that starts on `date` (YYYY-MM-DD).

        Raises DataError unless the data holds all of it, and somebody bought in it.
        """
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
        return self._with_sales(week)

    def _with_sales(self, week: Week) -> Week:
        """Return `week`; raises DataError where nobody bought in it."""
        if week in self._weeks.values():
            return week
        raise DataError(
            f"Nobody bought anything in the week {week} of the data in {self.root}, which ends on "
            f"{date_of(self.last_day)}: append the days that are missing, or, if its last rows have wrong days, set "
            "`data.last_day` and ingest again with `hmgpu ingest --replace`."
        )

    def as_of(self, day: int) -> History:
        """Return what is known of the time before `day` (days since 1970-01-01) when lists from `day` on are made.

        The last days before it, the gap, are not known yet. Raises DataError where nothing is.
        """
        return self.known_before(day - self.gap)

    def known_before(self, day: int) -> History:
        """Return all that happened before `day`, whatever the gap; raises DataError if that is nothing."""
        if day <= self.manifest.first_day:
            raise DataError(
                f"Nothing is known before {date_of(day)}: the data in {self.root} starts on "
                f"{date_of(self.manifest.first_day)}; lower weeks.train or take a later weeks.validation."
            )
        past, with_returned = _known(self._scan_weeks(up_to=day - 1), day)
        articles, customers = self._appeared(day), self._scan("customers")
        if not self._has_customer_file:
            customers = customers.join(past.select("customer").unique(), on="customer", how="semi")
        return History(
            cutoff=day,
            transactions=past,
            with_returned=with_returned,
            articles=articles,
            customers=customers,
            present=self.present,
            vectors={of: _only(self._scan_vectors(of), articles) for of in self.manifest.vectors},
            pictures=self.pictures,
        )

    def sold_in(self, week: Week) -> pl.LazyFrame:
        """Return the labels of `week`: each pair (customer, article) that was bought in it, once."""
        return self.purchases_in(week).select("customer", "article").unique()

    def purchases_in(self, week: Week) -> pl.LazyFrame:
        """Return what was bought in `week` (day, customer, article), one row a unit; these are labels too.

        What was taken back within the week is left out.
        """
        sold = self._scan_weeks(week.first_day, week.last_day)
        within = pl.col("day").is_between(week.first_day, week.last_day)
        return _known(sold, week.last_day + 1)[0].filter(within).select("day", "customer", "article")

    def articles(self) -> pl.LazyFrame:
        """Return the whole catalogue, including articles that never sold; parts must not see it.

        Here `first_day` is the day of the first sale, null while there is none.
        """
        return self._scan("articles")

    def article_ids(self) -> pl.LazyFrame:
        """Return the retailer's own ids of the whole catalogue (article, article_id)."""
        return self._scan("articles").select("article", "article_id")

    def raw_name(self, table: TableName, column: str) -> str:
        """Return what the retailer's own files call a column that the data set has."""
        names: Any = self.manifest.settings["columns"]
        return str(names[table][column])

    def customer_ids(self) -> pl.LazyFrame:
        """Return the retailer's own ids of all customers (customer, customer_id)."""
        return self._scan("customers").select("customer", "customer_id")

    def values(self, column: str) -> pl.LazyFrame:
        """Return what the codes of `column` stand for in the retailer's own files (code, value)."""
        return self.codes().filter(pl.col("column") == column).select("code", "value")

    def codes(self) -> pl.LazyFrame:
        """Return what the codes of all columns stand for (column, code, value)."""
        return self._scan("codes").select("column", "code", "value")

    @property
    def _has_customer_file(self) -> bool:
        files = self.manifest.settings["files"]
        return isinstance(files, dict) and bool(files["customers"])

    def _appeared(self, day: int) -> pl.LazyFrame:
        """The articles that had appeared at the start of `day`, with the first day that they were on offer."""
        return _appeared(self._scan("articles"), day, self.present)

    def _digest_of_file(self, name: str, day: int) -> str:
        _, known = _known(scan_table(self.root / name), day)
        if known is None:
            return self.manifest.files[name].sha256
        # Nulls keep the bytes of the day that they hide. Sorted, since a return moves its purchase among equal ones.
        plain = known.with_columns(pl.col("returned").fill_null(-1)).sort(pl.all())
        return _digest(str(week_of_file(name)), plain.collect())

    def _scan_vectors(self, of: VectorsOf) -> pl.LazyFrame:
        return scan_table(self.root / self.manifest.vectors[of].file)

    def _scan(self, table: Literal["articles", "customers", "codes"]) -> pl.LazyFrame:
        return scan_table(self.root / self.manifest.table(table))

    def week_files(self, since: int, up_to: int) -> list[Path]:
        """Return the week files that overlap the days `since..up_to`, oldest first."""
        return [self.root / name for name in self._names(since, up_to)]

    def _names(self, since: int, up_to: int) -> list[str]:
        weeks = self._weeks.items()
        return [name for name, week in weeks if week.last_day >= since and week.first_day <= up_to]

    def _scan_weeks(self, since: int = 0, up_to: int = 0) -> pl.LazyFrame:
        """Scan the week files that overlap `since..up_to`, as an explicit list: cuDF reads no hive partitions."""
        chosen = self.week_files(since, up_to)
        # A week without sales has no file; then any file gives the columns, and no rows are taken from it.
        plan = scan_table(chosen or [self.root / next(iter(self._weeks))])
        return plan if chosen else plan.filter(pl.lit(False))


def among(rows: pl.LazyFrame, customers: pl.DataFrame | pl.LazyFrame) -> pl.LazyFrame:
    """Keep the `rows` (customer, …) of these `customers` (customer).

    Where these are in memory, the plan asks for the range that they lie in, so that row groups outside of it are not
    read: a shard then costs what its own rows do, however many others there are.
    """
    return _between(rows, customers).join(customers.lazy().select("customer"), on="customer", how="semi")


def _between(rows: pl.LazyFrame, customers: pl.DataFrame | pl.LazyFrame) -> pl.LazyFrame:
    if isinstance(customers, pl.LazyFrame) or customers.is_empty():
        return rows
    first, last = customers.select(first=pl.col("customer").min(), last=pl.col("customer").max()).row(0)
    # Two comparisons: of `is_between` cuDF makes no filter that its Parquet reader could skip row groups by.
    return rows.filter(pl.col("customer") >= first, pl.col("customer") <= last)


def without_vectors(of: VectorsOf, root: Path | str = "DATA") -> str:
    """Say that vectors are missing, and how to get them."""
    what = {"pictures": "the articles' pictures", "text": "the articles' names and descriptions"}[of]
    command = f"`hmgpu vectors {of} --data {root}"
    return (
        f"The data set has no vectors of {what}: compute them with {command} --model NAME_OR_FOLDER`, or import your "
        f"own with {command} --from FILE`."
    )


def _known(bought: pl.LazyFrame, day: int) -> tuple[pl.LazyFrame, pl.LazyFrame | None]:
    """Cut purchases at the start of `day`: without what was taken back before, and with it (None without returns)."""
    before = bought.filter(pl.col("day") < day)
    if "returned" not in before.collect_schema().names():
        return before, None
    # A return on or after the day is not known yet.
    known = before.with_columns(returned=pl.when(pl.col("returned") < day).then(pl.col("returned")))
    return known.filter(pl.col("returned").is_null()).drop("returned"), known


def _appeared(articles: pl.LazyFrame, day: int, present: frozenset[str]) -> pl.LazyFrame:
    """Cut the catalogue at the start of `day`: articles sold before it, or launched on it or before."""
    sold = pl.col("first_day") < day
    if LAUNCHED.name not in present:
        return articles.filter(sold)
    launched = pl.col(LAUNCHED.name)
    earlier = pl.col("first_day").is_null() | (launched < pl.col("first_day"))
    # A first sale on the day or later is not known yet; of articles that are known, the launch is before it then.
    first = pl.when(launched.is_not_null() & earlier).then(launched).otherwise("first_day")
    return articles.filter(sold | (launched <= day)).with_columns(first_day=first)


def _only(vectors: pl.LazyFrame, articles: pl.LazyFrame) -> pl.LazyFrame:
    """Keep the `vectors` (article, …) of these `articles` (article, …)."""
    return vectors.join(articles.select("article"), on="article", how="semi")


def _digest(facts: str, table: pl.DataFrame) -> str:
    """Hash `facts` together with the content of `table`."""
    known = hashlib.sha256(facts.encode())
    # The oldest layout, because newer ones keep the text of rows that were filtered out.
    oldest = pl.CompatLevel.oldest()
    known.update(table.rechunk().write_ipc(None, compat_level=oldest).getbuffer())
    return known.hexdigest()
