"""Fitting ALS by the library implicit and by torch, on the same purchases, to the same objective."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from hmgpu.benchmark.agreement import DisagreementError
from hmgpu.benchmark.subject import Subject
from hmgpu.benchmark.timing import Contender, Measurement, measure
from hmgpu.core.engine import Engine
from hmgpu.core.extras import needed_by
from hmgpu.parts.retrievers.als import ALS

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from hmgpu.parts.models.factors.als import Factorisation, Floats

WITHIN = 0.01  # of the objective


def benchmark_als(subject: Subject, engines: Sequence[Engine], repeats: int) -> tuple[Measurement, str, ALS]:
    """Measure fitting the config's ALS, or one with default settings, on what was known before the last week.

    torch takes part on every engine, implicit on the CPU. Returns the measurement, the objectives as a sentence and the
    part that was fitted.

    Raises DisagreementError where two objectives are further apart than `WITHIN`.
    """
    with needed_by("hmgpu benchmark train"):
        from hmgpu.parts.models.factors import als, by_implicit
        from hmgpu.parts.models.space.bought import matrix, weighted
    parts = [*subject.config.retrievers.values(), *subject.config.features.values()]
    part = next((each for each in parts if isinstance(each, ALS)), ALS())
    plan = weighted(subject.history, part.days, part.half_life).sort("customer", "article")
    rows = engines[0].collect(plan)
    bought = matrix(rows, rows["article"].unique().sort())
    settings = als.Factorisation(part.factors, part.alpha, part.l2, part.iterations, subject.seed)
    contenders = [
        Contender(f"torch, {engine.name.upper()}", partial(als.factorised, bought, settings, engine.device))
        for engine in reversed(engines)
    ]
    if any(engine.name == "cpu" for engine in engines):
        contenders.append(Contender("implicit, CPU", partial(by_implicit.factorised, bought, settings)))
    said = dict[str, float]()

    def agree(found: Mapping[str, Any]) -> None:
        for name, articles in found.items():
            said[name] = objective(bought, settings, als.solved(articles, bought, settings, "cpu"), articles)
        if not max(said.values()) <= (1 + WITHIN) * min(said.values()):  # so that NaN is refused too
            raise DisagreementError(f"The objectives of ALS are further apart than {WITHIN:.0%}: {_sentence(said)}.")

    measured = measure("fit ALS", bought.nnz, "purchases", contenders, repeats, agree)
    return measured, f"ALS's objective, within {WITHIN:.0%} of each other; {_sentence(said)}", part


def objective(bought: "csr_matrix", settings: "Factorisation", customers: "Floats", articles: "Floats") -> float:
    """Return what ALS makes small (Hu, Koren & Volinsky 2008, equation 3), without going over all cells.

    Args:
        bought: (customers, articles) weights of purchases.
        settings: of the fit.
        customers: (customers, factors).
        articles: (articles, factors).
    """
    first, second = customers.astype(float), articles.astype(float)
    cells = bought.tocoo()
    near = (first[cells.row] * second[cells.col]).sum(1)
    # As if nothing had been bought, then what each purchase changes.
    nothing = ((first.T @ first) * (second.T @ second)).sum()
    changed = settings.alpha * cells.data.astype(float) * (1 - near) ** 2 - near**2
    return float(nothing + changed.sum() + settings.l2 * ((first**2).sum() + (second**2).sum()))


def _sentence(objectives: Mapping[str, float]) -> str:
    return ", ".join(f"{name}: {value:.6g}" for name, value in objectives.items())
