"""Show which parts of the config left themselves out of a run, and why."""

from collections.abc import Mapping

from hmgpu.core.html.blocks import Grid, Section

EXPLAINED = "Parts of the config that had no share in this run, since something that they need is not there."


def left_out(reasons: Mapping[str, str]) -> Section:
    """Return the section with the reason of every part that is left out, by its place in the config."""
    rows = [[part, reason] for part, reason in reasons.items()]
    blocks = [Grid("Parts", ["part", "why"], rows, numbers=False)] if rows else []
    return Section("Left out", EXPLAINED, blocks)
