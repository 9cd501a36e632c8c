"""Store vectors in the data set: next to its tables, listed by its manifest, all at once or not at all."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hmgpu.core.errors import DataError
from hmgpu.core.extras import needed_by
from hmgpu.core.files import sha256
from hmgpu.core.parquet import read_table
from hmgpu.data.choices import VectorsOf
from hmgpu.data.ingest.staging import VECTORS, publish, staged
from hmgpu.data.manifest import DataFile, Manifest, Vectors


def keep(root: Path, of: VectorsOf, ids: pl.Series, vectors: "np.ndarray[Any, Any]", made_by: str) -> Vectors:
    """Store `vectors` in the data set in `root`, replacing earlier vectors `of` the same.

    They are scaled to length 1. Raises DataError, with nothing changed, where the data set no longer has an article,
    and BusyError and DiskError as an ingest does.

    Args:
        ids: String, the retailer's ids of the articles, each once.
        vectors: (ids, dimensions) of finite numbers, no row all zero.
        made_by: the model or the file that the vectors came from, for the manifest; without a path of this machine.
    """
    with needed_by("hmgpu vectors"):
        import torch  # takes seconds to load

        from hmgpu.core.vectors import quantised

    Manifest.read(root)  # raises before a folder is created for the lock
    with staged(root) as staging:
        there = Manifest.read(root)
        articles = read_table(root / there.table("articles"), columns=["article", "article_id"])
        # Looked up under the lock: the data set may have been replaced since the ids were read.
        keys = ids.to_frame("article_id").join(articles, on="article_id", how="left", maintain_order="left")["article"]
        if keys.null_count():
            gone = ids.filter(keys.is_null())[0]
            raise DataError(
                f"{root} no longer has article {gone}: it was replaced meanwhile; run the same command again."
            )
        whole = torch.nn.functional.normalize(torch.from_numpy(vectors.astype(np.float64)), dim=1)
        table = quantised(torch.from_numpy(keys.to_numpy().copy()), whole, "article")
        file = staging / VECTORS / "table.parquet"
        file.parent.mkdir()
        table.write_parquet(file, compression="zstd", statistics=True)
        # Named by its content, so that old vectors are replaced at the moment when the manifest is swapped.
        digest = sha256(file)
        name = f"{VECTORS}/{of}-{digest[:8]}.parquet"
        file.rename(staging / name)
        kept = Vectors(file=name, made_by=made_by, dimensions=vectors.shape[1], articles=table.height)
        replaced = {there.vectors[of].file} if of in there.vectors else set()
        files = {other: entry for other, entry in there.files.items() if other not in replaced}
        files[name] = DataFile(sha256=digest, rows=table.height)
        publish(staging, root, there.model_copy(update={"files": files, "vectors": {**there.vectors, of: kept}}))
    return kept
