"""Render sections as one HTML file."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hmgpu.core.html.blocks import Section
from hmgpu.core.html.marks import Cell, Link

GENERATOR = '<meta name="generator" content="hmgpu">'
"""In the head of every page."""
DRAWING, VARIABLE = re.compile(r"<svg.*?</svg>", re.DOTALL), re.compile(r"(--[\w-]+): ([^;]+);")
LINES = (
    "* { vector-effect: non-scaling-stroke; } path { fill: none; stroke-width: 2; stroke-linejoin: round; "
    "stroke-linecap: round; } .points { stroke-width: 7; } .band { opacity: .15; }"
)
"""The style of a chart's lines where it is a picture by itself; as in style.html."""
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


def fragment(blocks: Sequence[object], dark: bool = False) -> str:
    """Render blocks as a piece of somebody else's page, with a style that reaches nothing but them.

    Args:
        dark: whether that page is dark.
    """
    colours = _templates.get_template("colours.html").module
    palette = dict(VARIABLE.findall(str(colours.dark if dark else colours.light)))  # type: ignore[attr-defined]
    text = _templates.get_template("fragment.html").render(blocks=blocks, dark=dark)
    return DRAWING.sub(lambda found: _as_image(found[0], palette), text)


def _as_image(drawing: str, palette: Mapping[str, str]) -> str:
    """Turn a drawing into a picture: what cleans foreign HTML may leave no drawings in it."""
    style = f"<style>{LINES} line {{ stroke: {palette['--rule']}; }}</style>"
    whole = drawing.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="100%"', 1)
    whole = whole.replace(">", f">{style}", 1)
    for name, colour in palette.items():
        whole = whole.replace(f"var({name})", colour)
    return f'<img alt="" src="data:image/svg+xml;base64,{base64.b64encode(whole.encode()).decode()}">'


def with_head(text: str, facts: Mapping[str, Cell], links: Sequence[Link]) -> str:
    """Add a head to `text`, a page that was rendered without one."""
    return text.replace(_head({}, ()), _head(facts, links), 1)


def _head(facts: Mapping[str, Cell], links: Sequence[Link]) -> Markup:
    return Markup(_templates.get_template("head.html").render(facts=facts, links=links))
