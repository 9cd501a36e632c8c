"""The retrains over the weeks: what each achieved, how it ended and why."""

from pathlib import Path

import streamlit as st

from hmgpu.app.frame import draw
from hmgpu.retrain.page import history_sections
from hmgpu.retrain.record import records


def show(runs: Path) -> None:
    """Draw the page about the retrains in the folder `runs`."""
    found = records(runs)
    if not found:
        st.info(f"No retrain is recorded in {runs}: `hmgpu retrain` adds a week, trains, judges, and keeps a record.")
        return
    for section in history_sections(found):
        st.subheader(section.title, anchor=False)
        st.write(section.lead)
        draw(*section.blocks)
