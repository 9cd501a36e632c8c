"""From scores to exactly twelve articles for every customer, and the file that Kaggle takes."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError
from hmgpu.pipeline.lists import best_sellers, check_fillable, separator, top_k, write_submission

CPU = Engine("cpu", "tests")


def lists(
    scored: list[tuple[int, int, float | None]], customers: list[int], filler: pl.LazyFrame
) -> dict[int, list[int]]:
    """Each customer's articles by rank."""
    schema = {"customer": pl.Int32, "article": pl.Int32, "score": pl.Float32}
    asked = pl.LazyFrame({"customer": customers}, schema={"customer": pl.Int32})
    table = CPU.collect(top_k(pl.LazyFrame(scored, schema=schema, orient="row"), asked, filler))
    assert table.schema == {"customer": pl.Int32, "article": pl.Int32, "rank": pl.Int32}
    found = {}
    for (customer,), rows in table.sort("customer", "rank").group_by("customer", maintain_order=True):
        assert rows["rank"].to_list() == list(range(1, rows.height + 1))
        found[customer] = rows["article"].to_list()
    return found


def sellers(make_history, units: dict[int, int], days_ago: int = 3) -> pl.LazyFrame:
    """The best sellers where each article sold so many units."""
    return best_sellers(make_history([(days_ago, 1, article) for article, n in units.items() for _ in range(n)]))


# Articles 100, 101, … in the order of their sales.
BEST = {100 + place: 40 - place for place in range(30)}


def test_the_best_twelve_in_order(make_history):
    scored = [(1, article, float(article)) for article in range(1, 21)]
    assert lists(scored, [1], sellers(make_history, BEST)) == {1: list(range(20, 8, -1))}


def test_lists_are_filled_with_best_sellers_that_are_not_in_them(make_history):
    scored = [(1, 102, 0.5), (1, 7, 0.9), (2, 5, -3.0)]
    assert lists(scored, [1, 2, 3], sellers(make_history, BEST)) == {
        1: [7, 102, 100, 101, *range(103, 111)],
        2: [5, *range(100, 111)],
        3: list(range(100, 112)),
    }


def test_a_candidate_without_a_score_is_none_and_may_still_fill(make_history):
    scored = [(1, 7, None), (1, 105, None), (1, 8, 0.0)]
    assert lists(scored, [1], sellers(make_history, BEST)) == {1: [8, *range(100, 111)]}


def test_ties_break_on_the_article(make_history):
    assert lists([(1, a, 1.0) for a in range(30, 10, -1)], [1], sellers(make_history, BEST)) == {1: list(range(11, 23))}


pairs = st.dictionaries(
    st.tuples(st.integers(1, 4), st.one_of(st.integers(100, 129), st.integers(1, 20))),
    st.one_of(st.none(), st.floats(-5, 5, width=32)),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(scores=pairs, different=st.integers(12, 30))
def test_every_customer_gets_exactly_twelve_different_articles(scores, different):
    filler = pl.LazyFrame(
        {"article": range(100, 100 + min(different, 23)), "rank": range(1, 1 + min(different, 23))},
        schema={"article": pl.Int32, "rank": pl.Int32},
    )
    found = lists([(c, a, score) for (c, a), score in scores.items()], [1, 2, 3, 4], filler)
    assert set(found) == {1, 2, 3, 4}
    for customer, articles in found.items():
        assert len(set(articles)) == len(articles) == 12
        own = {article: score for (c, article), score in scores.items() if c == customer and score is not None}
        best = sorted(own, key=lambda article: (-own[article], article))[:12]
        assert articles[: len(best)] == best


def test_the_fallback_is_this_weeks_best_sellers_then_those_of_all_time(make_history):
    # 3 and 4 sold 400 days ago: too old for a decayed weight (half-life 7), so they come by number, behind those of
    # this week. A unit of last year weighs 1/1024, one of three days ago 3/4.
    sold = [(3, 9, 1)] * 5 + [(3, 9, 2)] * 2 + [(400, 9, 3)] * 10 + [(400, 9, 4)] * 20
    found = CPU.collect(best_sellers(make_history(sold)).sort("rank"))
    assert found["article"].to_list() == [1, 2, 4, 3]
    assert found["rank"].to_list() == [1, 2, 3, 4]


def test_a_dozen_articles_must_have_been_sold(make_history):
    eleven = CPU.collect(sellers(make_history, dict.fromkeys(range(11), 1)))
    with pytest.raises(DataError, match="Only 11 articles were ever sold"):
        check_fillable(eleven)
    twelve = CPU.collect(sellers(make_history, dict.fromkeys(range(12), 1)))
    check_fillable(twelve)
    assert lists([(1, 3, 0.1)], [1, 2], twelve.lazy()) == {1: [3, 0, 1, 2, *range(4, 12)], 2: list(range(12))}


def test_the_submission_has_a_line_for_every_customer_in_the_order_of_the_files(tmp_path):
    def predicted(name: str, customers: list[int]) -> None:
        rows = [(c, (place * 5 + c) % 13, place + 1) for c in customers for place in range(12)]
        table = pl.DataFrame(rows, schema={"customer": pl.Int32, "article": pl.Int32, "rank": pl.Int32}, orient="row")
        table.sample(fraction=1, shuffle=True, seed=1).write_parquet(tmp_path / name)

    predicted("0.parquet", [0, 1])
    predicted("1.parquet", [2])
    customer_ids = pl.DataFrame({"customer": [2, 0, 1], "customer_id": ["cc", "aa", "b,b"]}).cast(
        {"customer": pl.Int32}
    )
    article_ids = pl.DataFrame({"article": range(13), "article_id": [f"{i:010}" for i in range(13)]})
    files = [tmp_path / "0.parquet", tmp_path / "1.parquet"]
    path = tmp_path / "submission.csv"
    assert write_submission(path, files, customer_ids, article_ids.cast({"article": pl.Int32})) == 3
    lines = path.read_bytes().decode().split("\n")
    assert lines[0] == "customer_id,prediction"
    assert [line.rpartition(",")[0] for line in lines[1:]] == ["aa", '"b,b"', "cc", ""]
    # Customer 0: articles 0, 5, 10, 2, … at ranks 1, 2, 3, 4: ids keep their leading zeros.
    assert lines[1] == "aa," + " ".join(f"{place * 5 % 13:010}" for place in range(12))
    write_submission(path, files, customer_ids, article_ids.cast({"article": pl.Int32}), column="Kunde, Nr.")
    assert path.read_bytes().decode().split("\n")[0] == '"Kunde, Nr.",prediction'


@pytest.mark.parametrize(
    ("ids", "between"),
    [(["0010", "0011"], " "), (["SKU 1", "A|B"], ";"), (["SKU 1", "2"], "|"), (["a|b"], " "), ([], " ")],
)
def test_ids_are_separated_by_what_no_id_has_in_it(ids, between):
    assert separator(pl.Series(ids, dtype=pl.String)) == between
    assert between.join(ids).split(between) == (ids or [""])


def test_ids_that_nothing_can_separate_are_refused():
    with pytest.raises(DataError, match=r"each of ' \|;/' in them"):
        separator(pl.Series(["a |", ";", "/"]))
