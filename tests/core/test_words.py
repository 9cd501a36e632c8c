"""Numbers of things."""

from hmgpu.core.words import counted, did_you_mean, first_few, rounded


def test_one_is_no_plural() -> None:
    assert [counted(n, "row") for n in (0, 1, 2000)] == ["0 rows", "1 row", "2,000 rows"]
    assert [counted(n, "box", "boxes") for n in (1, 2)] == ["1 box", "2 boxes"]


def test_a_number_has_the_digits_that_tell_and_no_power_of_ten() -> None:
    numbers = (0, 0.016949, 19.99, 1234.5, 9999.6, 237_812, 31_800_000)
    assert [rounded(each) for each in numbers] == ["0", "0.01695", "19.99", "1,234", "10,000", "237,812", "31,800,000"]
    assert rounded(19.99, "EUR") == "19.99 EUR"


def test_a_name_that_is_nearly_another_is_asked_for():
    assert did_you_mean("poplar", ["popular", "als"]) == "did you mean 'popular'?"
    assert did_you_mean("x", iter(["popular"])) is None


def test_the_first_few_say_how_many_more_there_are():
    assert first_few(["a", "b"], 2) == "a, b"
    assert first_few(iter(["a", "b"]), 1_502) == "a, b and 1,500 more"
    assert first_few([], 0) == ""
