"""Content: similarity by codes, by words, by sales and by given vectors, without other customers' purchases."""

import kit
import polars as pl
import pytest
from pydantic import ValidationError

from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError
from hmgpu.parts.retrievers.content import Content

CPU = Engine("cpu", "tests")
NAMES = {1: "Blue linen dress", 2: "Red linen dress", 3: "Wool socks", 4: "Thick wool socks", 5: None, 6: " -- "}
CODES = {1: (1, 1, 7), 2: (1, 1, 8), 3: (2, 5, 7), 4: (2, 5, 8), 5: (None, None, None)}


def test_similar_names_mean_similar_articles(make_history):
    history = make_history(
        [(1, 0, 1), (1, 9, 2), (1, 9, 3), (1, 1, 4)], articles={a: {"name": n} for a, n in NAMES.items()}
    )
    found = kit.proposed(Content(of="text", n=2, dimensions=8), history, CPU, [0, 1])
    assert found == {0: [1, 2], 1: [4, 3]}
    described = kit.described(Content(of="text"), history, CPU, [(0, 1), (0, 2), (0, 3)])
    assert described[0, 1]["content_text_dot"] == pytest.approx(1.0, abs=2e-3)
    assert 0.1 < described[0, 2]["content_text_dot"] < 0.9
    assert described[0, 3]["content_text_dot"] == pytest.approx(0.0, abs=0.05)


def test_similar_codes_mean_similar_articles_and_columns_are_kept_apart(make_history):
    articles = {a: {"product_type": t, "section": s, "colour": c} for a, (t, s, c) in CODES.items()}
    history = make_history([(1, a, a) for a in CODES], articles=articles)
    found = kit.described(Content(of="metadata"), history, CPU, [(1, 2), (1, 3), (1, 4), (1, 5)])
    dots = [found[1, article]["content_metadata_dot"] for article in (2, 3, 4, 5)]
    # A type and a section in common are more than a colour; type 1 is not section 1.
    assert dots[0] > dots[1] > dots[2] == pytest.approx(0.0, abs=1e-2)
    assert dots[3] is None


def test_articles_without_text_are_left_out_and_columns_may_be_missing(make_history):
    history = make_history([(1, 0, a) for a in NAMES], articles={a: {"name": n} for a, n in NAMES.items()})
    part = kit.bound(Content(of="text", dimensions=8), history, CPU)
    articles = kit.learned(part, history, CPU)["articles"].collect()
    assert articles["article"].to_list() == [1, 2, 3, 4]
    assert articles.width == 1 + 8 + 1
    one = make_history([(1, 0, 1)], articles={1: {"name": "Dress"}}, present=frozenset({"name"}))
    assert kit.proposed(Content(of="text"), one, CPU) == {1: []}
    assert kit.proposed(Content(of="text"), one, CPU, [0]) == {0: [1]}


def test_the_latest_articles_are_compared_one_by_one(make_history):
    bought = [(1, 0, 1), (2, 0, 3), (30, 0, 4), (1, 1, 2)]
    history = make_history(bought, articles={a: {"name": n} for a, n in NAMES.items()})
    pairs = [(0, 1), (0, 2), (0, 3), (2, 1)]
    two = kit.described(Content(of="text", latest=2), history, CPU, pairs)
    one = kit.described(Content(of="text", latest=1), history, CPU, pairs)
    assert two[0, 3]["content_text_latest"] == pytest.approx(1.0, abs=2e-3)
    assert one[0, 3]["content_text_latest"] == pytest.approx(0.0, abs=0.05)
    assert one[0, 2] == {**two[0, 2], "content_text_latest": one[0, 2]["content_text_latest"]}
    assert one[0, 2]["content_text_latest"] > two[0, 2]["content_text_dot"]
    assert set(two[2, 1].values()) == {None}


def test_similar_sales_mean_similar_articles(make_history):
    """Articles 1 and 2 are dear, new and bought by the old; 3 and 4 are cheap, old and bought by the young."""
    rows = [(3, 0, 1, 9000), (4, 1, 2, 8000), (5, 1, 1, 9000), (30, 2, 3, 500), (31, 3, 4, 600), (33, 3, 3, 500)]
    ages = {0: 61, 1: 65, 2: 20, 3: 22}
    history = make_history(
        [row[:3] for row in rows], customers={c: {"age": a} for c, a in ages.items()}, prices=[row[3] for row in rows]
    )
    found = kit.described(Content(of="sales"), history, CPU, [(0, 1), (0, 2), (0, 3), (0, 4)])
    dots = [found[0, article]["content_sales_dot"] for article in (1, 2, 3, 4)]
    assert dots[0] == pytest.approx(1.0, abs=2e-3)
    assert dots[1] > 0.3 > 0 > max(dots[2:])


