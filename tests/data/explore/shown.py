"""Read what the sections of `explore.html` show, by the titles of their blocks."""

from hmgpu.core.html.blocks import Bars, Facts
from hmgpu.core.html.lines import Lines

WEEKS = ["2020-09-02", "2020-09-09", "2020-09-16"]  # of the data set in conftest.py


def block(section, title: str):
    """The block whose title starts with `title`."""
    return next(block for block in section.blocks if getattr(block, "title", "").startswith(title))


def facts(section) -> dict[str, str]:
    """The figures of the section's first block of facts."""
    return next(dict(block.figures) for block in section.blocks if isinstance(block, Facts))


def bars(section, title: str) -> dict[str, float]:
    """The values of a bar chart, by name."""
    found = block(section, title)
    assert isinstance(found, Bars)
    return {name: value for name, value, _ in found.rows}


def line(section, title: str) -> dict[str, list[float | None]]:
    """The series of a line chart, by name."""
    found = block(section, title)
    assert isinstance(found, Lines)
    assert found.places == WEEKS
    return dict(found.series)
