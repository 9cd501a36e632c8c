"""Write the pages of settings and parts from the docstrings of the code, and README's output; `make docs` calls it.

Each page begins with what people wrote; all that follows the line MARK is generated, and changes with the code.
README shows the last lines of the demo, from docs/results/demo-metrics.json: --demo RUN takes them from a finished run.
docs/gpu.md lists plans that cuDF does not run part by part, from hmgpu/core/collapses.json: --plans counts them again.
With --check nothing is written: 1 where a page is stale, and which.
"""

import argparse
import inspect
import json
import sys
import types
import typing
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hmgpu.cli.pipeline import ending
from hmgpu.core.explained import explanation
from hmgpu.core.extras import EXTRAS, FROM_LOCK
from hmgpu.core.gpu_plans import COLLAPSES, listed_collapses, summary
from hmgpu.core.printed import as_text
from hmgpu.data.settings import ColumnNames
from hmgpu.data.tables import TABLES
from hmgpu.evaluation.tables import main_table
from hmgpu.parts.auto import Measured
from hmgpu.parts.feature import Feature
from hmgpu.parts.negative_sampler import NegativeSampler
from hmgpu.parts.part import Part, kinds
from hmgpu.parts.ranker import Ranker
from hmgpu.parts.retriever import Retriever
from hmgpu.pipeline.config import Config

DOCS = Path(__file__).parents[1] / "docs"
README = DOCS.parent / "README.md"
DEMO = DOCS / "results" / "demo-metrics.json"
OUTPUT = "<!-- Written by scripts/generate_docs.py from docs/results/demo-metrics.json. -->"
MARK = "<!-- Written by scripts/generate_docs.py: change the docstrings in hmgpu/, then run `make docs`. -->"
MOST = 2**31  # the bound of every count, which says nothing to a reader


class Family(NamedTuple):
    """One kind of part: its base class, and how the page speaks of it."""

    base: type[Part]
    title: str
    section: str
    says: str


FAMILIES = (
    Family(Retriever, "Retrievers", "retrievers", "Propose candidates: articles that a customer might buy next week."),
    Family(Feature, "Feature families", "features", "Describe a candidate: each adds columns that the ranker sees."),
    Family(NegativeSampler, "Negative samplers", "negatives", "Choose what a ranker is shown that was not bought."),
    Family(Ranker, "Rankers", "ranker", "Put the candidates of each customer in order."),
)
ONE_OF: dict[Any, str] = {
    Retriever: "[retriever](parts.md#retrievers)",
    Feature: "[feature family](parts.md#feature-families)",
    NegativeSampler: "[negative sampler](parts.md#negative-samplers)",
    Ranker: "[ranker](parts.md#rankers)",
}


def settings_page() -> str:
    """Every key of the config, section by section."""
    return "\n\n".join(_model("All sections", Config, (), 2))


def parts_page() -> str:
    """Every part, by family and kind; a heading is a kind, so that pages can link to it."""
    return "\n\n".join(block for family in FAMILIES for block in _family(family))


def gpu_page() -> str:
    """The plans that hold a whole table at once, and why."""
    rows = ["| part | plan | collapses, in the words of cuDF |", "|---|---|---|"]
    for kind, plans in listed_collapses().items():
        for name, reasons in plans.items():
            told = [f"{reason.rstrip('.')}{f' (x{n})' if n > 1 else ''}" for reason, n in Counter(reasons).items()]
            if told:
                rows.append(f"| [`{kind}`](parts.md#{kind}) | {name} | {_cell('; '.join(told))} |")
    return "\n".join([f"{summary().partition(', listed')[0]}).", "", *rows])


PAGES = {"settings.md": settings_page, "parts.md": parts_page, "gpu.md": gpu_page}


def _model(title: str, model: type[BaseModel], place: tuple[str, ...], level: int) -> Iterator[str]:
    """A heading, the table of a model's keys, then the models within it."""
    yield f"{'#' * level} {title}"
    yield inspect.cleandoc(model.__doc__ or "")
    yield _table(model, place)
    if model is ColumnNames:
        yield from _contract()
    for name, field in model.model_fields.items():
        within = _nested(field.annotation)
        if within:
            inner = (*place, name)
            yield from _model(f"`{'.'.join(inner)}`", within, inner, min(level + (1 if place else 0), 4))


