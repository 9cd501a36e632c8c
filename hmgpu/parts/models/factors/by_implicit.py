"""What the library implicit fits on the CPU, with the same calls as `als` and `bpr`, which are for every device.

implicit is faster on a CPU. Its CUDA part (0.7.3) needs an rmm older than RAPIDS 26.6 and does not load next to a newer
one, so it is never used.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hmgpu.core.errors import ConfigError
from hmgpu.core.threads import threads
from hmgpu.parts.models.factors.als import SINGULAR, Factorisation, Floats
from hmgpu.parts.models.factors.bpr import Ranking

if TYPE_CHECKING:  # the real imports take a second
    from implicit.cpu.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix

CPU = "cpu"  # the only device that implicit is used on


def factorised(bought: "csr_matrix", settings: Factorisation, device: str = CPU) -> Floats:
    """Return what `als.factorised` returns."""
    with _model(settings) as model:
        model.fit(bought, show_progress=False)
    found: Floats = model.item_factors
    return found


def solved(articles: Floats, bought: "csr_matrix", settings: Factorisation, device: str = CPU) -> Floats:
    """Return what `als.solved` returns. Raises ConfigError where the customers' vectors have no one solution."""
    with _model(settings) as model:
        model.item_factors = articles
        try:
            found: Floats = model.recalculate_user(range(bought.shape[0]), bought)
        except ValueError:  # "cython_lapack.posv failed"
            raise ConfigError(SINGULAR) from None
    return found


def ranked(bought: "csr_matrix", settings: Ranking, device: str = CPU) -> tuple[Floats, Floats]:
    """Return what `bpr.ranked` returns. By one thread: with more, each fit would be different."""
    with _no_cuda():
        from implicit.cpu.bpr import BayesianPersonalizedRanking
    model = BayesianPersonalizedRanking(
        factors=settings.factors,
        learning_rate=settings.learning_rate,
        regularization=settings.l2,
        iterations=settings.iterations,
        num_threads=1,
        random_state=settings.seed,
    )
    model.fit(bought, show_progress=False)
    return model.user_factors, model.item_factors


@contextmanager
def _model(settings: Factorisation) -> Iterator["AlternatingLeastSquares"]:
    with _no_cuda():
        from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):  # implicit has threads of its own, which BLAS threads would hold up
        yield AlternatingLeastSquares(
            factors=settings.factors,
            regularization=settings.l2,
            alpha=settings.alpha,
            iterations=settings.iterations,
            num_threads=threads(),
            random_state=settings.seed,
        )


@contextmanager
def _no_cuda() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Disabling GPU support")
        yield
