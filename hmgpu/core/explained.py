"""What the docstrings below a class's attributes say of them.

Pydantic would collect these itself (`use_attribute_docstrings`), from the source of each class when it is made: a third
of a second whenever a config is loaded, for what only the documentation and the contract of settings ask.
"""

import ast
import inspect
import textwrap
from functools import cache
from itertools import pairwise


def explanation(of: type, name: str) -> str:
    """Return what `of`, or the nearest of its bases that says anything, says of its attribute `name`; else ""."""
    bases = (base for base in of.__mro__ if name in inspect.get_annotations(base))
    return next(filter(None, (_explained(base).get(name) for base in bases)), "")


@cache
def _explained(of: type) -> dict[str, str]:
    """Return the docstrings that follow the annotated attributes in the source of `of`."""
    try:
        source = inspect.getsource(of)
    except (OSError, TypeError):  # a class that was typed in
        return {}
    (defined,) = ast.parse(textwrap.dedent(source)).body
    assert isinstance(defined, ast.ClassDef)
    return {
        attribute.target.id: inspect.cleandoc(text.value.value)
        for attribute, text in pairwise(defined.body)
        if isinstance(attribute, ast.AnnAssign)
        and isinstance(attribute.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
