"""The notebooks run from top to bottom, on the data that they generate, and are kept without outputs.

They are run without Jupyter: each cell as a notebook would, its last expression drawn and printed.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from kit import ROOT

EXAMPLES = ROOT / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
SAYS = {
    "quickstart": ("<hmgpu session", "popular_age", "columns", "MAP@12", "Recommended:", "new_arrivals", "B - A"),
    "own_tables": ("SKU-", "Recommended:", "'ranker'", "left out: the data has no price", "gets the best sellers"),
}
RUNNER = """
import ast, json, sys

def show(value):
    if value is not None:
        getattr(value, "_repr_html_", lambda: None)()
        print(repr(value))

space = {"__name__": "__main__"}
for number, cell in enumerate(json.load(open(sys.argv[1], encoding="utf-8"))["cells"]):
    if cell["cell_type"] == "code":
        tree = ast.parse("".join(cell["source"]), f"<cell {number}>")
        last = ast.Expression(tree.body.pop().value) if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, f"<cell {number}>", "exec"), space)
        if last:
            show(eval(compile(last, f"<cell {number}>", "eval"), space))
"""


def test_every_notebook_is_told_of_here() -> None:
    assert {notebook.stem for notebook in NOTEBOOKS} == set(SAYS)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_it_runs(notebook: Path, tmp_path: Path) -> None:
    pytest.importorskip("pandas", reason="pandas, which own_tables.ipynb brings its tables in, is not installed here")
    command = [sys.executable, "-c", RUNNER, str(notebook)]
    places = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=places)
    assert done.returncode == 0, done.stderr
    assert [text for text in SAYS[notebook.stem] if text not in done.stdout + done.stderr] == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_it_is_kept_without_outputs(notebook: Path) -> None:
    content = json.loads(notebook.read_text(encoding="utf-8"))
    assert (content["nbformat"], content["nbformat_minor"]) == (4, 5)
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert len({cell["id"] for cell in content["cells"]}) == len(content["cells"])
