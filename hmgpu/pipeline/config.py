"""Read the YAML config into frozen, typed models; an unknown key is an error that names its line and a near key."""

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, ValidationInfo, field_validator

from hmgpu.core.choices import Choice
from hmgpu.core.differing import differing
from hmgpu.core.errors import ConfigError
from hmgpu.core.trackers import Tracker
from hmgpu.core.yaml_problems import Location, Problem, flags_for_numbers
from hmgpu.core.yaml_text import parse
from hmgpu.data.settings import DataSettings, Folder
from hmgpu.parts.auto import AUTO, Adaptable, Measured
from hmgpu.parts.feature import Feature
from hmgpu.parts.from_yaml import part_of, parts_of, problems_of
from hmgpu.parts.negative_sampler import NegativeSampler
from hmgpu.parts.negatives.recalled import Recalled
from hmgpu.parts.part import Count
from hmgpu.parts.ranker import Ranker
from hmgpu.parts.retriever import Retriever
from hmgpu.pipeline.config_files import EXTENDS, PART_SECTIONS, Layers, read_config, unknown_part
from hmgpu.pipeline.exclusions import ListSettings
from hmgpu.pipeline.quotas import Quotas
from hmgpu.pipeline.retrain_settings import RetrainSettings

M = TypeVar("M", bound=BaseModel)

MOVED = {"retrain.tracking": "tracking"}
"""Keys of older configs, and where they are now."""

PLACES = ("data", "runs", "engine", "memory_gb", "threads", "tracking", "retrain")
"""Sections that set where and how a pipeline runs, but not its result: that depends on the data's digest instead."""


class WeekSettings(Adaptable):
    """Weeks that a run trains on and is evaluated on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    train: Annotated[Count, Measured(lambda rhythm: rhythm.weeks)] = 4
    """Number of training weeks, right before the validation week; auto: as many as give 20,000 purchases to learn from,
    from 4 to 52, and at most half of the weeks there are."""
    validation: str | None = None
    """First day (YYYY-MM-DD) of the validation week, which stops training and is scored; null: last complete week.
    Of several weeks that are scored, it is the last."""

    gap: Annotated[int, Field(ge=0, le=28)] = 0
    """Days right before each week that are not known yet when its lists are made: where the sales of a day arrive a day
    later, 1. The weeks that are learned from are known as a whole."""

    refit: bool = False
    """Whether the ranker for weeks after the validation week is fitted again, to as many trees or passes, with the
    training examples of the validation week too. The figures of that week itself stay those of the ranker that never
    trained on it; `evaluate --folds` and `backtest` judge the one that is fitted again."""

    @field_validator("validation", mode="before")
    @classmethod
    def _as_yaml_reads_days(cls, given: Any) -> Any:
        return given.isoformat() if isinstance(given, datetime.date) else given

    @field_validator("validation")
    @classmethod
    def _is_a_day(cls, given: str | None) -> str | None:
        try:
            return given and datetime.date.fromisoformat(given).isoformat()
        except ValueError:
            raise ValueError(f"'{given}' is not a day written YYYY-MM-DD") from None


class EncodeSettings(BaseModel):
    """How the NVTabular workflows, which encode columns for neural models, are fitted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: Count = 182
    """Days before the oldest training cutoff whose purchases the workflows are fitted on."""


class DataConfig(BaseModel):
    """A config that describes a data set and no pipeline, for verbs that need no more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: DataSettings
    """The retailer's data."""
    engine: Choice = "auto"
    """auto, cpu or gpu."""


