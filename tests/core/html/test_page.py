"""Every kind of block is drawn, and its text is escaped."""

from hmgpu.core.html.blocks import Article, Bars, Card, Facts, Grid, Heat, Section
from hmgpu.core.html.lines import Lines
from hmgpu.core.html.page import page

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
    assert '<tr><th scope="row">a</th><td class="number">1</td></tr>' in found
    assert '<tr class="strong"><th scope="row">b</th>' in found
    assert "<td>why</td>" in drawn(Grid("Table", ["name", "text"], [["a", "why"]], numbers=False))


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


def test_a_card_frames_hits_and_leaves_out_empty_shelves():
    shelves = [("Bought", []), ("Recommended", [Article(EVIL, "Red", hit=True), Article("Coat", "Blue", "popular 1")])]
    found = drawn(Card("Active", "customer 1", shelves))
    assert "<h4>Bought</h4>" not in found
    assert '<li class="hit"><strong>&lt;b&gt;&amp;</strong><br>Red</li>' in found
    assert '<li><strong>Coat</strong><br>Blue<br><span class="faint">popular 1</span></li>' in found
