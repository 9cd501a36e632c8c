"""The page of an ablation: every figure of `ablation.json` as text."""

from typing import Any

from hmgpu.report.ablation import ablation_page

BESIDE = {"map_at_12": 0.0301, "adds": -0.0001, "low": -0.0006, "high": 0.0004}
FOUND: dict[str, Any] = {
    "weeks": ["2020-09-09", "2020-09-16"],
    "full": {
        "customers": 1234, "map_at_12": 0.03, "recall_at_100": 0.1, "recall": 0.2, "candidates_a_customer": 130.0
    },
    "reseeded": BESIDE,
    "parts": [
        {"part": "popular", "section": "retrievers", "map_at_12": 0.02, "adds": 0.01, "low": 0.005, "high": 0.015,
         "adds_recall_at_100": 0.02, "adds_recall": -0.01, "candidates_a_customer": 99.5},
        {"part": "buyer_age", "section": "features", **BESIDE},
        {"part": "<b>", "section": "features", "impossible": "it is needed"},
    ],
    "settings": [],
}  # fmt: skip


def text_of(found: dict[str, Any]) -> list[str]:
    """The text of the page's cells and headings, in order."""
    page = ablation_page(found)
    return [piece.partition("<")[0].strip() for piece in page.split(">") if piece.partition("<")[0].strip()]


def test_every_row_says_what_was_left_out_and_what_that_did() -> None:
    text = text_of(FOUND)
    assert "Judged on 1,234 lists of customers who bought, 2 weeks, 2020-09-09 to 2020-09-16." in text
    row = text.index("retrievers.popular", text.index("Without each part"))
    expected = ["0.02000", "+0.01000", "+0.00500 to +0.01500", "+2.0 %", "-1.0 %", "99.5"]
    assert text[row + 1 : row + 7] == expected
    row = text.index("features.buyer_age", row)
    assert text[row + 1 : row + 4] == ["0.03010", "-0.00010", "-0.00060 to +0.00040"]
    assert text[text.index("features.&lt;b&gt;") + 1] == "impossible"
    assert "With another value" not in text


def test_settings_have_a_table_of_their_own() -> None:
    row = FOUND["parts"][0] | {"value": "x2", "section": "candidates"}
    text = text_of(FOUND | {"parts": [], "settings": [row]})
    assert text[text.index("candidates.x2") + 1] == "0.02000"
    assert "Without each part" not in text
