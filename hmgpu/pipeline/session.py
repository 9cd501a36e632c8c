"""A pipeline for people: ids and dates in, frames out; each call computes what it needs unless the run has it."""

import datetime
import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from hmgpu.core.choices import Choice
from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.core.files import is_vacant
from hmgpu.core.frames import Frame, as_polars, ids_in, like
from hmgpu.core.html.tiles import Gallery
from hmgpu.core.parquet import read_table, scan_table
from hmgpu.core.threads import use_threads
from hmgpu.data.ingest import ingest
from hmgpu.data.manifest import NAME
from hmgpu.data.store import Store
from hmgpu.data.weeks import Week, date_of
from hmgpu.evaluation.evaluation import Evaluation
from hmgpu.evaluation.report.gallery import gallery
from hmgpu.parts.candidates import KEYS
from hmgpu.pipeline.asked import asked_week, asked_weeks, best_sellers, candidates_of, features_of, in_order, lists_of
from hmgpu.pipeline.config import Config, load_config
from hmgpu.pipeline.evaluate import LISTS, METRICS, PRECISIONS, REPORT
from hmgpu.pipeline.explain import as_frame, explain
from hmgpu.pipeline.ids import Ids
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.pipeline import Pipeline
from hmgpu.pipeline.table import write_table
from hmgpu.pipeline.tracking import track_week

Day = str | datetime.date
"""A week's first day, written YYYY-MM-DD or as a date."""
Settings = Sequence[str] | Mapping[str, Any]
"""`key.key=value` each, or a mapping of `key.key` to values; a value may be a part."""


def open_session(config: str | Path, settings: Settings | None = None, engine: Choice | None = None) -> "Session":
    """Open a config's pipeline, to be worked with from Python.

    Where `data.root` holds no data set yet, the files in `data.raw` are ingested first.

    Args:
        config: the path of a YAML file, or the name of a config that comes with hmgpu, such as base or small.
        settings: put over the config, such as `{"data.root": "data", "retrievers.mine": Mine()}`.
        engine: cpu, gpu or auto; None takes the config's.

    Raises ConfigError, one line for each setting that is wrong; DataError where there is no data; EngineError where
    the GPU is asked for and can't be used.
    """
    loaded = load_config(config, settings)
    use_threads(loaded.threads)  # before the first table is read: Polars' pool keeps its size
    if not (loaded.data.root / NAME).exists() and not is_vacant(loaded.data.raw):
        ingest(loaded.data)
    return Session(open_pipeline(loaded, Engine.choose(engine or loaded.engine)))


