"""Parse untrusted YAML: plain values only, of bounded size, or one sentence about what is wrong."""

import re
from typing import Any

import yaml

DEEPEST = 100  # values inside of each other; the C loader would overflow the stack
MOST = 100_000  # values, with every alias expanded; a config has a few hundred

_TAG = "tag:yaml.org,2002:"
_KINDS = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    "float": (
        r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "merge": ("<<", "<"),
}


class Plain(yaml.CSafeLoader):  # ten times as fast as the one in Python
    """Reads what looks like text as text, as YAML 1.2 does: NO, on, 01, 0x1F, 12:30 and 2020-09-16 mean themselves."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (PyYAML's own way; without those of YAML 1.1)


class Quoting(yaml.SafeDumper):
    """Quotes text that YAML of version 1.1 or 1.2 would take for something else."""


for _kind, (_pattern, _first) in _KINDS.items():
    for _each in (Plain, Quoting):
        _each.add_implicit_resolver(f"{_TAG}{_kind}", re.compile(f"^(?:{_pattern})$"), list(_first))


def dump(content: Any) -> str:
    """Write plain values as YAML that `parse` reads as the same, with keys in their order."""
    return str(yaml.dump(content, Dumper=Quoting, sort_keys=False, allow_unicode=True))


def dump_line(content: Any) -> str:
    """Write plain values as `dump` does, on one line."""
    text = str(
        yaml.dump(content, Dumper=Quoting, sort_keys=False, allow_unicode=True, default_flow_style=True, width=10**6)
    )
    return text.removesuffix("\n").removesuffix("\n...")  # YAML ends a value that stands alone by three dots


def parse(text: str) -> tuple[yaml.Node | None, Any]:
    """Parse `text` to its nodes, which know their line numbers, and its content.

    Raises ValueError for text that is not YAML, values that YAML can't construct (a number of five
    thousand digits), text that no file name can hold, and aliases that multiply or contain themselves.
    """
    try:
        _refuse_depth(text)
        tree = yaml.compose(text, Loader=Plain)
        content = yaml.load(text, Loader=Plain)
    except Exception as error:  # PyYAML's constructors of plain values raise many types
        said = " ".join(str(error).split()).replace(' in "<unicode string>"', "").replace(" , ", ", ")
        raise ValueError(said or type(error).__name__) from None
    if tree is not None:
        _size(tree, {})
    return tree, content


def _refuse_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=Plain):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ValueError("nested too deeply")


def _size(node: yaml.Node, known: dict[int, int | None]) -> int:
    """Count the values that `node` expands to; in `known`, None marks the nodes that contain it."""
    if id(node) in known:
        size = known[id(node)]
        if size is None:
            raise ValueError(f"line {node.start_mark.line + 1}: an alias that contains itself")
        return size
    known[id(node)] = None
    size = 1
    if isinstance(node, yaml.ScalarNode):
        _refuse_odd(node)
    for child in node.value if isinstance(node, yaml.CollectionNode) else ():
        size += sum(_size(each, known) for each in (child if isinstance(child, tuple) else (child,)))
    if size > MOST:
        raise ValueError(f"line {node.start_mark.line + 1}: more than {MOST:,} values, with aliases expanded")
    known[id(node)] = size
    return size


def _refuse_odd(node: yaml.ScalarNode) -> None:
    if any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in node.value):
        raise ValueError(f"line {node.start_mark.line + 1}: text with a NUL or half a character")
