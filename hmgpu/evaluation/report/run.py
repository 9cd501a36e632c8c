"""Put together the page of a run: the result, its lists' figures, retrievers, trees, an ablation, some customers."""

from hmgpu.core.html.page import page
from hmgpu.evaluation.report.ablation import ablation
from hmgpu.evaluation.report.customers import cards_of, customers
from hmgpu.evaluation.report.evaluated import Evaluated
from hmgpu.evaluation.report.groups import calibration, groups, variety
from hmgpu.evaluation.report.learning import learning
from hmgpu.evaluation.report.left_out import left_out
from hmgpu.evaluation.report.methods import ages, methods, segments
from hmgpu.evaluation.report.result import result
from hmgpu.evaluation.report.retrievers import retrievers
from hmgpu.evaluation.report.similar import similar


def report_page(week: Evaluated) -> str:
    """Return `report.html` for an evaluated week."""
    metrics, cards = week.metrics, cards_of(week)
    sections = [
        result(week, cards),
        methods(metrics),
        segments(metrics, week.precisions),
        groups(metrics),
        ages(metrics),
        variety(metrics),
        calibration(metrics),
        retrievers(week),
        learning(week),
        left_out(week.left_out),
        *([ablation(week.ablation)] if week.ablation else []),
        similar(week),
        customers(cards),
    ]
    about = (
        f"Evaluated on the {metrics['customers']:,} customers who bought in the week starting {metrics['week']}; "
        f"computed on the {week.engine.name} engine."
    )
    return page(
        f"Recommendations for the week starting {metrics['week']}",
        about,
        [section for section in sections if section.blocks],
    )
