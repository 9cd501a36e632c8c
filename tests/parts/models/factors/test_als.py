"""ALS in torch: the closed form by hand, the objective of implicit, and the same bytes in any blocks."""

from functools import partial

import numpy as np
import pytest
from liked_articles import liked, summed
from scipy.sparse import csr_matrix

from hmgpu.core.errors import ConfigError
from hmgpu.parts.models.factors import als, by_implicit
from hmgpu.parts.models.factors.als import Factorisation

SETTINGS = Factorisation(factors=8, alpha=10.0, l2=1.0, iterations=5, seed=1)
by_torch, solved_by_torch = partial(als.factorised, device="cpu"), partial(als.solved, device="cpu")


@pytest.fixture(scope="module")
def bought() -> csr_matrix:
    """Purchases of 400 customers, who each like an eighth of 90 articles; some articles sell much more than others."""
    draw = np.random.default_rng(3)
    purchases = liked(draw, customers=400, least=1, articles=12)
    return summed(draw.random(len(purchases[0]), dtype=np.float32), purchases)


def objective(bought: csr_matrix, settings: Factorisation, customers: np.ndarray, articles: np.ndarray) -> float:
    """Return the cost of Hu, Koren & Volinsky, cell by cell."""
    taken = bought.toarray().astype(float)
    confidence = np.where(taken > 0, settings.alpha * taken, 1.0)
    lost = confidence * ((taken > 0) - customers.astype(float) @ articles.astype(float).T) ** 2
    return float(lost.sum() + settings.l2 * ((customers**2).sum() + (articles**2).sum()))


def closed_form(bought: np.ndarray, others: np.ndarray, settings: Factorisation) -> np.ndarray:
    """Return each row's solution of its normal equations."""
    rows = []
    for weights in bought:
        confidence = np.where(weights > 0, settings.alpha * weights, 1.0)
        left = others.T @ np.diag(confidence) @ others + settings.l2 * np.eye(others.shape[1])
        rows.append(np.linalg.solve(left, others.T @ (confidence * (weights > 0))))
    return np.array(rows)


def test_three_customers_and_three_articles_by_hand():
    """With a purchase of weight 1 of an article at (1, 0): (4 + 1 + 1) x = 4 in the first place, 0 in the second."""
    settings = Factorisation(factors=2, alpha=4.0, l2=1.0, iterations=1, seed=0)
    articles = np.array([[1, 0], [0, 1], [1, 0]], dtype=np.float32)
    bought = csr_matrix(np.array([[1, 0, 0], [0, 0.5, 0], [1, 0, 2]], dtype=np.float32))
    found = als.solved(articles, bought, settings, "cpu")
    # The third: (4 + 8 + 1) x = 4 + 8; the second: (2 + 1) y = 2.
    assert found == pytest.approx(np.array([[4 / 6, 0], [0, 2 / 3], [12 / 13, 0]]), abs=1e-6)
    assert found == pytest.approx(closed_form(bought.toarray(), articles, settings), abs=1e-6)


def test_one_round_is_the_closed_form_twice_where_the_steps_are_as_many_as_the_factors():
    settings = Factorisation(factors=als.STEPS, alpha=3.0, l2=0.5, iterations=1, seed=5)
    weights = np.array([[1, 0, 0.5], [0, 2, 0], [0.25, 0, 1]], dtype=np.float32)
    draw = np.random.default_rng(5)
    draw.random((3, als.STEPS), dtype=np.float32)  # the customers', which the first half of the round replaces
    start = draw.random((3, als.STEPS), dtype=np.float32) * 0.01
    customers = closed_form(weights, start.astype(float), settings)
    found = als.factorised(csr_matrix(weights), settings, "cpu")
    assert found == pytest.approx(closed_form(weights.T, customers, settings), rel=1e-3)


