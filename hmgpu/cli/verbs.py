"""How a function becomes a verb: examples below its help, options without a Python type, and -q and -v."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup

from hmgpu.core.console import log_level

F = TypeVar("F", bound=Callable[..., Any])

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but warnings and errors.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say what each step wrote, and which were reused.")]


class _Plain:
    def get_params(self, ctx: Any) -> Any:
        """Return all parameters, flags without the type `<bool>`, which takes no value."""
        params = super().get_params(ctx)  # type: ignore[misc]
        for each in params:
            if getattr(each, "is_flag", False):
                each.metavar = ""
        return params


class Verb(_Plain, TyperCommand):
    """One verb."""


class Group(_Plain, TyperGroup):
    """Several verbs."""


def verbs(app: typer.Typer, panel: str | None = None) -> Callable[..., Callable[[F], F]]:
    """Return the decorator that adds verbs to `app`, given a verb's name and commands that show how it is used."""

    def verb(name: str, *examples: str) -> Callable[[F], F]:
        def add(function: F) -> F:
            epilog = "\n".join(["Examples:", *(f"  {escape(each)}" for each in examples)])
            app.command(name, cls=Verb, rich_help_panel=panel, epilog=epilog)(_with_levels(function))
            return function

        return add

    return verb


def _with_levels(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` with the options -q and -v, which it needn't know of."""
    own = inspect.signature(function)
    option = functools.partial(inspect.Parameter, kind=inspect.Parameter.KEYWORD_ONLY, default=False)
    both = [option("quiet", annotation=Quiet), option("verbose", annotation=Verbose)]

    @functools.wraps(function)
    def called(*given: Any, quiet: bool, verbose: bool, **named: Any) -> Any:
        if quiet and verbose:
            raise typer.BadParameter("--quiet and --verbose don't go together")
        log_level(quiet, verbose)
        return function(*given, **named)

    called.__signature__ = own.replace(parameters=[*own.parameters.values(), *both])  # type: ignore[attr-defined]
    called.__annotations__ = {**function.__annotations__, "quiet": Quiet, "verbose": Verbose}
    return called
