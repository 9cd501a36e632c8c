"""The whole pipeline behind two calls: fit on frames, recommend to customers."""

import shutil
import tempfile
import weakref
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from hmgpu.core.choices import Choice
from hmgpu.core.errors import RunError
from hmgpu.core.frames import Frame, as_polars, is_pandas
from hmgpu.data.frames import write_raw
from hmgpu.data.ingest import ingest
from hmgpu.data.tables import TableName
from hmgpu.pipeline.config import load_config
from hmgpu.pipeline.session import Session, open_session


class _Temporary:
    """A folder that is removed when nothing refers to it any more."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hmgpu-"))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)


class Recommender:
    """A pipeline that is fitted on frames.

        recommender = hmgpu.Recommender().fit(transactions, articles, customers)
        recommender.recommend(["…"], k=12)

    Columns have H&M's names (t_dat, customer_id, article_id, price, …), hmgpu's own (day, customer, article, price, …),
    or those that the settings `data.columns` give, such as `{"data.columns.transactions.customer": "client"}`. Only the
    customer, the article and the day of each purchase are needed: parts that want more leave themselves out.
    """

    def __init__(
        self,
        config: str | Path = "small",
        settings: Mapping[str, Any] | None = None,
        folder: str | Path | None = None,
        engine: Choice | None = None,
    ) -> None:
        """Nothing is loaded or written before `fit`.

        Args:
            config: the path of a YAML file, or the name of a config that comes with hmgpu.
            settings: put over the config, `key.key` to value; a value may be a part.
            folder: where raw files, data set and runs are kept; None is a temporary folder, removed with the object.
            engine: cpu, gpu or auto; None takes the config's.
        """
        self.config, self.settings, self.engine = config, dict(settings or {}), engine
        self._temporary = None if folder else _Temporary()
        self.folder = self._temporary.folder if self._temporary else Path(folder or "")
        self._session: Session | None = None
        self._pandas = False

    def fit(self, transactions: Frame, articles: Frame | None = None, customers: Frame | None = None) -> Self:
        """Learn from all purchases; the ranker is stopped by the last seven days. Returns itself.

        Args:
            transactions: a row for each unit bought. Frames are of Polars or pandas.
            articles: a row an article, with its attributes; None: the articles are those of the transactions.
            customers: a row a customer; None: likewise.

        Raises DataError where a column is missing, or more rows than `data.max_bad_rows` are not what they must be.
        """
        given: dict[TableName, Frame | None] = {
            "transactions": transactions,
            "articles": articles,
            "customers": customers,
        }
        frames = {name: None if frame is None else as_polars(frame, name) for name, frame in given.items()}
        at = {"data.raw": self.folder / "raw", "data.root": self.folder / "data", "runs": self.folder / "runs"}
        wanted = load_config(self.config, {**self.settings, **at}).data
        told = write_raw(frames, wanted)  # names of columns as the settings have them
        chosen = {key: value for key, value in self.settings.items() if key in ("data.channels", "data.week_starts")}
        settings = {**self.settings, **told, **chosen, **at}
        ingest(load_config(self.config, settings).data, replace=True)
        self._session = open_session(self.config, settings, self.engine)
        self._session.keeps = self._temporary
        self._session.train()
        self._pandas = is_pandas(transactions)
        return self

    @property
    def session(self) -> Session:
        """The fitted pipeline, for everything else: evaluate, candidates, features. Raises RunError before `fit`."""
        if self._session is None:
            raise RunError("The recommender is not fitted: call fit(transactions) first.")
        return self._session

    @property
    def run(self) -> Path:
        """The run's folder, with the model, what every part learned and all settings; copy it to keep it."""
        return self.session.run

    def recommend(self, ids: Iterable[Any] | None = None, k: int | None = None) -> Any:
        """(customer_id, rank int32 from 1, article_id) for the seven days after the last purchase.

        Args:
            ids: customers; each list comes once and in their order. None: all customers. Who is not known gets the
                best sellers, and a UserWarning says so.
            k: articles a customer; None takes the whole lists, of twelve unless `lists.k` says otherwise.

        Returns:
            A frame of the kind that `fit` was given, Polars or pandas. Ids are text.
        """
        found = self.session.recommend(ids, k)
        return found.to_pandas() if self._pandas and not is_pandas(found) else found