class Config(Adaptable):
    """All settings of a run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: DataSettings
    """The retailer's data."""
    runs: Folder
    """Folder of the runs."""
    engine: Choice = "auto"
    """auto, cpu or gpu."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 42
    """Seed of everything random."""
    memory_gb: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 12.0
    """Memory to plan for, in GB; it decides into how many shards the customers are split."""
    threads: Count | None = None
    """Threads of each pool (Polars, OpenMP, BLAS); null: one for each processor that this process may use, by its
    affinity and its container's quota."""
    tracking: Tracker = "none"
    """none, mlflow or wandb: the experiment tracker to which settings, figures, curves, model and report of every run,
    evaluation, backtest, tuning and retrain are logged, with the lists of 100 customers, through its own library and
    its own environment variables (MLFLOW_TRACKING_URI, WANDB_API_KEY, …)."""
    weeks: WeekSettings = WeekSettings()
    """Training and validation weeks."""
    encode: EncodeSettings = EncodeSettings()
    """The NVTabular workflows."""
    negatives: Annotated[dict[str, NegativeSampler], Field(min_length=1)] = {"recalled": Recalled()}  # noqa: RUF012 (pydantic copies it)
    """Samplers of negatives, by name like retrievers: articles, not bought by a customer, that the ranker trains on."""
    retrievers: Annotated[dict[str, Retriever], Field(min_length=1)]
    """Retrievers by name; `kind` defaults to the name. The ranker `order` lists their candidates in this order."""
    quotas: Quotas | None = None
    """How many of all retrievers' candidates are kept, by their worth in earlier weeks; null keeps all."""
    features: dict[str, Feature]
    """Feature families by name; `kind` defaults to the name."""
    lists: ListSettings = ListSettings()
    """The lists: how long they are, and what they must not hold."""
    ranker: Ranker
    """The ranker, by `kind`."""
    retrain: RetrainSettings = RetrainSettings()
    """The weekly retrain: limits on the data, when a run is promoted, what is kept, who is notified."""

    _name: str | None = PrivateAttr(None)
    _asked: dict[str, Any] | None = PrivateAttr(None)

    @property
    def name(self) -> str | None:
        """The file or the shipped config that it was loaded from, as it was given; None if from neither."""
        return self._name

    def __eq__(self, other: object) -> bool:
        """Whether all settings are the same, wherever they were loaded from."""
        return isinstance(other, Config) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]  # settings are mappings

    def settings(self) -> dict[str, Any]:
        """Return all settings, those of every part included, as values that YAML and JSON can hold."""
        parts = {
            "retrievers": {name: part.settings() for name, part in self.retrievers.items()},
            "features": {name: part.settings() for name, part in self.features.items()},
            "ranker": self.ranker.settings(),
            "negatives": {name: part.settings() for name, part in self.negatives.items()},
        }
        return self.model_dump(mode="json", exclude=set(parts)) | parts

    def decisive(self) -> dict[str, Any]:
        """Return the settings that decide a result."""
        return decisive(self.settings())

    @property
    def asked(self) -> dict[str, Any]:
        """The decisive settings as they were asked for: some may be `auto` that have a number here."""
        return self._asked or self.decisive()

    @property
    def found(self) -> dict[str, float]:
        """The numbers of the settings that were asked for as `auto`, by their place, such as `weeks.train`."""
        pairs = differing(self.asked, self.decisive()).items()
        return {place: number for place, (asked, number) in pairs if asked == AUTO}

    def instead_of(self, asked: "Config") -> "Config":
        """Return this config, which has numbers where `asked` has `auto`."""
        copy = self.model_copy()
        copy._asked = asked.decisive()
        return copy

    @field_validator("retrievers", mode="before")
    @classmethod
    def _build_retrievers(cls, given: Any) -> Any:
        return parts_of(Retriever, given)

    @field_validator("features", mode="before")
    @classmethod
    def _build_features(cls, given: Any) -> Any:
        return parts_of(Feature, given)

    @field_validator("negatives", mode="before")
    @classmethod
    def _build_negatives(cls, given: Any) -> Any:
        return parts_of(NegativeSampler, given)

    @field_validator("ranker", mode="before")
    @classmethod
    def _build_ranker(cls, given: Any) -> Any:
        return part_of(Ranker, given)

    @field_validator("ranker")
    @classmethod
    def _fits_features_and_lists(cls, ranker: Ranker, others: ValidationInfo) -> Ranker:
        features = others.data.get("features", ranker.looks_early_at)
        for name in sorted(ranker.looks_early_at - set(features)):
            raise ValueError(f"early names the unknown feature family '{name}'; this config has {', '.join(features)}")
        k = others.data.get("lists", ListSettings()).k
        if ranker.keeps is not None and ranker.keeps < k:
            raise ValueError(f"keep is {ranker.keeps}, but lists have {k} articles (lists.k): keep that many or more")
        least, weeks = ranker.needs_lists + 1, others.data.get("weeks", WeekSettings()).train
        if ranker.needs_lists and weeks < least:
            raise ValueError(
                f"{ranker.kind} learns from the last training weeks' lists; set weeks.train to {least} or more"
            )
        return ranker

    @field_validator("ranker")
    @classmethod
    def _can_be_refitted(cls, ranker: Ranker, others: ValidationInfo) -> Ranker:
        if others.data.get("weeks", WeekSettings()).refit and ranker.never_refitted:
            kinds = ", ".join(sorted(ranker.never_refitted))
            raise ValueError(f"{kinds} can't be fitted without a week that stops it; set weeks.refit to false")
        return ranker

    @field_validator("ranker")
    @classmethod
    def _has_the_columns_that_it_needs(cls, ranker: Ranker, others: ValidationInfo) -> Ranker:
        if ranker.needs_worth and others.data.get("quotas", ...) is None:
            raise ValueError("from_worth is true, but candidates have a worth only if quotas choose them; add `quotas`")
        named = ranker.goes_by.union(*ranker.goes_by_any)
        retrievers = others.data.get("retrievers", named)
        for name in sorted(named - set(retrievers)):
            raise ValueError(f"retrievers names the unknown '{name}'; this config has {', '.join(retrievers)}")
        features = others.data.get("features")
        known = ranker.needs_families if features is None else {family.kind for family in features.values()}
        for kind in sorted(ranker.needs_families - known):
            raise ValueError(f"it looks up columns of the family `{kind}`; add `{kind}: {{}}` under features")
        return ranker


