"""`hmgpu benchmark encode`: NVTabular's workflows against plain pandas, fitting and transforming.

Each side alone is measured from its rows on. Sessions and everything together are measured from the data set on,
including the plans that compute the rows, as in the pipeline. Both ways take Polars tables and return Polars tables.
"""

import tempfile
from collections.abc import Mapping
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import Any

from hmgpu.benchmark.agreement import DisagreementError, largest_difference
from hmgpu.benchmark.result import Result
from hmgpu.benchmark.subject import Subject
from hmgpu.benchmark.timing import Contender, Measurement, measure
from hmgpu.core.engine import Engine
from hmgpu.core.extras import needed_by
from hmgpu.parts.models.encode.columns import OF_CUSTOMERS

with needed_by("hmgpu benchmark encode"):
    from hmgpu.benchmark.encoding import EncodingInputs, PandasEncoders, PlansAlone, Workflows

TOLERANCE = 1e-3  # standard deviations. NVTabular takes a variance as sum of squares less squared sum, in float32


def benchmark_encode(subject: Subject, engines: list[Engine], absent: Mapping[str, str], repeats: int) -> Result:
    """Measure fitting and transforming, each side alone and all together. Raises DisagreementError."""
    with tempfile.TemporaryDirectory() as folder:
        inputs = EncodingInputs(subject.history, subject.fitted_days, subject.two_tower.recent, Path(folder))
        ways = [*(Workflows(inputs, engine) for engine in engines), PandasEncoders(inputs)]
        agreement = EncodingAgreement()
        measured = [_measured(*work, ways, inputs, repeats, agreement) for work in _works(inputs)]
    said = f"codes and lists equal, numbers within {TOLERANCE} (at most {agreement.largest:.1e} apart)"
    settings = {
        "fitted_days": inputs.days,
        "recent": inputs.n,
        "repeats": repeats,
        "engines": [engine.name for engine in engines],
        "tolerance": TOLERANCE,
    }
    return Result("encode", measured, {"encoded": said}, settings, subject.data_facts(), absent)


Work = tuple[str, int, str, Any, bool]


def _works(inputs: EncodingInputs) -> list[Work]:
    """List the work: its name, its rows and their unit, the call that does it, and whether plans are part of it."""
    fitted = {side: rows.height for side, rows in inputs.fitted.items()}
    customers, articles = inputs.served["customer"].height, inputs.served["article"].height
    of_customers = sum(fitted[side] for side in OF_CUSTOMERS)
    return [
        ("fit customers", of_customers, "purchases", methodcaller("fit", OF_CUSTOMERS), False),
        ("fit articles", fitted["article"], "purchases", methodcaller("fit", ("article",)), False),
        ("fit everything", sum(fitted.values()), "purchases", methodcaller("fit_all"), True),
        ("encode customers", customers, "customers", methodcaller("encode", OF_CUSTOMERS), False),
        ("encode articles", articles, "articles", methodcaller("encode", ("article",)), False),
        ("encode sessions", customers, "customers", methodcaller("sessions"), True),
        ("encode everything", customers + articles, "rows", methodcaller("encode_all"), True),
    ]


def _measured(
    what: str,
    rows: int,
    unit: str,
    call: Any,
    plans: bool,
    ways: list[Any],
    inputs: EncodingInputs,
    repeats: int,
    agree: Any,
) -> Measurement:
    taking_part = [*ways[:-1], PlansAlone(inputs), ways[-1]] if plans else ways
    contenders = [Contender(way.name, partial(call, way)) for way in taking_part]
    return measure(what, rows, unit, contenders, repeats, partial(agree.check, what))


class EncodingAgreement:
    """Compares encoded tables, and remembers how far apart their numbers were."""

    def __init__(self) -> None:
        self.largest = 0.0

    def check(self, what: str, results: Mapping[str, Any]) -> None:
        theirs = results[PandasEncoders.name]
        for name, ours in results.items():
            if theirs is None or name in {PandasEncoders.name, PlansAlone.name}:
                continue
            try:
                gaps = [largest_difference(a, b, TOLERANCE) for a, b in zip(ours, theirs, strict=True)]
            except DisagreementError as error:
                raise DisagreementError(f"{what}: {name} and {PandasEncoders.name}: {error}") from None
            self.largest = max(self.largest, *gaps)
