"""Alternating least squares in torch: one code for CPU and GPU, which takes the same steps as the library implicit.

Hu, Koren & Volinsky 2008 ("Collaborative filtering for implicit feedback datasets"), fitted by conjugate gradients
(Takács, Pilászy & Tikk 2011, "Applications of the conjugate gradient method for implicit feedback collaborative
filtering"). On the CPU implicit is faster: see `by_implicit`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from hmgpu.core.errors import ConfigError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = npt.NDArray[np.float32]
BLOCK_BYTES = 256 * 2**20  # of the numbers of one block of rows, on the device at once
STEPS = 3  # of conjugate gradients in each round, as in implicit; each round starts where the one before it ended
SINGULAR = "als: customers' vectors have no one solution with l2 at 0 and so few articles; set l2 above 0."
LEAST = 1e-20  # a smaller square of a residual is taken for solved


@dataclass(frozen=True)
class Factorisation:
    """Settings of `hmgpu.parts.retrievers.als`."""

    factors: int
    alpha: float
    l2: float
    iterations: int
    seed: int


@dataclass(frozen=True)
class Block:
    """Rows with about as many purchases, as rectangles: what is beyond a row's own has confidence 0."""

    rows: torch.Tensor
    """(rows,) their places."""
    columns: torch.Tensor
    """(rows, width) places of what they bought, or who bought them."""
    confidence: torch.Tensor
    """(rows, width) float32."""

    def factors(self, others: torch.Tensor) -> torch.Tensor:
        """Return the vectors of what they bought, of (columns, factors): (rows, width, factors)."""
        return others.index_select(0, self.columns.flatten()).view(*self.columns.shape, -1)

    @property
    def extra(self) -> torch.Tensor:
        """(rows, width): by how much the confidence is more than that in what was not bought, 1."""
        return torch.where(self.confidence > 0, self.confidence - 1, 0.0)


def factorised(bought: "csr_matrix", settings: Factorisation, device: str) -> Floats:
    """Return the vectors of articles (articles, factors), fitted to `bought` (customers, articles) float32."""
    draw = np.random.default_rng(settings.seed)  # the numbers that implicit starts from, on every device
    sides = [
        torch.from_numpy(draw.random((count, settings.factors), dtype=np.float32) * np.float32(0.01)).to(device)
        for count in bought.shape
    ]
    customers, articles = sides
    blocks = [list(_blocks(each, settings, device)) for each in (bought, bought.T.tocsr())]
    for _ in range(settings.iterations):
        _improve(customers, articles, blocks[0], settings.l2)
        _improve(articles, customers, blocks[1], settings.l2)
    found: Floats = articles.cpu().numpy()
    return found


def solved(articles: Floats, bought: "csr_matrix", settings: Factorisation, device: str) -> Floats:
    """Return the vectors of customers (customers, factors) that solve the normal equations, given those of articles.

    Raises ConfigError where they have no one solution.
    """
    others = torch.from_numpy(articles).to(device)
    square = _square(others, settings.l2)
    found = np.zeros((bought.shape[0], settings.factors), dtype=np.float32)
    for block in _blocks(bought, settings, device):
        near = block.factors(others)
        left = square + (near * block.extra[:, :, None]).mT @ near
        right = block.confidence[:, None, :] @ near
        root, faults = torch.linalg.cholesky_ex(left)
        if faults.any():
            raise ConfigError(SINGULAR)
        found[block.rows.cpu().numpy()] = torch.cholesky_solve(right.mT, root)[:, :, 0].cpu().numpy()
    return found


def _improve(rows: torch.Tensor, others: torch.Tensor, blocks: list[Block], l2: float) -> None:
    """Take `STEPS` of conjugate gradients from `rows` (rows, factors) towards what solves for them, given `others`."""
    square = _square(others, l2)
    for block in blocks:
        near, extra = block.factors(others), block.extra
        found = rows[block.rows]
        residual = (block.confidence[:, None, :] @ near)[:, 0] - _times(found, square, near, extra)
        direction, left = residual, residual.square().sum(1, keepdim=True)
        for _ in range(STEPS):
            along, open_ = _times(direction, square, near, extra), left > LEAST
            step = torch.where(open_, left / (direction * along).sum(1, keepdim=True), 0.0)
            found, residual = found + step * direction, residual - step * along
            before, left = left, residual.square().sum(1, keepdim=True)
            direction = residual + torch.where(open_, left / before, 0.0) * direction
        rows[block.rows] = found


def _times(vectors: torch.Tensor, square: torch.Tensor, near: torch.Tensor, extra: torch.Tensor) -> torch.Tensor:
    """Multiply each row's vector by the matrix of its normal equations, which is never formed."""
    inner = (near @ vectors[:, :, None])[:, :, 0] * extra
    return vectors @ square + (inner[:, None, :] @ near)[:, 0]


def _square(vectors: torch.Tensor, l2: float) -> torch.Tensor:
    """Return what the normal equations of all rows have in common: (factors, factors)."""
    return vectors.T @ vectors + l2 * torch.eye(vectors.shape[1], device=vectors.device)


def _blocks(bought: "csr_matrix", settings: Factorisation, device: str) -> Iterator[Block]:
    """Yield the rows of `bought` in blocks that fit into `BLOCK_BYTES` (or hold one row).

    A row's width is the next power of two, whatever block it is in: so its sums don't depend on the others.
    """
    lengths = np.diff(bought.indptr)
    widths = 2 ** np.ceil(np.log2(np.maximum(lengths, 1))).astype(np.int64)
    for width in np.unique(widths):
        alike = np.flatnonzero(widths == width)
        numbers = 2 * settings.factors * (int(width) + settings.factors)  # of each row
        size, places = max(1, BLOCK_BYTES // (4 * numbers)), np.arange(width)
        for start in range(0, len(alike), size):
            rows = alike[start : start + size]
            own = places < lengths[rows, None]
            where = np.where(own, bought.indptr[rows, None] + places, 0)
            yield Block(
                torch.from_numpy(rows).to(device),
                torch.from_numpy(np.where(own, bought.indices[where], 0)).to(device),
                torch.from_numpy(np.where(own, bought.data[where] * np.float32(settings.alpha), 0)).float().to(device),
            )