def decisive(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config's `settings` without those that decide no result, such as folders and memory."""
    return {key: value for key, value in settings.items() if key not in PLACES}


def load_config(name: str | Path, settings: Sequence[str] | Mapping[str, Any] | None = None) -> Config:
    """Load the config from a YAML file, with `settings` put over it; see `read_config` for files that extend others.

    Args:
        name: the file's path, or the name of a config that comes with hmgpu.
        settings: texts `key.key=value`, or a mapping from `key.key` to values; a value may be a part. None sets
            nothing.

    Raises ConfigError, with one line for each problem that names file, line and key.
    """
    layers = read_config(name)
    loaded = _validated(Config, layers, *_with_settings(layers, settings))
    loaded._name = str(name)
    return loaded


def load_data(
    name: str | Path, settings: Sequence[str] | Mapping[str, Any] | None = None
) -> tuple[DataSettings, Choice]:
    """Load the section `data` of a config, which needs no other, and the engine. Raises ConfigError likewise."""
    layers = read_config(name)
    content, overridden = _with_settings(layers, settings)
    if set(content) <= set(DataConfig.model_fields):
        alone = _validated(DataConfig, layers, content, overridden)
        return alone.data, alone.engine
    found = _validated(Config, layers, content, overridden)
    return found.data, found.engine


def _with_settings(
    layers: Layers, settings: Sequence[str] | Mapping[str, Any] | None
) -> tuple[dict[str, Any], list[str]]:
    """Return the config's content with `settings` put over it, and the keys that they set."""
    content = layers.content
    if isinstance(settings, Mapping):
        return content, [_put(content, key, value, key) for key, value in settings.items()]
    return content, [_override(content, setting) for setting in settings or ()]


def _validated(model: type[M], layers: Layers, content: dict[str, Any], overridden: list[str]) -> M:
    try:
        found = model.model_validate(content)
    except ValidationError as error:
        problems = [_moved(problem) or problem for problem in problems_of(error, _known_fields)]
    else:
        problems = list(
            flags_for_numbers(content, found.settings() if isinstance(found, Config) else found.model_dump(), ())
        )
    if problems:
        raise ConfigError("\n".join(layers.explain(problem, overridden) for problem in problems))
    return found


def _moved(problem: Problem) -> Problem | None:
    """Return what to say of a key that is somewhere else now; None if it is not one."""
    now = MOVED.get(".".join(map(str, problem.at)))
    message = f"is now the key '{now}' of the config itself, for all verbs: move it there"
    return Problem(problem.at, message) if now else None


def _override(content: dict[str, Any], setting: str) -> str:
    """Put `a.b=value` into `content`, the value read as YAML, and return `a.b`."""
    key, equals, text = setting.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {setting}: write it as key.key=value, for example --set weeks.train=2.")
    try:
        value = parse(text)[1]
    except ValueError:
        value = text  # such as %d.%m.%Y, which is not YAML but plain text
    return _put(content, key, value, f"--set {setting}")


def _put(content: dict[str, Any], key: str, value: Any, label: str) -> str:
    """Put `value` at `key`, an `a.b`, of `content` and return `key`; errors call the setting `label`."""
    *parents, last = key.split(".")
    place = content
    for parent in parents:
        if place.get(parent) is None:
            place[parent] = {}
        place = place[parent]
        if not isinstance(place, dict):
            raise ConfigError(f"{label}: '{parent}' is a single value and has no keys below it.")
    if value is None and len(parents) == 1 and parents[0] in PART_SECTIONS and last not in place:
        raise ConfigError(f"{label}: {unknown_part(parents[0], last, place)}")
    place[last] = value
    return key


def _known_fields(location: Location) -> tuple[str, ...]:
    """Return the fields of the model that the unknown key at `location` was written into."""
    model: Any = Config
    for part in location[:-1]:
        written = model.model_fields[str(part)].annotation
        # `Quotas | None` gives Quotas; a place that holds no model has no fields.
        model = next((each for each in (written, *get_args(written)) if hasattr(each, "model_fields")), None)
        if model is None:
            return ()
    return (*model.model_fields, *([EXTENDS] if model is Config else []))
