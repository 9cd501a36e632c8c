"""Do articles that look alike belong together? Of each article's ten nearest by picture, how many share an attribute.

    python scripts/picture_neighbours.py DATA

Needs vectors of pictures in the data set (`hmgpu vectors pictures`). Chance is the share among all other articles with
a picture. Other colours of the same product look alike by nature, so the second column leaves them out, and chance too.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from hmgpu.core.parquet import read_table
from hmgpu.data.store import Store

NEAREST = 10
BLOCK = 1024  # articles compared with all at once
ATTRIBUTES = ("product_type", "colour", "department", "section", "garment_group")

Codes = dict[str, "np.ndarray[Any, Any]"]


def agreement(vectors: "np.ndarray[Any, Any]", attributes: Codes, product: "np.ndarray[Any, Any] | None") -> Codes:
    """Return by attribute (share of the nearest that agree, share of all others that agree).

    vectors: (articles, dimensions). attributes: (articles,) codes each. product: others of the same one don't count.
    """
    whole = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    sums = {name: np.zeros(2) for name in attributes}
    for start in range(0, len(whole), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(whole)))
        counts = np.arange(len(whole)) != rows[:, None]
        if product is not None:
            counts &= product != product[rows, None]
        similar = np.where(counts, whole[rows] @ whole.T, -np.inf)
        nearest = np.argsort(-similar, axis=1, kind="stable")[:, :NEAREST]
        for name, codes in attributes.items():
            same = codes == codes[rows, None]
            near = np.take_along_axis(same, nearest, axis=1).mean(axis=1)
            sums[name] += [near.sum(), ((same & counts).sum(axis=1) / counts.sum(axis=1)).sum()]
    return {name: found / len(whole) for name, found in sums.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder of the data set")
    store = Store(parser.parse_args().data)
    vectors = read_table(store.root / store.manifest.vectors["pictures"].file).sort("article")
    articles = store.articles().collect()
    known = vectors.select("article").join(articles, on="article", how="left", maintain_order="left")
    matrix = vectors.drop("article").to_numpy().astype(np.float32)
    codes = {name: known[name].to_numpy() for name in ATTRIBUTES if name in known.columns}
    product = known["product"].to_numpy()
    every, others = agreement(matrix, codes, None), agreement(matrix, codes, product)
    print(f"{len(matrix):,} articles with a picture, the {NEAREST} nearest of each; the same attribute\n")
    print("| | nearest | chance | of other products | chance |\n|---|---|---|---|---|")
    for name in codes:
        shares = (*every[name], *others[name])
        print(f"| {name.replace('_', ' ')} | {' | '.join(f'{100 * share:.1f} %' for share in shares)} |")


if __name__ == "__main__":
    main()
