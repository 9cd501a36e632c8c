"""The page of a run: how good its lists are, what retrievers find, what is learned, what parts add, whom it serves."""

from hmgpu.core.html.page import page
from hmgpu.evaluation.report.ablation import ablation
from hmgpu.evaluation.report.customers import customers
from hmgpu.evaluation.report.evaluated import Evaluated
from hmgpu.evaluation.report.learning import learning
from hmgpu.evaluation.report.methods import methods, segments
from hmgpu.evaluation.report.retrievers import retrievers


def report_page(week: Evaluated) -> str:
    """`report.html` of an evaluated week."""
    figures = [methods(week.metrics), segments(week.metrics), retrievers(week), learning(week)]
    worth = [ablation(week.ablation)] if week.ablation else []
    buyers, engine = f"{week.metrics['customers']:,}", week.engine.name
    about = f"Judged on the {buyers} customers who bought in the week from {week.metrics['week']}; {engine} engine."
    title = f"Recommendations for the week from {week.metrics['week']}"
    return page(title, about, [section for section in (*figures, *worth, customers(week)) if section.blocks])
