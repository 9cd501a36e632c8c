"""Put together the page of a run: its lists' figures, retrievers, trees, parts left out, ablation, some customers."""

from hmgpu.core.html.page import page
from hmgpu.evaluation.report.ablation import ablation
from hmgpu.evaluation.report.customers import customers
from hmgpu.evaluation.report.evaluated import Evaluated
from hmgpu.evaluation.report.learning import learning
from hmgpu.evaluation.report.left_out import left_out
from hmgpu.evaluation.report.methods import ages, methods, segments
from hmgpu.evaluation.report.retrievers import retrievers
from hmgpu.evaluation.report.similar import similar


def report_page(week: Evaluated) -> str:
    """Return `report.html` for an evaluated week."""
    figures = [methods(week.metrics), segments(week.metrics), ages(week.metrics), retrievers(week), learning(week)]
    worth = [ablation(week.ablation)] if week.ablation else []
    buyers, engine = f"{week.metrics['customers']:,}", week.engine.name
    about = (
        f"Evaluated on the {buyers} customers who bought in the week starting {week.metrics['week']}; computed on the "
        f"{engine} engine."
    )
    title = f"Recommendations for the week starting {week.metrics['week']}"
    return page(
        title,
        about,
        [
            section
            for section in (*figures, left_out(week.left_out), *worth, similar(week), customers(week))
            if section.blocks
        ],
    )
