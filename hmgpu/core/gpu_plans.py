"""Which plans of the parts cuDF's streaming executor doesn't run part by part, as `scripts/generate_docs.py` counts."""

import json
from pathlib import Path

COLLAPSES = Path(__file__).with_name("collapses.json")


def listed_collapses() -> dict[str, dict[str, list[str]]]:
    """Return, by kind of part and name of plan, why all parts of a table are put into one; nothing where they aren't.

    The plans of a kind are those by which it learns its tables, and `results`.
    """
    found: dict[str, dict[str, list[str]]] = json.loads(COLLAPSES.read_text(encoding="utf-8"))
    return found


def summary() -> str:
    """Say in a sentence how many plans need a whole table in the device's memory at once."""
    plans = [reasons for part in listed_collapses().values() for reasons in part.values()]
    whole = [reasons for reasons in plans if reasons]
    return (
        f"{len(plans) - len(whole)} of the parts' {len(plans)} plans run part by part on a GPU; {len(whole)} hold a "
        f"whole table at once ({sum(map(len, whole))} collapses, listed in docs/gpu.md)"
    )