class Session:
    """One pipeline over one data set and its run, which keeps every step: what is asked twice is computed once.

    While a method works, the run is locked. Each raises BusyError where another process works on the same run.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        """The pipeline itself, for whatever is not here: see `Pipeline`. Work on it within `pipeline.working()`."""
        self.keeps: object = None
        """Whatever must live as long as the session, such as a temporary folder with its data."""
        self._ids = Ids(pipeline.store, pipeline.engine)

    def __repr__(self) -> str:
        return f"<hmgpu session: data {self.store.root}, run {self.run}, engine {self.pipeline.engine.name}>"

    @property
    def config(self) -> Config:
        """All settings."""
        return self.pipeline.config

    @property
    def store(self) -> Store:
        """The data set."""
        return self.pipeline.store

    @property
    def run(self) -> Path:
        """The run's folder: steps, model, metrics, report."""
        return self.pipeline.run.folder

    @property
    def validation_week(self) -> datetime.date:
        """First day of the week that stops training and is scored."""
        return date_of(self.pipeline.weeks.validation.first_day)

    @property
    def next_week(self) -> datetime.date:
        """The day after the data: the first day that `recommend` is for."""
        return date_of(self.store.next_week.first_day)

    def train(self) -> Path:
        """Fit the ranker; returns the folder of its model."""
        with self.pipeline.working() as pipeline:
            return pipeline.train().folder

    def evaluate(self, week: Day | None = None) -> Evaluation:
        """The figures of a week with the lists behind them; report.html and metrics.json are in the run.

        Args:
            week: None is the validation week; a later one has neither fitted nor stopped the ranker.

        Raises ConfigError for an earlier week, DataError for a day on which no whole week of the data starts.
        """
        on, validation = self._week(week), self.pipeline.weeks.validation
        if on < validation or on == self.store.next_week:
            raise ConfigError(
                f"The week {on} can't be evaluated: the ranker is fitted on what was bought before {validation}, and "
                f"nothing is known of what is bought after the data. Take {validation} or a later week of the data, or "
                "another weeks.validation."
            )
        with self.pipeline.working() as pipeline:
            metrics = pipeline.evaluate(on).resolve()
            track_week(pipeline, "evaluate", metrics)
        folder = metrics.parent
        lists = read_table(folder / LISTS).sort("customer", "rank").select("customer", "rank", "article")
        return Evaluation(
            week=date_of(on.first_day),
            metrics=json.loads((folder / METRICS).read_text(encoding="utf-8")),
            lists=self._ids.named(lists).select("customer_id", "rank", "article_id"),
            average_precision=self._ids.named(read_table(folder / PRECISIONS).sort("customer")),
            report=(self.pipeline.run.folder if on == validation else folder.parent / "report") / REPORT,
        )

    def recommend(self, customers: Iterable[str] | None = None, k: int | None = None) -> Any:
        """(customer_id, rank int32 from 1, article_id) for the week after the data, the best article first.

        Args:
            customers: ids, each list comes once and in their order; None: all customers. Who is not known gets the
                best sellers, as a new customer does, and a UserWarning says so.
            k: articles a customer; None takes the whole lists.

        Returns:
            A Polars frame; a pandas one where `customers` is an object of pandas.

        Raises ConfigError where lists are shorter than `k`.
        """
        asked = self._ids.all_customers() if customers is None else self._ids.customers(ids_in(customers))
        with self.pipeline.working() as pipeline:
            best = best_sellers(pipeline)
            if k is not None and not 1 <= k <= best.height:
                raise ConfigError(
                    f"k is {k}: lists have {best.height} articles (lists.k), so it must be 1 to {best.height}."
                )
            known = asked.select("customer").drop_nulls()
            lists = lists_of(pipeline, None if customers is None else known)
        unknown = asked.filter(pl.col("customer").is_null())["customer_id"].to_list()
        if unknown:
            warnings.warn(_unknown_warning(unknown), stacklevel=2)
        rows = in_order(asked, lists, best).filter(pl.col("rank") <= (k or best.height))
        return like(customers, self._ids.named(rows).select("customer_id", "rank", "article_id"))

    def explain(self, customers: Iterable[str], k: int | None = None) -> pl.DataFrame:
        """(customer_id, rank int32, article_id, sentence, retrievers, contributions): why the lists are what they are.

        `sentence` is for the customer ("Bought together with your Jersey top; best seller in Divided."), `retrievers`
        a list of (retriever, rank, score), `contributions` one of (stage, part, contribution): what the columns of each
        part of the config add to the score, as Shapley values, for each stage that scores (`first` and `then` of a
        cascade), with what every candidate starts from, `start` and `average`. They add up to the stage's score; the
        list is empty where a score isn't such a sum, as a network's.

        Args:
            customers: ids; who is not known gets the best sellers.
            k: articles of each list; None takes the whole lists.
        """
        asked = self._ids.customers(list(dict.fromkeys(ids_in(customers))))
        with self.pipeline.working() as pipeline:
            return as_frame(explain(pipeline, asked, k))

    def candidates(self, week: Day | None = None, customers: Iterable[str] | None = None) -> Any:
        """(customer_id, article_id, `<retriever>_score` float32, `<retriever>_rank` int32, retrievers, best_rank).

        A score and a rank are null where that retriever did not propose the pair; `retrievers` is how many did. There
        are a hundred and more a customer: where there are millions, ask for some.

        Args:
            week: what was known before it decides; None is the validation week. `next_week` is what lists are made of.
            customers: ids; None: those who bought in the week, for `next_week` all customers.

        Returns:
            A Polars frame, sorted by the customers' and articles' keys; a pandas one where `customers` is of pandas.

        Raises DataError for an unknown customer, which it names, and for a day on which no week starts.
        """
        on = self._week(week)
        if customers is not None:
            asked = self._ids.known_customers(ids_in(customers))
        elif on == self.store.next_week:
            asked = self._ids.all_customers()
        else:
            asked = self.pipeline.engine.collect(self.store.sold_in(on).select("customer").unique())
        with self.pipeline.working() as pipeline:
            found = candidates_of(pipeline.context, on, asked.select("customer"))
        return like(customers, self._ids.named(found))

    def features(self, pairs: Frame, week: Day | None = None) -> Any:
        """The `pairs` in their order, with every column that the ranker sees.

        Args:
            pairs: (customer_id, article_id), or what `candidates` returned; other columns are computed again. A pair
                that no retriever proposed has no scores and ranks.
            week: what was known before it decides; None is the validation week.

        Returns:
            A frame of the kind of `pairs`, Polars or pandas.

        Raises DataError for an unknown id, the first of which it names, and for a day on which no week starts.
        """
        on, asked = self._week(week), self._ids.pairs(as_polars(pairs, "pairs"))
        with self.pipeline.working() as pipeline:
            found = features_of(pipeline.context, on, asked.select(KEYS).unique())
        return like(pairs, asked.join(found, on=KEYS, how="left", maintain_order="left").drop(KEYS))

    def table(self, out: str | Path, weeks: Iterable[Day] | None = None, ids: bool = True) -> pl.LazyFrame:
        """All candidates with every retriever's and ranker's score and rank, all features and `bought`: a plan.

        Written as Parquet into the folder `out`, a file for each week and shard of customers, with a `manifest.json`.

        Args:
            out: a new folder, or an earlier table, which is replaced.
            weeks: of past ones the buyers get rows, of `next_week` all customers, and `bought` is null. None: the
                training weeks and the validation week. In weeks that a ranker was fitted on its scores are null.
            ids: the retailer's ids (customer_id, article_id), or int32 keys (customer, article).

        Raises ConfigError for a week before the first training week, DataError for a day on which no week starts,
        RunError where `out` is anything but new, empty or an earlier table.
        """
        with self.pipeline.working() as pipeline:
            asked = asked_weeks(pipeline, None if weeks is None else [str(week) for week in weeks])
            return scan_table(write_table(pipeline, asked, Path(out), ids))

    def show(self, lists: Frame, customers: int = 5) -> Gallery:
        """Lists with the articles' pictures, or with tiles in their colours, under what each customer bought before.

        Args:
            lists: (customer_id, rank, article_id), as `recommend` returns it, or `evaluate().lists`.
            customers: how many of them are shown, the first ones.

        Returns:
            What a notebook draws at the end of a cell; printed, it is text.
        """
        told = as_polars(lists, "lists").select(pl.col("customer_id").cast(pl.String), "rank", "article_id")
        first = told["customer_id"].unique(maintain_order=True).head(customers)
        shown = self._ids.customers(first.to_list())
        return gallery(told.join(shown, on="customer_id", how="semi"), shown, self.store, self.pipeline.engine)

    def _week(self, day: Day | None) -> Week:
        """The week that starts on `day`; None is the validation week."""
        return self.pipeline.weeks.validation if day is None else asked_week(self.pipeline, str(day))


def _unknown_warning(unknown: Sequence[str]) -> str:
    named = ", ".join(unknown[:3]) + (", …" if len(unknown) > 3 else "")
    if len(unknown) == 1:
        return f"1 customer is not in the data and gets the best sellers: {named}"
    return f"{len(unknown):,} customers are not in the data and get the best sellers: {named}"
