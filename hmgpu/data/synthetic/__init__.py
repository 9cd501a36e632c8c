"""An H&M-shaped world that is free to share: raw files with the structure that recommenders look for.

What it contains, and what it lacks, is told in docs/synthetic.md.
"""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import polars as pl

from hmgpu.core.errors import DataError
from hmgpu.core.files import is_vacant
from hmgpu.data.synthetic.articles_file import article_ids, articles_table
from hmgpu.data.synthetic.catalogue import catalogue
from hmgpu.data.synthetic.customers import customers
from hmgpu.data.synthetic.customers_file import customers_table, hashes
from hmgpu.data.synthetic.memory import Memory
from hmgpu.data.synthetic.purchases import World, purchases
from hmgpu.data.synthetic.span import DAYS
from hmgpu.data.synthetic.transactions_file import TransactionsFile

ROWS, CUSTOMERS, ARTICLES = 31_788_324, 1_371_980, 105_542
"""Size of the public data, and of the world at scale 1."""

__all__ = ["synthesize"]


def synthesize(
    out: Path, scale: float, seed: int, progress: Callable[[int, int], None] | None = None
) -> dict[str, int]:
    """Write a world into the folder `out`: transactions_train, articles, customers and sample_submission (.csv).

    scale: 1 is the size of the public data; rows and customers are proportional to it, articles to scale**0.6, so
    that a small world keeps a wide catalogue. seed: names the world; the same seed and scale give the same bytes.
    progress: called with (days done, days in all).
    Returns the counts of rows, customers and articles. Raises DataError when `out` has something in it.
    The folder, or what is in one that was there, appears when everything is written; nothing is left when it fails.
    """
    if scale <= 0 or seed < 0:
        raise DataError(f"scale must be above 0 and seed at least 0, not {scale} and {seed}.")
    if not is_vacant(out):
        raise DataError(f"{out} is not an empty folder: name a new one, or empty it first.")
    out = out.absolute()
    there = out.exists()  # it may be a mount, which nothing can be moved onto and beside which nothing may be written
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out if there else out.parent))
    try:
        counts = _write(draft, scale, seed, progress)
        if there:
            for file in sorted(draft.iterdir()):  # the transactions last, without which the others are nothing
                file.replace(out / file.name)
            draft.rmdir()
        else:
            draft.chmod(0o755)  # mkdtemp's folder is the owner's alone
            draft.replace(out)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return counts


def _write(folder: Path, scale: float, seed: int, progress: Callable[[int, int], None] | None) -> dict[str, int]:
    articles = catalogue(max(500, round(ARTICLES * scale**0.6)), seed)
    people = customers(max(200, round(CUSTOMERS * scale)), seed)
    names, ids = article_ids(articles), hashes(len(people), seed, 1)

    articles_table(articles, seed).write_csv(folder / "articles.csv")
    customers_table(people, ids, seed).write_csv(folder / "customers.csv")
    example = pl.DataFrame({"customer_id": ids}).with_columns(prediction=pl.lit(" ".join(names.head(12))))
    example.write_csv(folder / "sample_submission.csv")

    world = World(articles, people, Memory(len(people)), seed)
    rows = 0
    with TransactionsFile(folder / "transactions_train.csv", ids, names, int(articles.price.max())) as file:
        for day in purchases(world, round(ROWS * scale)):
            file.add(day)
            rows += len(day.customer)
            if progress:
                progress(day.day + 1, DAYS)
    return {"rows": rows, "customers": len(people), "articles": len(articles)}
