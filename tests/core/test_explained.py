"""Docstrings of attributes: the nearest class that says anything is heard."""

from typing import Any

import pytest

from hmgpu.core.explained import explanation


class Base:
    n: int = 3
    """How many,
    of all."""
    days: int = 7
    """Days that count."""
    silent: int = 0


class Child(Base):
    n: int = 12
    days: int = 14
    """Days that count here."""
    other: str
    "One line."
    method = None
    """Not of an annotated attribute."""


@pytest.mark.parametrize(
    ("of", "name", "said"),
    [
        (Base, "n", "How many,\nof all."),
        (Child, "n", "How many,\nof all."),
        (Child, "days", "Days that count here."),
        (Child, "other", "One line."),
        (Child, "silent", ""),
        (Child, "method", ""),
        (Child, "unknown", ""),
    ],
)
def test_what_is_said_of_an_attribute(of: type, name: str, said: str):
    assert explanation(of, name) == said


def test_a_class_without_a_source_says_nothing():
    names: dict[str, Any] = {"__name__": "typed_in"}
    exec('class Typed:\n    n: int = 1\n    """Said."""', names)
    assert explanation(names["Typed"], "n") == ""
