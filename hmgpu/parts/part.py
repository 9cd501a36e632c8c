"""What retrievers, features and rankers have in common, and how they are found.

A part is a frozen, validated config with a few methods, in a file named after its `kind`. Adding one means adding that
file, its test and a line of YAML. One of another package is found through the entry point group `hmgpu.parts`.
"""

import importlib
import pkgutil
import re
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Protocol, Self, TypeVar

import polars as pl
from pydantic import AfterValidator, ConfigDict, Field, PrivateAttr, model_validator

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.core.plugins import offers
from hmgpu.core.source import source_digest
from hmgpu.core.words import did_you_mean
from hmgpu.data.choices import VectorsOf
from hmgpu.data.store import History
from hmgpu.data.tables import names
from hmgpu.parts.auto import Adaptable

Learned = dict[str, pl.LazyFrame]
"""All that a part learns: named tables. A run writes them as Parquet and hands them back as scans."""

Count = Annotated[int, Field(ge=1, lt=2**31)]  # what days and rows are counted in


def _different(windows: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(windows)) < len(windows):
        raise ValueError("a window is named twice")
    return windows


Windows = Annotated[tuple[Count, ...], Field(min_length=1), AfterValidator(_different)]
"""Numbers of days back from the cutoff."""

CATEGORIES = tuple(names("articles", ["code"]))
LEVELS = ("article", *CATEGORIES)


def _known_category(by: str) -> str:
    if by not in CATEGORIES:
        raise ValueError(f"'{by}' is not a category of articles; choose from {', '.join(CATEGORIES)}")
    return by


def _known_level(by: str) -> str:
    if by not in LEVELS:
        raise ValueError(f"'{by}' is not a level of the catalogue; choose from {', '.join(LEVELS)}")
    return by


Category = Annotated[str, AfterValidator(_known_category)]
"""Name of a code column of the articles."""
Level = Annotated[str, AfterValidator(_known_level)]
"""`article`, or the name of a code column of the articles."""

P = TypeVar("P", bound="Part")
T = TypeVar("T")

GROUP = "hmgpu.parts"
"""The entry points that other packages offer parts by: the entry's name is the part's kind, its value the class."""
SOURCE = "source_sha256"
"""What the settings of a part from outside hmgpu say in addition: steps of other code are not taken for its."""


class FittedEncoders(Protocol):
    """Fitted workflows that encode customers and articles; see `parts/models/encode/workflow.py`."""

    @property
    def engine(self) -> Engine:
        """What they run on."""

    @property
    def present(self) -> frozenset[str]:
        """Names of the optional columns that they were fitted on."""

    def articles(self, history: History) -> pl.DataFrame:
        """(key, encoded columns) of all articles of the history."""

    def customers(self, history: History, customers: pl.LazyFrame, articles: pl.DataFrame, n: int) -> pl.DataFrame:
        """(key, encoded columns, lists of the latest `n` articles' codes) of `customers` (customer)."""

    def profiles(self, history: History, customers: pl.LazyFrame) -> pl.DataFrame:
        """(key, encoded columns of customers and the moment) of `customers` (customer)."""

    def schema(self, *sides: Any) -> Any:
        """Merlin's schema of the columns of these sides."""


@dataclass(frozen=True)
class PartContext:
    """What a pipeline lends its parts to work with, in addition to data."""

    engine: Engine
    seed: int
    encoders: Callable[[], FittedEncoders]
    """The workflows, fitted at the oldest training cutoff; a call, since loading them loads Merlin."""
    model: Path | None = None
    """Folder of what `Trained.train` left."""
    cache: Path | None = None
    """Folder of what may be kept from run to run because it is named by all that decides it."""
    kept: dict[Path, Any] | None = None
    """What was loaded of models, for whoever asks about one customer after the other; None keeps nothing in memory."""

    def loaded(self, file: Path, load: Callable[[], T]) -> T:
        """Return what `load` returns of the model in `file`, loaded once where models are kept."""
        if self.kept is None:
            return load()
        if file not in self.kept:
            self.kept[file] = load()
        found: T = self.kept[file]
        return found


