"""Write `articles.csv`: the catalogue in the 25 columns of the raw layout, with names and descriptions."""

import datetime

import numpy as np
import polars as pl

from hmgpu.data.synthetic.arrays import Stream, generator
from hmgpu.data.synthetic.catalogue import DEPARTMENT_SECTION, DEPARTMENTS, GROUPS, SyntheticCatalogue
from hmgpu.data.synthetic.span import FIRST_DATE, MISSING
from hmgpu.data.synthetic.vocabulary import (
    APPEARANCES,
    COLOUR_FAMILIES,
    COLOURS,
    DETAILS,
    FABRICS,
    FITS,
    GARMENTS,
    INDEXES,
    NAME_ENDS,
    NAME_STARTS,
    SECTIONS,
)

NO_DESCRIPTION = 0.004
TONES = tuple(dict.fromkeys(tone for _, tone, _ in COLOURS))


def article_ids(articles: SyntheticCatalogue) -> pl.Series:
    """Return the article ids, ten digits as text: product code, then colour variant."""
    number = pl.Series("article_id", articles.product_code.astype(np.int64) * 1000 + articles.variant)
    return number.cast(pl.String).str.zfill(10)


def articles_table(articles: SyntheticCatalogue, seed: int) -> pl.DataFrame:
    """Return all 25 columns as text, one row an article, sorted by article id."""
    section = DEPARTMENT_SECTION[articles.department]
    index = np.array([s.shop for s in SECTIONS])[section]
    names, descriptions = _texts(articles, seed)
    types = [[t.name for t in g.types] for g in GROUPS]
    families = [COLOUR_FAMILIES.index(f) for _, _, f in COLOURS]
    group, kind, colour = articles.group.tolist(), articles.kind.tolist(), articles.colour.tolist()

    def words(table: list[str], entry: np.ndarray) -> pl.Series:
        return pl.Series(table).gather(entry)

    def codes(first: int, step: int, entry: np.ndarray, width: int = 0) -> pl.Series:
        return pl.Series(first + step * entry.astype(np.int64)).cast(pl.String).str.zfill(width)

    tone = np.array([TONES.index(t) for _, t, _ in COLOURS])[articles.colour]
    ids = article_ids(articles)
    return pl.DataFrame(
        {
            "article_id": ids,
            "product_code": ids.str.slice(0, 7),
            "prod_name": names,
            "product_type_no": codes(200, 1, articles.group * 6 + articles.kind),
            "product_type_name": [types[g][k] for g, k in zip(group, kind, strict=True)],
            "product_group_name": [GROUPS[g].types[k].group for g, k in zip(group, kind, strict=True)],
            "graphical_appearance_no": codes(1_020_001, 1, articles.appearance),
            "graphical_appearance_name": words(list(APPEARANCES), articles.appearance),
            "colour_group_code": codes(1, 3, articles.colour, width=2),
            "colour_group_name": [COLOURS[c][0] for c in colour],
            "perceived_colour_value_id": codes(1, 1, tone),
            "perceived_colour_value_name": words(list(TONES), tone),
            "perceived_colour_master_id": codes(1, 1, np.array(families)[articles.colour]),
            "perceived_colour_master_name": [COLOURS[c][2] for c in colour],
            "department_no": codes(3001, 7, articles.department),
            "department_name": words(_department_names(), articles.department),
            "index_code": words([code for code, *_ in INDEXES], index),
            "index_name": words([name for _, name, _, _ in INDEXES], index),
            "index_group_no": words([str(number) for _, _, number, _ in INDEXES], index),
            "index_group_name": words([name for *_, name in INDEXES], index),
            "section_no": codes(11, 3, section),
            "section_name": words([s.name for s in SECTIONS], section),
            "garment_group_no": codes(2001, 1, articles.group),
            "garment_group_name": words([g.name for g in GROUPS], articles.group),
            "detail_desc": descriptions,
        }
    )


def launch_days(articles: SyntheticCatalogue) -> pl.Series:
    """Return `launched` (Date), the first day on which each article is on sale."""
    first_week = np.datetime64(FIRST_DATE - datetime.timedelta(days=MISSING))
    return pl.Series("launched", first_week + 7 * articles.launch.astype("timedelta64[D]"))


def _department_names() -> list[str]:
    return [f"{SECTIONS[s].name} {GARMENTS[letter].name.lower()}" for letter, s in DEPARTMENTS]


def _texts(articles: SyntheticCatalogue, seed: int) -> tuple[pl.Series, pl.Series]:
    """Compose the name and description of every article's product; a few products have no description."""
    rng = generator(seed, Stream.TEXTS)
    first = np.unique(articles.first_of_product)
    n = len(first)
    start, end = rng.integers(0, len(NAME_STARTS), n), rng.integers(0, len(NAME_ENDS), n)
    fabric, fit = rng.integers(0, len(FABRICS), n), rng.integers(0, len(FITS), n)
    detail = rng.integers(0, len(DETAILS), (n, 2))
    silent = rng.random(n) < NO_DESCRIPTION
    brief = rng.random(n) < 0.4
    names: list[str] = []
    descriptions: list[str | None] = []
    for p, entry in enumerate(first):
        garment = GROUPS[articles.group[entry]].types[articles.kind[entry]].name
        section = SECTIONS[DEPARTMENT_SECTION[articles.department[entry]]]
        names.append(f"{NAME_STARTS[start[p]]}{NAME_ENDS[end[p]]} {garment.lower()}")
        look = APPEARANCES[articles.appearance[entry]].lower()
        extras = " and ".join(dict.fromkeys(DETAILS[d] for d in detail[p]))
        cloth, cut = FABRICS[fabric[p]], FITS[fit[p]]
        text = f"{garment} from {section.name.lower()}, {look}, in {cloth} with {extras}. Cut: {cut}."
        if brief[p]:
            text = f"{look.capitalize()} {garment.lower()} in {cloth}. Cut: {cut}."
        descriptions.append(None if silent[p] else text)
    return pl.Series(names).gather(articles.product), pl.Series(descriptions).gather(articles.product)
