"""The contract of a part's settings: each is explained, frozen and checked."""

import pytest
from pydantic import ValidationError

from hmgpu.core.explained import explanation
from hmgpu.parts.feature import Feature
from hmgpu.parts.negative_sampler import NegativeSampler
from hmgpu.parts.part import Part, build, kinds
from hmgpu.parts.ranker import Ranker
from hmgpu.parts.retriever import Retriever

BASES: tuple[type[Part], ...] = (Retriever, Feature, Ranker, NegativeSampler)


def check_settings(part: Part) -> None:
    """Fails where a setting of `part` has no docstring, can be changed, or is taken though it is unknown."""
    defined = type(part)
    base = next(base for base in BASES if isinstance(part, base))
    assert defined.__doc__, f"{part.kind} has no docstring"
    unexplained = [name for name in defined.model_fields if not explanation(defined, name)]
    assert unexplained == [], f"settings of {part.kind} without a docstring below them"
    if kinds(base).get(part.kind) is defined:  # what a config.yaml says of it is read again
        assert build(base, part.kind, part.settings()) == part
    with pytest.raises(ValidationError, match="extra_forbidden"):
        defined.model_validate({"no_such_setting": 1})
    for name in defined.model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(part, name, 1)
