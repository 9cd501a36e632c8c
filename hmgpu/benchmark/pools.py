"""A fixed piece of work for each pool of threads, on numbers of its own: what `hmgpu benchmark threads` measures."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from hmgpu.core.engine import Engine
from hmgpu.core.threads import threads

Work = Callable[[], object]
SEED = 1


def polars() -> Work:
    """Group, join and sort five million rows."""
    random = np.random.default_rng(SEED)
    keys, values = random.integers(0, 200_000, 5_000_000), random.integers(0, 1_000, 5_000_000)
    rows = pl.DataFrame({"key": keys.astype(np.int32), "value": values.astype(np.int32)})
    sums = rows.lazy().group_by("key").agg(pl.col("value").sum().alias("all"))
    plan = rows.lazy().join(sums, on="key").sort("all", "value")
    return lambda: Engine("cpu", "benchmark").collect(plan)


def xgboost() -> Work:
    """Fit sixty trees on two hundred thousand rows of thirty numbers."""
    import xgboost as xgb

    random = np.random.default_rng(SEED)
    rows = random.normal(size=(200_000, 30)).astype(np.float32)
    data = xgb.QuantileDMatrix(rows, (rows[:, 0] + random.normal(size=200_000) > 0).astype(np.float32))
    settings = {"objective": "binary:logistic", "tree_method": "hist", "max_depth": 6}
    return lambda: xgb.train(settings, data, 60)


def als() -> Work:
    """Factorise a million purchases of fifty thousand customers."""
    from scipy.sparse import csr_matrix

    from hmgpu.parts.models.factors.als import Factorisation
    from hmgpu.parts.models.factors.by_implicit import factorised

    random = np.random.default_rng(SEED)
    customers, articles = random.integers(0, 50_000, 1_000_000), random.integers(0, 10_000, 1_000_000)
    bought = csr_matrix((np.ones(1_000_000, np.float32), (articles, customers)), shape=(10_000, 50_000))
    return lambda: factorised(bought, Factorisation(factors=64, l2=0.1, alpha=10.0, iterations=3, seed=SEED))


def blas() -> Work:
    """Multiply dense matrices."""
    square = np.random.default_rng(SEED).normal(size=(2_500, 2_500)).astype(np.float32)
    return lambda: [square @ square for _ in range(4)]


def small_network() -> Work:
    """Train a network whose batches are little work, as two towers' are: a fifth of a billion operations."""
    return _training(rows=1_024, wide=64, batches=60)


def large_network() -> Work:
    """Train a network whose batches are six billion operations."""
    return _training(rows=1_024, wide=1_024, batches=20)


def _training(rows: int, wide: int, batches: int) -> Work:
    import torch

    from hmgpu.parts.models.training.loop import fit
    from hmgpu.parts.models.training.settings import Training

    torch.manual_seed(SEED)
    some = [torch.randint(0, 50_000, (rows, 4)) for _ in range(batches)]

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.vectors = torch.nn.Embedding(50_000, 64)
            hidden = torch.nn.Linear(256, wide)
            self.layers = torch.nn.Sequential(hidden, torch.nn.ReLU(), torch.nn.Linear(wide, wide))

        def loss(self, ids: torch.Tensor) -> tuple[torch.Tensor, int]:
            found = torch.nn.functional.normalize(self.layers(self.vectors(ids).flatten(1)))
            return torch.nn.functional.cross_entropy(found @ found.T, torch.arange(len(ids))), len(ids)

    def train() -> None:
        with tempfile.TemporaryDirectory() as folder:
            fit(Network(), lambda *_: some, None, Training(epochs=1), Engine("cpu", "benchmark"), SEED, Path(folder))

    return train


def pictures() -> Work:
    """Scale pictures, one a thread."""
    from concurrent.futures import ThreadPoolExecutor

    from PIL import Image

    noise = np.random.default_rng(SEED).integers(0, 255, (1_200, 800, 3), dtype=np.uint8)
    pool, picture = ThreadPoolExecutor(threads()), Image.fromarray(noise)
    return lambda: list(pool.map(lambda _: picture.resize((224, 224), Image.Resampling.BICUBIC), range(120)))


PIECES: dict[str, Callable[[], Work]] = {
    "Polars": polars,
    "XGBoost": xgboost,
    "ALS (implicit)": als,
    "BLAS (NumPy)": blas,
    "torch, small batches": small_network,
    "torch, large batches": large_network,
    "pictures (Pillow)": pictures,
}