def test_sales_need_nothing_but_purchases(make_history):
    history = make_history([(1, 0, 1), (20, 0, 2), (21, 0, 2), (60, 0, 3)], present=frozenset())
    part = kit.bound(Content(of="sales"), history, CPU)
    articles = kit.learned(part, history, CPU)["articles"].collect()
    assert articles["article"].to_list() == [1, 2]
    assert articles.select(pl.col("^v.*$")).null_count().sum_horizontal().item() == 0


def test_pictures_and_sentences_are_as_near_as_their_vectors(make_history):
    """Customer 0 bought article 1, whose picture is most similar to 3's and its text to 2's; 5 has no vector."""
    pictures = {1: (1.0, 0.0), 2: (0.0, 1.0), 3: (0.8, 0.6), 4: (-1.0, 0.0)}
    text = {1: (1.0, 0.0, 0.0), 2: (0.6, 0.8, 0.0), 3: (0.0, 0.0, 1.0)}
    history = make_history(
        [(1, 0, 1), *((2, 9, article) for article in (2, 3, 4, 5))], vectors={"pictures": pictures, "text": text}
    )
    assert kit.proposed(Content(of="pictures", n=4), history, CPU, [0]) == {0: [1, 3, 2, 4]}
    assert kit.proposed(Content(of="sentences", n=2), history, CPU, [0]) == {0: [1, 2]}
    found = kit.described(Content(of="pictures"), history, CPU, [(0, 1), (0, 3), (0, 4), (0, 5)])
    dots = [found[0, article]["content_pictures_dot"] for article in (1, 3, 4, 5)]
    assert dots[:3] == pytest.approx([1.0, 0.8, -1.0], abs=1e-3)
    assert dots[3] is None
    assert found[0, 3]["content_pictures_latest"] == pytest.approx(0.8, abs=1e-3)


def test_long_vectors_are_reduced(make_history):
    vectors = {1: (0.6, 0.8, 0.0, 0.0), 2: (0.8, 0.6, 0.0, 0.0), 3: (0.0, 0.0, 1.0, 0.0), 4: (0.0, 0.0, 1.0, 0.0)}
    history = make_history([(1, 0, a) for a in vectors], vectors={"text": vectors})
    articles = kit.learned(kit.bound(Content(of="sentences", dimensions=2), history, CPU), history, CPU)["articles"]
    assert articles.collect().width == 1 + 2 + 1
    found = kit.proposed(Content(of="sentences", dimensions=2, n=2, latest=1), history.before(history.cutoff), CPU, [0])
    assert len(found[0]) == 2


@pytest.mark.parametrize(
    ("of", "command"), [("pictures", "hmgpu vectors pictures"), ("sentences", "hmgpu vectors text")]
)
def test_without_vectors_the_error_names_the_command(make_history, of, command):
    part = kit.bound(Content(of=of), make_history([(1, 0, 1)]), CPU)
    assert part.needs() == frozenset()
    with pytest.raises(DataError, match=f"{command} --data DATA --model"):
        part.learn(make_history([(1, 0, 1)]))


def test_nobody_gets_anything_without_recent_purchases(make_history):
    history = make_history([(100, 0, 1)], articles={1: {"name": "Dress"}})
    for of in ("text", "metadata", "sales"):
        assert kit.proposed(Content(of=of), history, CPU, [0]) == {0: []}


def test_a_mixture_is_the_weighted_mean_of_its_similarities(make_history):
    articles = {a: {"name": NAMES[a], "product_type": t, "section": s, "colour": c} for a, (t, s, c) in CODES.items()}
    looks = {1: [1.0, 0.0], 2: [0.6, 0.8], 3: [1.0, 0.0]}
    history = make_history([(1, a, a) for a in CODES], articles=articles, vectors={"pictures": looks})

    def near(**settings) -> dict[int, float]:
        found = kit.described(Content(**settings), history, CPU, [(1, article) for article in (2, 3, 4, 5)])
        (name,) = {name for row in found.values() for name in row if name.endswith("_dot")}
        return {article: row[name] for (_, article), row in found.items()}

    each = {of: near(of=of) for of in ("metadata", "text", "pictures")}
    mixed = near(of="mixture", mixture=("metadata", "text", "pictures"), weights=(1, 2, 3))
    for article in (2, 3):
        mean = (each["metadata"][article] + 2 * each["text"][article] + 3 * each["pictures"][article]) / 6
        assert mixed[article] == pytest.approx(mean, abs=2e-3)
    assert each["pictures"][4] is None
    assert mixed[4] == pytest.approx(0, abs=2e-3)  # by the others alone
    assert mixed[5] is None  # it has nothing


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"of": "mixture", "weights": (1, 2)}, "2 numbers for 3"),
        ({"of": "mixture", "mixture": ("text", "text")}, "names one twice"),
        ({"of": "text", "weights": (1, 2, 3)}, "counts with of: mixture"),
    ],
)
def test_a_mixture_that_means_nothing_is_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        Content(**settings)