def _contract() -> Iterator[str]:
    """The columns that a data set may have, table by table."""
    for table, columns in TABLES.items():
        rows = [
            f"| `{each.name}` | `{each.raw}` | {each.kind} | {'always needed' if each.required else 'may be null'} |"
            for each in columns
        ]
        yield f"Columns of `{table}`:"
        yield "\n".join(["| name | H&M's name | holds | |", "|---|---|---|---|", *rows])


def own_kinds(base: type[Part]) -> dict[str, type[Part]]:
    """The parts of hmgpu itself, without those of other packages that are installed here."""
    return {kind: part for kind, part in kinds(base).items() if part.__module__.startswith("hmgpu.")}


def _family(family: Family) -> Iterator[str]:
    found = own_kinds(family.base)
    yield f"## {family.title}"
    where = "The one under" if family.base is Ranker else "Any number under"
    yield f"{family.says} {where} `{family.section}` in the config."
    rows = [f"| [`{kind}`](#{kind}) | {_cell(_summary(part))} |" for kind, part in found.items()]
    yield "\n".join(["| kind | |", "|---|---|", *rows])
    for kind, part in found.items():
        yield f"### `{kind}`"
        yield from _part(part, family.section)


def _part(part: type[Part], section: str) -> Iterator[str]:
    summary, _, rest = inspect.cleandoc(sys.modules[part.__module__].__doc__ or "").partition("\n")
    yield f"**{summary}**"
    if part.__doc__ and part.__doc__.strip() != summary:
        yield _fenced(inspect.cleandoc(part.__doc__), section)
    if rest.strip():
        yield _fenced(rest.strip(), section)
    absent, packages = sorted(part().needs()), sorted(part().needs_packages())
    if absent:
        yield f"Left out where the data have no {' or no '.join(f'`{name}`' for name in absent)}."
    if packages:
        yield f"Left out unless {', '.join(f'`{name}`' for name in packages)} can be imported: {_remedy(packages)}."
    yield _table(part) if part.model_fields else "No settings."


def _remedy(packages: list[str]) -> str:
    extras = {EXTRAS[package] for package in packages}
    locked = extras & FROM_LOCK
    return "`make setup` installs the lock" if locked else f"`pip install 'hmgpu[{','.join(sorted(extras))}]'`"


def _fenced(docstring: str, section: str) -> str:
    """A docstring whose indented lines are entries of a config's section, as Markdown."""
    paragraphs = []
    for paragraph in docstring.split("\n\n"):
        if paragraph.startswith("    "):
            lines = [line.removeprefix("  ") for line in paragraph.splitlines()]
            paragraph = "\n".join(["```yaml", f"{section}:", *lines, "```"])
        paragraphs.append(paragraph)
    return "\n\n".join(paragraphs)


def _summary(part: type[Part]) -> str:
    return inspect.cleandoc(sys.modules[part.__module__].__doc__ or "").partition("\n")[0]


def _table(model: type[BaseModel], place: tuple[str, ...] = ()) -> str:
    rows = [
        f"| `{'.'.join((*place, name))}` | {_cell(_type(field.annotation, field.metadata) + _auto(field))} "
        f"| {_default(field)} | {_cell(explanation(model, name))} |"
        for name, field in model.model_fields.items()
    ]
    return "\n".join(["| setting | type | default | |", "|---|---|---|---|", *rows])


