"""Every kind of block is drawn, and its text is escaped."""

import base64
import re

from hmgpu.core.html.blocks import Article, Bars, Card, Facts, Grid, Heat, Section
from hmgpu.core.html.dots import Dots
from hmgpu.core.html.lines import Lines
from hmgpu.core.html.marks import Badge, Link
from hmgpu.core.html.page import fragment, page, with_head

EVIL = "<b>&"


def drawn(*blocks: object) -> str:
    """The page with these blocks in one section."""
    return page("Title", "About", [Section("Here", "Lead", blocks)])


def test_a_section_is_linked_and_led_into():
    found = page(EVIL, EVIL, [Section("Two words", EVIL, []), Section("Other", "", [])])
    assert '<a href="#two-words">Two words</a><a href="#other">Other</a>' in found
    assert '<section id="two-words">' in found
    assert "<b>" not in found
    assert found.count("&lt;b&gt;&amp;") == 4  # title, heading, about and lead


def test_facts_have_names_and_figures():
    assert f"<dt>units</dt><dd>{7}</dd>" in drawn(Facts({"units": "7"}))


def test_a_grid_sets_numbers_right_and_marks_what_matters():
    found = drawn(Grid("Table", ["name", "n"], [["a", "1"], ["b", "2"]], strong=frozenset({"b"})))
    assert '<tr><th scope="row" class="short">a</th><td class="number">1</td></tr>' in found
    assert '<tr class="strong"><th scope="row" class="short">b</th>' in found
    assert '<td class="short">why</td>' in drawn(Grid("Table", ["name", "text"], [["a", "why"]], numbers=False))


def test_a_bar_is_as_long_as_its_share_of_the_longest():
    found = drawn(Bars("Bars", [("a", 1.0, "one"), ("b", 4.0, "four")]))
    assert found.index("width:25.0%") < found.index("width:100.0%")
    assert '<td class="number">one</td>' in found


def test_a_cell_is_darker_the_larger_its_value_and_an_empty_one_has_no_colour():
    found = drawn(Heat("Heat", "of", ["x", "y", "z"], [("a", [0.5, None, 9.0])], most=1.0))
    assert '<td style="--of:0.33">50</td><td></td><td style="--of:0.65">900</td>' in found


def test_lines_have_a_key_where_there_are_several_and_their_figures_below():
    one, two = (Lines("Lines", "week", ["w1", "w2"], dict.fromkeys(names, (1, None))) for names in ("a", "ab"))
    assert 'class="key"' not in drawn(one)
    assert 'class="key"' in drawn(two)
    assert '<tr><th scope="row">w1</th><td class="number">1</td></tr>' in drawn(one)
    assert '<tr><th scope="row">w2</th><td class="number"></td></tr>' in drawn(one)


def test_the_head_has_facts_and_leads_to_files_next_to_the_page():
    link = Link(EVIL, "a b/javascript:x", (Badge(EVIL, "good"),))
    found = page("Title", "About", [], {"run": link, "seed": EVIL}, [link])
    shown = '<a href="./a%20b/javascript%3Ax">&lt;b&gt;&amp;</a> <span class="badge good">&lt;b&gt;&amp;</span>'
    assert f"<dt>run</dt><dd>{shown}</dd>" in found
    assert "<dt>seed</dt><dd>&lt;b&gt;&amp;</dd>" in found
    assert f'<p class="links">{shown}</p>' in found
    assert with_head(page("Title", "About", []), {"run": link, "seed": EVIL}, [link]) == found
    assert str(Link("gone", None).__html__()) == "gone"


def test_a_grid_sorts_where_there_are_rows_to_sort_and_gives_sentences_room():
    one, two = (drawn(Grid("Table", ["a"], [["x" * 40]] * rows, numbers=False)) for rows in (1, 2))
    assert '<table class="sortable">' in two
    assert 'table class="sortable"' not in one
    assert '<th scope="row" class="long">' in one


def test_dots_stand_at_their_places_with_their_intervals():
    found = drawn(Dots("Dots", [("a", 1.0, None), ("b", 2.0, (1.0, 4.0))], "{:.0f}".format, frozenset({"b"})))
    assert 'class="dots some"' in found
    assert '<td class="number">2 <span class="range">1 to 4</span></td>' in found
    assert '<i style="left:25.0%;width:75.0%"></i><b style="left:50.0%"></b>' in found
    assert '<td class="number">1</td><td class="dot" aria-hidden="true"><div><b style="left:25.0%"></b>' in found


def test_a_small_card_has_names_only():
    shelves = [("Recommended", [Article("Coat", "Blue", "popular 1", colour="#3b5f9c")])]
    found = drawn(Card("Active", "age 30", shelves, small=True))
    assert '<li><span class="tile" style="background:#3b5f9c"></span><strong>Coat</strong></li>' in found


def test_a_card_frames_hits_and_leaves_out_empty_shelves():
    shelves = [("Bought", []), ("Recommended", [Article(EVIL, "Red", hit=True), Article("Coat", "Blue", "popular 1")])]
    found = drawn(Card("Active", "customer 1", shelves))
    assert "<h4>Bought</h4>" not in found
    assert '<li class="hit"><strong>&lt;b&gt;&amp;</strong><br>Red</li>' in found
    assert '<li><strong>Coat</strong><br>Blue<br><span class="faint">popular 1</span></li>' in found


def test_a_fragment_styles_nothing_around_it_and_draws_charts_as_pictures():
    lines = Lines("Lines", "week", ["w1", "w2"], {"a": (1, 2)})
    light, dark = (fragment([lines, Facts({EVIL: EVIL})], dark) for dark in (False, True))
    style, _, content = light.partition("</style>")
    assert all(rule.startswith(".hmgpu {") for rule in re.findall(r"^[^ \n}<].*\{", style, re.M)[:2])
    assert "<svg" not in content
    assert f"<dt>{'&lt;b&gt;&amp;'}</dt>" in content
    pictures = [base64.b64decode(re.search('svg.xml;base64,([^"]+)', each)[1]).decode() for each in (light, dark)]
    assert ["stroke:#2563be" in pictures[0], "stroke:#7fb0ff" in pictures[1]] == [True, True]
    assert not any("var(" in each for each in pictures)


def test_the_name_of_an_article_may_lead_to_a_page():
    found = drawn(Card("Card", "", [("", [Article(EVIL, "", link="article?article=1&run=2")])]))
    assert '<a href="article?article=1&amp;run=2">&lt;b&gt;&amp;</a>' in found
    assert "<h4>" not in found
