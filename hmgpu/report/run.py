"""The page of a run: how good its lists are, what its strategies find, what its ranker learned, whom it serves how."""

from hmgpu.report.customers import customers
from hmgpu.report.evaluated import Evaluated
from hmgpu.report.learning import learning
from hmgpu.report.methods import methods, segments
from hmgpu.report.page import page
from hmgpu.report.strategies import strategies


def report_page(week: Evaluated) -> str:
    """`report.html` of an evaluated week."""
    sections = [methods(week.metrics), segments(week.metrics), strategies(week), learning(week), customers(week)]
    buyers, engine = f"{week.metrics['customers']:,}", week.engine.name
    about = f"Judged on the {buyers} customers who bought in the week from {week.metrics['week']}; {engine} engine."
    title = f"Recommendations for the week from {week.metrics['week']}"
    return page(title, about, [section for section in sections if section.blocks])
