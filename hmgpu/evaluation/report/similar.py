"""Show what lies near some articles, in every space of vectors that the run has learned."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from hmgpu.core.html.blocks import Article, Card, Section
from hmgpu.core.parquet import read_table, schema_of
from hmgpu.data.colours import article_colour
from hmgpu.data.weeks import DAYS
from hmgpu.evaluation.report.evaluated import Evaluated
from hmgpu.evaluation.report.pictures import picture

SEEDS, NEIGHBOURS = 4, 6
KIND = "product_type_name"
EXPLAINED = (
    "Best sellers of the week before, each of another kind, and what is most like them among the articles that could "
    "be proposed: the largest cosine of their vectors, which is given."
)
ATTRIBUTES = (KIND, "colour_name", "department_name")


def spaces_of(folders: Mapping[str, Path]) -> dict[str, Path]:
    """Return the files of those of `folders`, of what parts learned by name, that hold vectors of articles."""
    files = {name: folder / "articles.parquet" for name, folder in folders.items()}
    return {
        name: file
        for name, file in files.items()
        if file.is_file() and {"article", "v000", "on_sale"} <= set(schema_of(file).names())
    }


def similar(week: Evaluated) -> Section:
    """Return the section with a card for each of a few best sellers; without blocks where the run has no vectors."""
    seeds = _seeds(week) if week.spaces else pl.Series(dtype=pl.Int32)
    near = {name: _nearest(read_table(file), seeds, week) for name, file in week.spaces.items()}
    shown = pl.concat([seeds.to_frame("article"), *(table.select("article") for table in near.values())])
    wanted = pl.col("article").is_in(shown["article"].unique().sort().to_list())
    rows = {row["article"]: row for row in week.engine.collect(week.catalogue.filter(wanted)).iter_rows(named=True)}
    cards = []
    for seed in seeds:
        shelves = [("The article", [_article(rows[seed], "", week)])]
        for name, table in near.items():
            found = table.filter(pl.col("seed") == seed)
            if found.height:
                pairs = found.select("article", "cosine").iter_rows()
                shelves.append((name, [_article(rows[article], f"{cosine:.2f}", week) for article, cosine in pairs]))
        if len(shelves) > 1:
            cards.append(Card(_name(rows[seed]), "", shelves))
    return Section("Similar articles", EXPLAINED, cards)


def _seeds(week: Evaluated) -> pl.Series:
    """Return the best seller of each of the kinds that sold best in the last week, each with its key."""
    sold = week.history.last(DAYS).group_by("article").agg(units=pl.len())
    kind = pl.col(KIND) if KIND in week.history.articles.collect_schema().names() else pl.col("article")
    kinds = week.history.articles.select("article", kind=kind)
    table = week.engine.collect(sold.join(kinds, on="article").sort("units", "article", descending=[True, False]))
    return table.unique("kind", keep="first", maintain_order=True)["article"].head(SEEDS)


def _nearest(table: pl.DataFrame, seeds: pl.Series, week: Evaluated) -> pl.DataFrame:
    """Return (seed, article, cosine) of the nearest of `table` (article, `v…`, on_sale) that may be proposed."""
    import torch  # there are vectors, so it is installed

    from hmgpu.core.engine import Engine
    from hmgpu.core.vectors import quantised
    from hmgpu.parts.models.space.topk import nearest, vectors_of

    unit = torch.nn.functional.normalize(vectors_of(table, Engine("cpu", "report")), dim=1)
    keys = torch.from_numpy(table["article"].to_numpy().copy())
    articles = quantised(keys, unit, "article")
    offered = table.filter(pl.col("on_sale") == 1).select("article")
    asked = articles.filter(pl.col("article").is_in(seeds.implode())).rename({"article": "customer"})
    found = nearest(asked, articles.join(offered, on="article", how="semi"), NEIGHBOURS + 1, week.engine)
    others = found.filter(pl.col("customer") != pl.col("article")).sort("customer", "rank")
    first = others.group_by("customer", maintain_order=True).head(NEIGHBOURS)
    return first.select(seed="customer", article="article", cosine="score")


def _article(row: Mapping[str, Any], note: str, week: Evaluated) -> Article:
    about = ", ".join(str(row[name]) for name in ATTRIBUTES if row.get(name) is not None)
    image = picture(week.pictures, row["article_id"])
    colour = article_colour(row) if image is None else None
    return Article(_name(row), about, note, picture=image, colour=colour)


def _name(row: Mapping[str, Any]) -> str:
    return str(row.get("name") or row["article_id"])
