"""Render sections as one HTML file."""

import base64
import hashlib
from collections.abc import Mapping, Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hmgpu.core.html.blocks import Section
from hmgpu.core.html.marks import Cell, Link

GENERATOR = '<meta name="generator" content="hmgpu">'
"""In the head of every page."""
# Names of articles come from outside, so everything that goes into a template is escaped.
_templates = Environment(
    loader=PackageLoader("hmgpu.core.html"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(
    title: str,
    about: str,
    sections: Sequence[Section],
    facts: Mapping[str, Cell] | None = None,
    links: Sequence[Link] = (),
) -> str:
    """Render a page; the same sections always give the same text.

    Its content security policy lets it load and run nothing but its own style and its own script, which sorts tables,
    whatever is in the data.

    Args:
        facts: what the page is about, by name: the card at its head.
        links: files that lie next to the page.
    """
    script = _templates.get_template("sort.html").render()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return _templates.get_template("page.html").render(
        title=title,
        about=about,
        sections=sections,
        head=_head(facts or {}, links),
        script=Markup(script),
        script_digest=digest,
    )


def with_head(text: str, facts: Mapping[str, Cell], links: Sequence[Link]) -> str:
    """Add a head to `text`, a page that was rendered without one."""
    return text.replace(_head({}, ()), _head(facts, links), 1)


def _head(facts: Mapping[str, Cell], links: Sequence[Link]) -> Markup:
    return Markup(_templates.get_template("head.html").render(facts=facts, links=links))