def _auto(field: FieldInfo) -> str:
    return " or `auto`" if any(isinstance(each, Measured) for each in field.metadata) else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _type(annotation: Any, metadata: list[Any] | None = None) -> str:
    """A type as a reader of YAML thinks of it, with its bounds."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        bounds = [each for extra in inner[1:] for each in (extra.metadata if isinstance(extra, FieldInfo) else [extra])]
        return _type(inner[0], [*bounds, *(metadata or [])])
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type(each, metadata) for each in inner if each is not type(None)) + " or null"
    if origin is tuple:
        if inner[-1] is Ellipsis:
            return f"list of {_type(inner[0])}"
        return f"list of {len(inner)}: {', '.join(_type(each) for each in inner)}"
    if origin is dict:
        return f"mapping of names to {_type(inner[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return ONE_OF.get(annotation, annotation.__name__.lower())
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    named = {int: "int", float: "number", str: "text", bool: "true or false", Path: "path"}
    return named.get(annotation, str(annotation)) + _bounds(metadata or [])


def _bounds(metadata: list[Any]) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    found = [(sign, getattr(each, name)) for each in metadata for name, sign in signs.items() if hasattr(each, name)]
    shown = " and ".join(f"{sign} {bound:g}" for sign, bound in found if bound != MOST)
    return f" {shown}" if shown else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "*required*"
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, BaseModel) and not isinstance(value, Part):
        return "its own"
    text = yaml.safe_dump(_plain(value), default_flow_style=True, width=10**6, sort_keys=False, allow_unicode=True)
    return "`" + text.removesuffix("...\n").strip().replace("|", "\\|") + "`"


def _plain(value: Any) -> Any:
    """A default as YAML has it: of a part its kind and what is not its kind's own default."""
    if isinstance(value, Part):
        own = value.settings()
        usual = type(value)().settings()
        return {name: each for name, each in own.items() if name == "kind" or each != usual[name]}
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value


def _nested(annotation: Any) -> type[BaseModel] | None:
    """The section that a key holds, if it holds one; of `Quotas | None` that is Quotas."""
    for each in (annotation, *typing.get_args(annotation)):
        if isinstance(each, type) and issubclass(each, BaseModel) and not issubclass(each, Part):
            return each
    return None


def fresh(name: str) -> str:
    """The page as it should be: its head as it is, then what the code says."""
    head, mark, _ = (DOCS / name).read_text(encoding="utf-8").partition(MARK)
    if not mark:
        raise SystemExit(f"docs/{name} has no line that says where the generated part begins:\n{MARK}")
    return f"{head}{MARK}\n\n{PAGES[name]()}\n"


def take_demo(run: Path) -> None:
    """Keep what README shows of the demo's finished run."""
    kept = {"metrics": json.loads((run / "metrics.json").read_text(encoding="utf-8")), "ending": ending(run)}
    DEMO.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def take_plans() -> None:
    """Count the collapses of every plan of hmgpu's own parts; models are trained for one pass."""
    from hmgpu.testing import collapses_of, contract_data

    data, found = contract_data(), dict[str, dict[str, list[str]]]()
    for base in (Retriever, Feature):
        for kind, part in own_kinds(base).items():
            one_pass = {"epochs": 1} if "epochs" in part.model_fields else {}
            found[kind] = collapses_of(part(**one_pass), data)
    COLLAPSES.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def fresh_readme() -> str:
    """README as it should be: the block below its mark is what the demo ends with in a terminal of 80 columns."""
    kept = json.loads(DEMO.read_text(encoding="utf-8"))
    lines = [as_text([main_table(kept["metrics"])], 80).strip(), *kept["ending"]]
    head, mark, rest = README.read_text(encoding="utf-8").partition(OUTPUT)
    _, _, after = rest.partition("\n```\n")
    if not mark or not after:
        raise SystemExit(f"README.md has no block of the demo's output after the line\n{OUTPUT}")
    return f"{head}{OUTPUT}\n```text\n" + "\n".join(lines) + f"\n```\n{after}"


def _told() -> dict[Path, str]:
    """What all generated files should hold."""
    return {DOCS / name: fresh(name) for name in PAGES} | {README: fresh_readme()}


def main() -> int:
    """Write the generated pages, or say which are stale; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="Write nothing; 1 where a page is stale.")
    parser.add_argument("--plans", action="store_true", help="Count again what cuDF doesn't run part by part: minutes.")
    parser.add_argument("--demo", type=Path, metavar="RUN", help="Take README's output from this run of the demo.")
    asked = parser.parse_args()
    if asked.plans:
        take_plans()
    if asked.demo:
        take_demo(asked.demo)
    stale = {file: text for file, text in _told().items() if text != file.read_text(encoding="utf-8")}
    for file, text in stale.items():
        name = file.relative_to(file.parents[1]) if file.parent == DOCS else file.name
        print(f"{name} " + ("is stale: run `make docs`" if asked.check else "is written again"))
        if not asked.check:
            file.write_text(text, encoding="utf-8")
    return int(asked.check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
