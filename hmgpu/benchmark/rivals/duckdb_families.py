"""Feature families in DuckDB's SQL, as somebody writes it who knows SQL well.

Each gives the same columns as hmgpu's family of the same name; hmgpu/parts/features/ says what they mean. A family is a
few tables joined to the candidates `pairs`, and an expression a column, so that all families together are one query.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hmgpu.benchmark.rivals.duckdb_tables import Tables
from hmgpu.parts.features.affinity import Affinity
from hmgpu.parts.features.article_price import ArticlePrice
from hmgpu.parts.features.article_sales import ArticleSales
from hmgpu.parts.features.buyer_age import BuyerAge
from hmgpu.parts.features.customer_habits import CustomerHabits
from hmgpu.parts.features.price_fit import PriceFit


@dataclass(frozen=True)
class Described:
    """What a family adds to the query over `pairs`."""

    joins: Sequence[str]
    columns: Mapping[str, str]
    """The expression of each column."""

    @classmethod
    def by(cls, key: str, table: str, it: str, columns: Sequence[str]) -> "Described":
        """Join `table` as `it` by one key, and take its columns."""
        return cls([f"left join {table} {it} on {it}.{key} = pairs.{key}"], {each: f"{it}.{each}" for each in columns})


def article_sales(part: ArticleSales, tables: Tables, it: str) -> Described:
    """Describe articles by the columns of `ArticleSales`."""
    longest = max(*part.windows, 14)
    units = {f"article_units_{days}": f"{within(tables, days)}::integer" for days in part.windows}
    columns = {
        **units,
        "article_days_since_sale": f"({tables.cutoff} - max(day))::integer",
        "article_buyers": "any_value(buyers)::integer",
        "article_age": f"({tables.cutoff} - any_value(first_day))::integer",
        "article_trend": f"(({within(tables, 7)} - before) / (before + 1))::float",
        "article_returned": "(any_value(returned) / any_value(buyers))::float",
        "article_units_a_buyer": "(count(*) / any_value(buyers))::float",
    }
    before = f"count(*) filter (day between {tables.cutoff - 14} and {tables.cutoff - 8})"
    table = f"""
        with sold as (select article, customer, day from {tables.sales(longest)}),
        buyers as (
            select article, count(*) buyers, count(*) filter (last > first) returned
            from (select article, min(day) first, max(day) last from sold group by article, customer)
            group by article
        )
        select article, {before} as before, {aliased(columns)}
        from sold join buyers using (article) join {tables.articles} using (article)
        group by article"""
    return Described.by("article", f"({table})", it, [*columns])


def article_price(part: ArticlePrice, tables: Tables, it: str) -> Described:
    """Describe articles by the columns of `ArticlePrice`."""
    now = f"select article, avg(price) as now from {tables.sales(part.recent)} group by article"
    columns = {
        "article_price": "usual::float",
        "article_price_now": "now::float",
        "article_discount": "(now / nullif(usual, 0))::float",
        "article_markdown": "(now / nullif(full_price, 0))::float",
    }
    table = f"""
        select article, {aliased(columns)}
        from (
            select article, avg(price) usual, max(price) full_price from {tables.sales(part.days)} group by article
        ) left join ({now}) using (article)"""
    return Described.by("article", f"({table})", it, [*columns])


def price_fit(part: PriceFit, tables: Tables, it: str) -> Described:
    """Describe pairs by the columns of `PriceFit`."""
    sales = tables.sales(part.days)
    joins = [
        f"""left join (
            select article, avg(price) price from {sales} group by article
        ) {it} on {it}.article = pairs.article""",
        f"""left join (
            select customer, avg(price) usual, stddev_pop(price) deviation
            from {sales} semi join pairs using (customer) group by customer
        ) {it}_paid on {it}_paid.customer = pairs.customer""",
    ]
    columns = {
        "price_against_usual": f"({it}.price / nullif({it}_paid.usual, 0))::float",
        "price_deviation": f"(({it}.price - {it}_paid.usual) / ({it}_paid.deviation + 1))::float",
    }
    return Described(joins, columns)


def customer_habits(part: CustomerHabits, tables: Tables, it: str) -> Described:
    """Describe customers by the columns of `CustomerHabits`."""
    columns = {
        **{f"customer_units_{days}": f"{within(tables, days)}::integer" for days in part.windows},
        "customer_units": "count(*)::integer",
        "customer_articles": "count(distinct article)::integer",
        "customer_days": "count(distinct day)::integer",
        "customer_days_since": f"({tables.cutoff} - max(day))::integer",
        "customer_tenure": f"({tables.cutoff} - min(day))::integer",
        "customer_basket": "(count(*) / count(distinct day))::float",
        "customer_gap": "((max(day) - min(day)) / nullif(count(distinct day) - 1, 0))::float",
        "customer_repeats": "(1 - count(distinct article) / count(*))::float",
    }
    if "price" in tables.present:
        columns |= {"customer_price": "avg(price)::float", "customer_price_max": "max(price)::float"}
    if "channel" in tables.present:
        columns["customer_first_channel"] = "(count(*) filter (channel = 0) / count(*))::float"
    table = f"""
        select customer, {aliased(columns)}
        from {tables.sales(None)} semi join pairs using (customer) group by customer"""
    return Described.by("customer", f"({table})", it, [*columns])


def buyer_age(part: BuyerAge, tables: Tables, it: str) -> Described:
    """Describe pairs by the columns of `BuyerAge`."""
    joins = [
        f"""left join (
            select article, avg(age)::float as mean, stddev_pop(age)::float as deviation
            from {tables.sales(part.days)} join {tables.customers} using (customer)
            where age is not null group by article
        ) {it} on {it}.article = pairs.article""",
        f"left join {tables.customers} {it}_own on {it}_own.customer = pairs.customer",
    ]
    columns = {
        "buyer_age": f"{it}.mean",
        "buyer_age_deviation": f"{it}.deviation",
        "buyer_age_distance": f"abs({it}_own.age::float - {it}.mean)",
    }
    return Described(joins, columns)


def affinity(part: Affinity, tables: Tables, it: str) -> Described:
    """Describe pairs by the columns of `Affinity`."""
    level, joined, asked, own = "article", "", list[str](), "pairs.article"
    if part.by != "article":
        level, joined, own = part.by, f"join {tables.articles} using (article)", f"{it}_at.{part.by}"
        asked = [f"left join {tables.articles} {it}_at on {it}_at.article = pairs.article"]
    age = f"({tables.cutoff} - day)"
    # As heavy as hmgpu's families let the oldest purchases be: see pandas_tables.weight_at.
    weight = f"sum(greatest(pow(0.5, {age} / {part.half_life}), (day + 1) / pow(2, 31)))"
    columns = {
        **{f"units_{days}": f"{within(tables, days)}::integer" for days in part.windows},
        "units": "count(*)::integer",
        "days_since": f"min({age})::integer",
        "days_since_first": f"max({age})::integer",
        "weight": f"{weight}::float",
        "share": "(count(*) / sum(count(*)) over (partition by customer))::float",
    }
    table = f"""
        select customer, {level} as level, {aliased(columns)}
        from {tables.sales(None)} semi join pairs using (customer) {joined}
        where {level} is not null group by customer, {level}"""
    joins = [*asked, f"left join ({table}) {it} on {it}.customer = pairs.customer and {it}.level = {own}"]
    return Described(joins, {f"bought_{part.by}_{name}": f"{it}.{name}" for name in columns})


def retrievers(tables: Tables, it: str) -> Described:
    """Describe pairs by the columns of `RetrieverScores`."""
    scores = [name for name in tables.proposed if name.endswith("_score")]
    best = ", ".join(f'max("{name}") as "{name}"' for name in scores)
    join = f"left join (select customer, {best} from pairs group by customer) {it} on {it}.customer = pairs.customer"
    return Described(
        [join],
        {f"{name}_share": f'case when {it}."{name}" > 0 then pairs."{name}" / {it}."{name}" end' for name in scores},
    )


def within(tables: Tables, days: int) -> str:
    """Return how many rows are of the last `days` days."""
    return f"count(*) filter (day >= {tables.cutoff - days})"


def aliased(columns: Mapping[str, str]) -> str:
    """Return the expressions `columns` with their names, for a `select`."""
    return ", ".join(f'{expression} as "{name}"' for name, expression in columns.items())
