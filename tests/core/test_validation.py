"""What pydantic finds, in words without Python's."""

from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from hmgpu.core.errors import reason
from hmgpu.core.validation import WORDS, in_words


class Inner(BaseModel):
    pass


class Model(BaseModel):
    whole: int = 0
    number: float = Field(0.0, gt=0, lt=9, allow_inf_nan=False)
    yes: bool = False
    text: str = ""
    path: Path = Path()
    several: tuple[int, ...] = Field((), min_length=1, max_length=2)
    named: dict[str, int] = {}
    inner: Inner = Inner()
    choice: Literal["a", "b"] = "a"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"whole": "x"}, 'must be a whole number, not "x"'),
        ({"whole": None}, "must be a whole number, not null"),
        ({"whole": 1.5}, "must be a whole number, not 1.5"),
        ({"number": "x"}, 'must be a number, not "x"'),
        ({"number": 0}, "must be more than 0, not 0"),
        ({"number": 9}, "must be less than 9, not 9"),
        ({"number": float("inf")}, "must be a finite number, not Infinity"),
        ({"yes": "x"}, 'must be true or false, not "x"'),
        ({"text": 1}, "must be text, not 1: quote it, as '1'"),
        ({"text": []}, "must be text, not a list"),
        ({"path": 1}, "must be a path, not 1"),
        ({"several": 1}, "must be a list, such as [a, b], not 1"),
        ({"several": []}, "must have 1 or more values"),
        ({"several": [1, 2, 3]}, "must have 2 values at most"),
        ({"named": 1}, "must be a mapping of keys, not 1"),
        ({"inner": 1}, "must be a mapping of keys, not 1"),
        ({"choice": {}}, "must be 'a' or 'b', not a mapping"),
    ],
)
def test_what_must_be_and_what_is(given: dict, said: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Model.model_validate(given)
    (found,) = raised.value.errors()
    assert found["type"] in WORDS
    assert in_words(found) == said


def test_reasons_are_without_python() -> None:
    with pytest.raises(FileNotFoundError) as raised:
        Path("/nowhere").read_text()
    assert reason(raised.value) == "No such file or directory"
    assert reason(KeyError("week")) == "it lacks 'week'"
    assert reason(ValueError("first.\nsecond")) == "first"
    assert reason(ValueError()) == "ValueError"
