"""Show a dozen customers: what they had bought, what they were recommended, and what they then bought."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from hmgpu.core.html.blocks import Article, Card, Section
from hmgpu.core.parquet import scan_table
from hmgpu.core.words import first_few
from hmgpu.data.colours import article_colour
from hmgpu.evaluation.report.evaluated import Evaluated
from hmgpu.evaluation.report.pictures import picture
from hmgpu.evaluation.report.sampled_lists import OUTCOMES, sampled_lists
from hmgpu.parts.candidates import KEYS, RANK

LATEST = 6  # purchases shown
BOUGHT = 12  # articles of the week shown
RETRIEVERS = 3  # named under a recommendation
ATTRIBUTES = ("product_type_name", "colour_name", "department_name", "article_id")
EXPLAINED = (
    "One customer, sampled at random, for every segment and outcome that occurs: {}. Recommended articles that were "
    "bought are framed. Under each recommendation is why it is there, said to the customer, and in brackets the "
    "retrievers that ranked it highest, with its rank there."
)

Row = Mapping[str, Any]


def cards_of(week: Evaluated) -> list[tuple[str, Card]]:
    """Return (segment, card) of one customer of each segment and outcome, the best outcome of a segment first."""
    sampled = sampled_lists(week)
    cards = CustomerCards.of(week, sampled.select("customer"))
    return [(row["segment"], cards.card(**row)) for row in sampled.iter_rows(named=True)]


def customers(cards: Sequence[tuple[str, Card]]) -> Section:
    """Return the section with the cards that `cards_of` returned."""
    outcomes = "; ".join(f"{name} ({meaning})" for name, meaning in OUTCOMES.items())
    return Section("Customers", EXPLAINED.format(outcomes), [card for _, card in cards])


@dataclass(frozen=True)
class CustomerCards:
    """The purchases, lists and candidates behind the cards of the page's customers."""

    week: Evaluated
    past: pl.DataFrame
    """(customer, article, day) of each purchase, the latest first."""
    listed: pl.DataFrame
    """(customer, article, rank) of their recommendations."""
    proposed: Mapping[tuple[int, int], Row]
    """Each retriever's rank of a candidate and its `place` by the ranker's score, by customer and article."""
    articles: Mapping[int, Row]
    """All articles on the cards, by key."""
    known: frozenset[int]
    """Keys of the articles on the cards that were known before the week."""
    attributes: Mapping[int, Row]
    """The customers' rows in the customer table, by key."""

    @staticmethod
    def of(week: Evaluated, sampled: pl.DataFrame) -> "CustomerCards":
        """Collect what the cards of `sampled` (customer) show."""
        theirs, collect = pl.col("customer").is_in(sampled["customer"].to_list()), week.engine.collect
        past = collect(week.history.transactions.filter(theirs).select(*KEYS, "day").unique())
        rows = collect(scan_table(week.examples.files).filter(theirs).sort(KEYS))
        scores = week.model.score(rows).alias("score")
        proposed = rows.select(*KEYS, *(f"{name}{RANK}" for name in week.retrievers), scores)
        # Rows are sorted, and equal scores are ranked in their order: ties break on the article.
        proposed = proposed.with_columns(place=pl.col("score").rank("ordinal", descending=True).over("customer"))
        listed = week.lists.filter(theirs)
        shown = pl.concat(table.select("article") for table in (past, listed, week.labels.filter(theirs)))
        shown_article = pl.col("article").is_in(shown["article"].unique().sort().to_list())
        known = collect(week.history.articles.filter(shown_article).select("article"))
        return CustomerCards(
            week,
            past.sort("customer", "day", "article", descending=[False, True, False]),
            listed,
            {(row["customer"], row["article"]): row for row in proposed.iter_rows(named=True)},
            {row["article"]: row for row in collect(week.catalogue.filter(shown_article)).iter_rows(named=True)},
            frozenset(known["article"]),
            {row["customer"]: row for row in collect(week.customers.filter(theirs)).iter_rows(named=True)},
        )

    def card(self, customer: int, segment: str, outcome: str, average_precision: float) -> Card:
        """Return one customer's card."""
        mine = pl.col("customer") == customer
        past, listed = self.past.filter(mine), self.listed.filter(mine)
        bought = self.week.labels.filter(mine)["article"].sort().to_list()
        places = dict(listed.select("article", "rank").iter_rows())
        latest = [self._article(article, self._ago(day)) for _, article, day in past.head(LATEST).iter_rows()]
        recommended = [
            self._article(article, self._proposed_by(customer, article), article in bought) for article in places
        ]
        then = [self._article(a, self._found(customer, a, places.get(a)), a in places) for a in bought[:BOUGHT]]
        attributes = self.attributes[customer]
        age = attributes.get("age")
        about = [
            f"customer {attributes['customer_id']}",
            f"age {age}" if age else "",
            f"{past.height:,} earlier purchases on {_days(past['day'].n_unique())}" if past.height else "",
            f"average precision {average_precision:.3f}",
        ]
        shelves = [
            ("Bought before, latest first", latest),
            ("Recommended", recommended),
            (f"Bought in the week: {len(bought)}", then),
        ]
        return Card(f"{segment.capitalize()}: {outcome}", " · ".join(filter(None, about)), shelves)

    def _article(self, article: int, note: str, hit: bool = False) -> Article:
        row = self.articles[article]
        about = ", ".join(str(row[name]) for name in ATTRIBUTES if row.get(name) is not None)
        name, image = row.get("name") or row["article_id"], picture(self.week.pictures, row["article_id"])
        colour = article_colour(row) if image is None else None
        return Article(name, about, note, hit, image, colour)

    def _ago(self, day: int) -> str:
        return f"{_days(self.week.history.cutoff - day)} before"

    def _proposed_by(self, customer: int, article: int) -> str:
        row = self.proposed.get((customer, article), {})
        ranks = [(rank, name) for name in self.week.retrievers if (rank := row.get(f"{name}{RANK}")) is not None]
        best = first_few((f"{name} {rank}" for rank, name in sorted(ranks)[:RETRIEVERS]), len(ranks))
        ranked = best or "best seller that fills up the list"
        why = self.week.reasons.get((customer, article))
        return f"{why} ({ranked})" if why else ranked

    def _found(self, customer: int, article: int, place: int | None) -> str:
        if place is not None:
            return f"recommended at rank {place}"
        row = self.proposed.get((customer, article))
        if row is None:
            return "proposed by no retriever" if article in self.known else "first sold in this week"
        if row["place"] is None:
            return "proposed, but dropped by the first ranker"
        return f"proposed, ranked {row['place']}"


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number:,} days"
