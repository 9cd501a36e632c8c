"""Parts built from settings: their names, and everything that is wrong with them, at once."""

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from hmgpu.parts.from_yaml import RESERVED, part_of, parts_of, problems_of
from hmgpu.parts.retriever import Retriever
from hmgpu.parts.retrievers.popular import Popular
from hmgpu.parts.retrievers.popular_by import PopularBy


def wrong(given):
    """Return (place, message) of everything that is wrong with a section of retrievers."""
    with pytest.raises(PydanticCustomError) as raised:
        parts_of(Retriever, given)
    return [(problem.at, problem.message) for problem in raised.value.context["problems"]]


def test_the_name_is_the_kind_if_none_is_given():
    given = {"popular": {"n": 3}, "by_age": {"kind": "popular_by"}, "repurchase": {}}
    built = parts_of(Retriever, given)
    assert list(built) == ["popular", "by_age", "repurchase"]
    assert built["popular"] == Popular(n=3)
    assert built["by_age"] == PopularBy()


def test_null_leaves_a_part_out_and_an_empty_mapping_gives_its_defaults():
    assert parts_of(Retriever, {"popular": None, "popular_by": {}}) == {"popular_by": PopularBy()}


@pytest.mark.parametrize("name", [*RESERVED, "Popular", "2_weeks", "_popular", "popular by", "popular.by", "", 3])
def test_a_name_that_no_column_or_folder_can_have(name):
    """A retriever called `best` would have the column `best_rank`, which is the best of all ranks already."""
    [(at, message)] = wrong({name: {"kind": "popular"}})
    assert at == (str(name),)
    wanted = "use lower case, digits and _, none of best, customer, article, label"
    assert message == f"'{name}' is not a valid name: {wanted}"


def test_everything_wrong_with_all_parts_is_collected_with_its_place():
    found = wrong({"popular": {"n": 0, "m": 1}, "Other": {}, "populr": {}, "taste": 5, "repurchase": {}})
    assert [at for at, _ in found] == [("popular", "n"), ("popular", "m"), ("Other",), ("populr", "kind"), ("taste",)]
    assert "'populr' is not a kind of retriever" in found[3][1]
    assert found[4][1] == "must be a mapping of settings"


def test_built_parts_and_what_is_not_a_mapping_pass_through():
    assert parts_of(Retriever, {"popular": Popular(n=4)}) == {"popular": Popular(n=4)}
    assert parts_of(Retriever, 5) == 5
    assert part_of(Retriever, None) is None


def test_a_part_alone_is_known_by_its_kind():
    assert part_of(Retriever, {"kind": "popular", "n": 9}) == Popular(n=9)
    with pytest.raises(PydanticCustomError) as raised:
        part_of(Retriever, {"n": 9})
    [problem] = raised.value.context["problems"]
    assert problem.at == ("kind",)
    assert "'' is not a kind of retriever" in problem.message


def test_an_unknown_key_comes_with_those_known_at_its_place():
    with pytest.raises(ValidationError) as raised:
        Popular(m=1)
    [problem] = problems_of(raised.value, lambda at: ("n", "days"))
    assert (problem.at, problem.type, problem.known) == (("m",), "extra_forbidden", ("n", "days"))
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(int).validate_python("x")
    [problem] = problems_of(raised.value, lambda at: ("n",))
    assert (problem.at, problem.known) == ((), ())
