"""The YAML config as frozen, typed models. An unknown key is an error that names its line and the nearest known one."""

import difflib
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from hmgpu.data.settings import DataSettings
from hmgpu.engine import Choice
from hmgpu.errors import ConfigError
from hmgpu.features import Feature
from hmgpu.parts import Count, Part, build, kinds
from hmgpu.rankers import Ranker
from hmgpu.retrievers import Retriever

Location = tuple[int | str, ...]
P = TypeVar("P", bound=Part)


class WeekSettings(BaseModel):
    """Which weeks a run learns from and is judged on."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    train: Count = 4
    """Training weeks, those right before the validation week."""
    validation: str | None = None
    """First day (YYYY-MM-DD) of the week that stops training and is scored; null takes the last complete week."""


class Config(BaseModel):
    """All settings of a run."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    data: DataSettings
    """The retailer's data."""
    runs: Path
    """Folder of the runs."""
    engine: Choice = "auto"
    """auto, cpu or gpu."""
    seed: Annotated[int, Field(ge=0)] = 42
    """Seed of all that is random."""
    memory_gb: Annotated[float, Field(gt=0)] = 12.0
    """Memory to plan for; it decides into how many shards customers are split."""
    weeks: WeekSettings = WeekSettings()
    """Training and validation weeks."""
    negatives: Count | None = 60
    """Training: candidates not bought that are kept of each customer and week, drawn at random; null keeps all."""
    retrievers: Annotated[dict[str, Retriever], Field(min_length=1)]
    """Strategies by name; `kind` is the name where it is not given. Their order is that of the ranker `order`."""
    features: dict[str, Feature]
    """Feature families by name, likewise."""
    ranker: Ranker
    """The ranker, by `kind`."""

    def settings(self) -> dict[str, Any]:
        """All settings, those of every part included, as YAML and JSON can hold them."""
        parts = {
            "retrievers": {name: part.settings() for name, part in self.retrievers.items()},
            "features": {name: part.settings() for name, part in self.features.items()},
            "ranker": self.ranker.settings(),
        }
        return self.model_dump(mode="json", exclude=set(parts)) | parts

    @field_validator("retrievers", mode="before")
    @classmethod
    def _build_retrievers(cls, given: Any) -> Any:
        return _build_all(Retriever, given)

    @field_validator("features", mode="before")
    @classmethod
    def _build_features(cls, given: Any) -> Any:
        return _build_all(Feature, given)

    @field_validator("ranker", mode="before")
    @classmethod
    def _build_ranker(cls, given: Any) -> Any:
        if isinstance(given, dict):
            return _build_one(Ranker, str(given.get("kind", "")), given, ())
        return given


def load_config(path: Path, settings: list[str] | None = None) -> Config:
    """The config in the YAML file `path`, with `key.key=value` settings put over it.

    Raises ConfigError, one line for each thing that is wrong, with file, line and key.
    """
    try:
        text = path.read_text(encoding="utf-8")
        tree = yaml.compose(text, Loader=yaml.SafeLoader)  # keeps the lines, which the content loses
        content = yaml.safe_load(text)
    except OSError as error:
        raise ConfigError(f"Can't read the config {path}: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{path} holds no settings: it must be a mapping of keys such as data, runs and retrievers.")
    overridden = [_override(content, setting) for setting in settings or []]
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        problems = [_explain(problem, path, tree, overridden) for problem in error.errors()]
        raise ConfigError("\n".join(problems)) from None


def _build_all(base: type[P], given: Any) -> Any:
    if not isinstance(given, dict):
        return given
    return {str(name): _build_one(base, str(name), settings, (str(name),)) for name, settings in given.items()}


def _build_one(base: type[P], name: str, settings: Any, location: Location) -> P:
    """A part, its errors placed below `location`, as pydantic would place those of a nested model."""
    if isinstance(settings, base):
        return settings
    if settings is not None and not isinstance(settings, dict):
        raise PydanticCustomError("part", "must be a mapping of settings", {"at": location})
    try:
        return build(base, name, settings)
    except ConfigError as error:
        raise PydanticCustomError("part", "{why}", {"why": str(error), "at": (*location, "kind")}) from None
    except ValidationError as error:
        problem = error.errors()[0]
        known = list(kinds(base)[(settings or {}).get("kind", name)].model_fields)
        context = {"at": (*location, *problem["loc"]), "kind": problem["type"], "known": known}
        raise PydanticCustomError("part", "{why}", {"why": problem["msg"], **context}) from None


def _override(content: dict[str, Any], setting: str) -> str:
    """Put `a.b=value` into `content`; the value is read as YAML. Returns `a.b`."""
    key, equals, value = setting.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {setting}: write it as key.key=value, for example --set weeks.train=2.")
    *parents, last = key.split(".")
    place = content
    for parent in parents:
        if place.get(parent) is None:
            place[parent] = {}
        place = place[parent]
        if not isinstance(place, dict):
            raise ConfigError(f"--set {setting}: '{parent}' is a single value and has no keys below it.")
    try:
        place[last] = yaml.safe_load(value)
    except yaml.YAMLError:
        raise ConfigError(f"--set {setting}: the value is not YAML.") from None
    return key


def _explain(problem: Any, path: Path, tree: yaml.Node | None, overridden: list[str]) -> str:
    """One sentence: where the problem is, what it is, and what the key may have been."""
    context = problem.get("ctx", {})
    location = (*problem["loc"], *context.get("at", ()))
    location = tuple(part for part in location if part != "[key]")
    key = ".".join(map(str, location))
    place = f"--set {key}" if key in overridden else f"{path}, line {_line_of(tree, location)}"
    if problem["type"] == "extra_forbidden" or context.get("kind") == "extra_forbidden":
        known = context.get("known") or _known_fields(location)
        near = difflib.get_close_matches(str(location[-1]), known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(known)}."
        return f"{place}: unknown key '{key}'; {hint}"
    if problem["type"] == "missing":
        return f"{path}: key '{key}' is missing."
    message = problem["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{place}: '{key}': {message}."


def _known_fields(location: Location) -> list[str]:
    """The fields of the model that the unknown key at `location` was written into."""
    model: Any = Config
    for part in location[:-1]:
        model = model.model_fields[str(part)].annotation
    return list(model.model_fields)


def _line_of(node: yaml.Node | None, location: Location) -> int:
    """The line, from 1, of the key at `location`, or of the nearest place around it that the file has."""
    line = 1
    for part in location:
        children: list[tuple[str, int, yaml.Node]] = []
        if isinstance(node, yaml.MappingNode):
            children = [(str(key.value), key.start_mark.line + 1, value) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            children = [(str(i), value.start_mark.line + 1, value) for i, value in enumerate(node.value)]
        for name, at, child in children:
            if name == str(part):
                line, node = at, child
                break
        else:
            return line
    return line
