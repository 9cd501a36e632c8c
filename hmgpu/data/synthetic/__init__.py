"""Generate synthetic H&M-shaped data that is free to share, with the structure that recommenders look for.

docs/synthetic.md describes what it contains and what it lacks.
"""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import polars as pl

from hmgpu.core.errors import DataError
from hmgpu.core.files import is_vacant
from hmgpu.data.synthetic.articles_file import article_ids, articles_table, launch_days
from hmgpu.data.synthetic.catalogue import SyntheticCatalogue, catalogue
from hmgpu.data.synthetic.customers import customers as sample_customers
from hmgpu.data.synthetic.customers_file import customers_table, hashes
from hmgpu.data.synthetic.memory import Memory
from hmgpu.data.synthetic.pictures.draw import draw_pictures
from hmgpu.data.synthetic.purchases import Simulation, purchases
from hmgpu.data.synthetic.span import DAYS
from hmgpu.data.synthetic.transactions_file import TransactionsFile

ROWS, CUSTOMERS, ARTICLES = 31_788_324, 1_371_980, 105_542
"""Size of the public data, and of synthetic data at scale 1."""

__all__ = ["synthesize"]


def synthesize(
    out: Path,
    scale: float,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
    customers: int | None = None,
    images: bool = False,
    drawing: Callable[[int, int], None] | None = None,
    launches: bool = False,
) -> dict[str, int]:
    """Write synthetic raw files into the folder `out`: transactions_train, articles, customers, sample_submission.

    scale: 1 is the size of the public data; rows and customers are proportional to it, articles to scale**0.6, so that
    small data sets keep a wide catalogue. seed: the same seed and scale give the same bytes.
    progress: called with (days done, days in all).
    customers: only so many; the shop and its articles stay as large as `scale` says. Customers depend on each other
    through the shop alone, so these are what a sample of the customers of the whole data would be.
    images: also a small drawing of every article in the folder `images`; the other files are the same bytes without.
    drawing: called with (pictures drawn, articles in all).
    launches: with the column `launched` of the articles, the first day on which each is on sale, whoever buys it. H&M's
    files have no such column.
    Returns the counts of rows, customers, articles, and pictures if there are some. Raises DataError when
    `out` is not empty. The folder, or the contents of an existing one, appear only when everything is written; a
    failure leaves nothing.
    """
    if scale <= 0 or seed < 0:
        raise DataError(f"scale must be above 0 and seed at least 0, not {scale} and {seed}.")
    if customers is not None and customers < 1:
        raise DataError(f"customers must be at least 1, not {customers}.")
    people = max(200, round(CUSTOMERS * scale)) if customers is None else customers
    rows = round(ROWS * (scale if customers is None else customers / CUSTOMERS))
    if not is_vacant(out):
        raise DataError(f"{out} is not an empty folder: name a new one, or empty it first.")
    out = out.absolute()
    there = out.exists()  # it may be a mount: a folder can't be renamed onto it, and its parent may not be writable
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out if there else out.parent))
    try:
        articles = catalogue(max(500, round(ARTICLES * scale**0.6)), seed)
        counts = _write(draft, articles, people, rows, seed, launches, progress)
        if images:
            draw_pictures(draft / "images", articles, article_ids(articles), seed, drawing)
            counts["pictures"] = len(articles)
        if there:
            for file in sorted(draft.iterdir()):  # the transactions come last: without them the folder is incomplete
                file.replace(out / file.name)
            draft.rmdir()
        else:
            draft.chmod(0o755)  # mkdtemp's folder is private to its owner
            draft.replace(out)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return counts


def _write(
    folder: Path,
    articles: SyntheticCatalogue,
    customers_wanted: int,
    rows_wanted: int,
    seed: int,
    launches: bool,
    progress: Callable[[int, int], None] | None,
) -> dict[str, int]:
    people = sample_customers(customers_wanted, seed)
    names, ids = article_ids(articles), hashes(len(people), seed, 1)

    table = articles_table(articles, seed)
    if launches:
        table = table.with_columns(launch_days(articles))
    table.write_csv(folder / "articles.csv")
    customers_table(people, ids, seed).write_csv(folder / "customers.csv")
    example = pl.DataFrame({"customer_id": ids}).with_columns(prediction=pl.lit(" ".join(names.head(12))))
    example.write_csv(folder / "sample_submission.csv")

    simulation = Simulation(articles, people, Memory(len(people)), seed)
    rows = 0
    with TransactionsFile(folder / "transactions_train.csv", ids, names, int(articles.price.max())) as file:
        for day in purchases(simulation, rows_wanted):
            file.add(day)
            rows += len(day.customer)
            if progress:
                progress(day.day + 1, DAYS)
    return {"rows": rows, "customers": len(people), "articles": len(articles)}