@pytest.mark.parametrize("iterations", [1, 3, 10])
def test_the_objective_is_that_of_implicit_after_as_many_rounds(bought, iterations):
    settings = Factorisation(8, 10.0, 1.0, iterations, 1)
    costs = []
    for fit, solve in ((by_torch, solved_by_torch), (by_implicit.factorised, by_implicit.solved)):
        articles = fit(bought, settings)
        costs.append(objective(bought, settings, solve(articles, bought, settings), articles))
    assert costs[0] == pytest.approx(costs[1], rel=1e-4)


def test_customers_are_solved_for_as_by_implicit(bought):
    articles = by_torch(bought, SETTINGS)
    theirs = by_implicit.solved(articles, bought, SETTINGS)
    assert solved_by_torch(articles, bought, SETTINGS) == pytest.approx(theirs, abs=1e-5)


def test_the_seed_alone_decides_the_bytes(bought):
    first, again = by_torch(bought, SETTINGS), by_torch(bought, SETTINGS)
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != by_torch(bought, Factorisation(8, 10.0, 1.0, 5, 2)).tobytes()


def test_a_customers_bytes_depend_on_nobody_else_and_on_no_block(bought, monkeypatch):
    articles = by_torch(bought, SETTINGS)
    whole = solved_by_torch(articles, bought, SETTINGS)
    alone = np.concatenate([solved_by_torch(articles, bought[[row]], SETTINGS) for row in range(0, 400, 10)])
    assert alone.tobytes() == whole[::10].tobytes()
    monkeypatch.setattr(als, "BLOCK_BYTES", 20_000)
    assert solved_by_torch(articles, bought, SETTINGS).tobytes() == whole.tobytes()
    # The rounds multiply all rows of a block at once, which may round otherwise in other blocks.
    assert by_torch(bought, SETTINGS) == pytest.approx(articles, abs=1e-3)


@pytest.mark.parametrize("allowed", [20_000, 1])
def test_blocks_fit_and_hold_every_row_once(bought, monkeypatch, allowed):
    monkeypatch.setattr(als, "BLOCK_BYTES", allowed)
    blocks = list(als._blocks(bought, SETTINGS, "cpu"))
    assert len(blocks) > 10
    assert sorted(np.concatenate([block.rows for block in blocks]).tolist()) == list(range(400))
    for block in blocks:
        count, width = block.columns.shape
        assert count >= 1
        assert count == 1 or 4 * 2 * 8 * (width + 8) * count <= allowed
        assert width < 2 * np.diff(bought.indptr)[block.rows].min() or width == 1


def test_a_customer_without_purchases_has_no_taste():
    articles = np.eye(2, dtype=np.float32)
    nothing = csr_matrix(np.array([[0, 0], [0, 1]], dtype=np.float32))
    assert als.solved(articles, nothing, Factorisation(2, 1.0, 1.0, 1, 1), "cpu")[0].tolist() == [0, 0]


@pytest.mark.parametrize("solve", [solved_by_torch, by_implicit.solved])
def test_no_one_solution_is_said_with_the_remedy(solve):
    articles = np.array([[1, 2, 0], [2, 4, 0]], dtype=np.float32)
    with pytest.raises(ConfigError, match=r"als: .* set l2 above 0"):
        solve(articles, csr_matrix(np.ones((1, 2), dtype=np.float32)), Factorisation(3, 1.0, 0.0, 1, 1))


@pytest.mark.gpu
def test_a_gpu_fits_the_same_each_time(bought, gpu):
    first, again = (als.factorised(bought, SETTINGS, gpu.device) for _ in range(2))
    assert first.tobytes() == again.tobytes()
    solved = als.solved(first, bought, SETTINGS, gpu.device)
    assert solved == pytest.approx(solved_by_torch(first, bought, SETTINGS), abs=1e-4)
    ours = by_torch(bought, SETTINGS)
    costs = [objective(bought, SETTINGS, solved_by_torch(each, bought, SETTINGS), each) for each in (first, ours)]
    assert costs[0] == pytest.approx(costs[1], rel=1e-3)