class Part(Adaptable):
    """Settings of one part. Frozen: what it learns is tables, it keeps no state."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    home: ClassVar[str]
    """The package that holds the parts of a base class, one a file."""
    encoded: ClassVar[bool] = False
    """Whether the part works on encoded columns, and so learns again when the workflows are fitted again."""
    _context: PartContext | None = PrivateAttr(default=None)

    def bind(self, context: PartContext) -> Self:
        """This part, with what it needs to work."""
        part = self.model_copy()
        part._context = context
        return part

    @property
    def context(self) -> PartContext:
        assert self._context is not None, f"{self.kind} is not bound to a context: see Part.bind"
        return self._context

    @property
    def kind(self) -> str:
        """The name of the file that the part's class is in; outside of hmgpu its entry point's, else its own name."""
        part = type(self)
        if _is_ours(part):
            return part.__module__.rpartition(".")[2]
        named = [offer.name for offer in offers(GROUP) if offer.loaded is part]
        return named[0] if named else _snake_case(part.__name__)

    def settings(self) -> dict[str, Any]:
        """Kind and settings, as YAML and JSON can hold them; with a hash of the code of a part from outside hmgpu."""
        code = {} if _is_ours(type(self)) else {SOURCE: source_digest(type(self))}
        return {"kind": self.kind, **self.model_dump(mode="json"), **code}

    def idle(self) -> Mapping[str, str]:
        """Settings that do nothing next to the others, by name, and when they would: "with by: gender"."""
        return {}

    @model_validator(mode="after")
    def _no_idle_setting_is_set(self) -> Self:
        for name, when in self.idle().items():
            if getattr(self, name) != type(self).model_fields[name].get_default(call_default_factory=True):
                raise ValueError(f"{name} does nothing here, it counts {when}; leave it out")
        return self

    def needs(self) -> frozenset[str]:
        """Optional columns of the data that this part can't do without; it is left out where one is absent."""
        return frozenset()

    def needs_days(self) -> int:
        """Days of purchases before a cutoff without which it learns nothing from them.

        It is left out where there are fewer before the oldest week that a pipeline learns for.
        """
        return 0

    def needs_packages(self) -> frozenset[str]:
        """Optional packages, by the name under which they are imported, that it can't do without.

        Where one is not installed, a part is left out as it is where a column is absent; see `hmgpu.core.extras`.
        """
        return frozenset()

    def needs_vectors(self) -> frozenset[VectorsOf]:
        """What of the articles it needs vectors of; where the data set has none, a line with this part is refused."""
        return frozenset()

    def uses_vectors(self) -> frozenset[VectorsOf]:
        """What of the articles it takes vectors of where the data set has them: other ones change what it learns."""
        return self.needs_vectors()

    def needs_pictures(self) -> bool:
        """Whether it looks at the articles' pictures; where the data have none, it is left out."""
        return False

    def reads(self) -> tuple[Path, ...]:
        """Files and folders besides the data whose content decides what it learns."""
        return ()


class Learner(Part):
    """A part that works from a History. Both methods return tables as plans, which the engine executes."""

    def learn(self, history: History) -> Learned:
        """Tables about articles and whatever else is true for everybody: learned once a week."""
        return {}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        """Tables about customers, learned for one shard of them after the other.

        Args:
            learned: what `learn` returned.
            audience: the History of these customers alone: what one gets must not depend on who else is in the shard.
        """
        return {}


class Trained(Learner):
    """A part with a model of its own, which is trained before it can learn from a History."""

    refit: Literal["once"] | Count = "once"
    """once: trained at the oldest training cutoff, then applied unchanged to every week; a number: trained again every
    so many weeks of the calendar, 1 for each."""

    @abstractmethod
    def train(self, history: History, folder: Path, work: Path) -> None:
        """Trains on `history` and writes the model into `folder`.

        Args:
            work: where to leave checkpoints; it outlives a kill, so that the training goes on from there.
        """


def kinds(base: type[P]) -> dict[str, type[P]]:
    """Every part of `base` by kind: those in its home folder (by the file's name), and those that packages offer.

    Raises ConfigError where two are of one kind, or an entry point is not a part.
    """
    package = importlib.import_module(base.home)
    found = {}
    for module in pkgutil.iter_modules(package.__path__):
        members = vars(importlib.import_module(f"{package.__name__}.{module.name}")).values()
        for member in members:
            if isinstance(member, type) and issubclass(member, base) and member.__module__.endswith(f".{module.name}"):
                found[module.name] = member
    for offer in offers(GROUP):
        if not (isinstance(offer.loaded, type) and issubclass(offer.loaded, Part)):
            raise ConfigError(f"The entry point '{offer.name}' ({GROUP}) names {offer}, which is not a part.")
        if not issubclass(offer.loaded, base):
            continue
        if offer.name in found:
            other = found[offer.name]
            raise ConfigError(
                f"Two parts are of the kind '{offer.name}': {other.__module__}:{other.__name__} and {offer}; rename "
                "the entry point."
            )
        found[offer.name] = offer.loaded
    return found


def build(base: type[P], name: str, settings: dict[str, Any] | None) -> P:
    """The part that a YAML entry `name: {kind: ..., ...}` asks for; `kind` is `name` where it is not given.

    Raises ConfigError for an unknown kind and pydantic's ValidationError for a wrong setting.
    """
    fields = dict(settings or {})
    kind = fields.pop("kind", name)
    known = kinds(base)
    if not isinstance(kind, str) or kind not in known:
        near = did_you_mean(str(kind), known)
        hint = f"{near} There are" if near else "choose from"
        raise ConfigError(f"'{kind}' is not a kind of {base.__name__.lower()}; {hint} {', '.join(sorted(known))}")
    if not _is_ours(known[kind]):
        fields.pop(SOURCE, None)  # of the code that a run was made with; this one is hashed again
    return known[kind].model_validate(fields)


def _is_ours(part: type[Part]) -> bool:
    return part.__module__.startswith("hmgpu.")


def _snake_case(name: str) -> str:
    """BestSellers is best_sellers, ItemCF is item_cf."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
