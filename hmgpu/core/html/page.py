"""Render sections as one HTML file."""

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from hmgpu.core.html.blocks import Section

# Names of articles come from outside, so everything that goes into a template is escaped.
_templates = Environment(
    loader=PackageLoader("hmgpu.core.html"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(title: str, about: str, sections: Sequence[Section]) -> str:
    """Render a page; the same sections always give the same text.

    Its content security policy lets it load and run nothing but its own style, whatever is in the data.
    """
    return _templates.get_template("page.html").render(title=title, about=about, sections=sections)
