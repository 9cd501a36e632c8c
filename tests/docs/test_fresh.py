"""The pages of settings and parts say what the code says."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "generate_docs.py"


@pytest.fixture(scope="module")
def generator():
    sys.path.insert(0, str(SCRIPT.parent))
    try:
        import generate_docs

        yield generate_docs
    finally:
        sys.path.remove(str(SCRIPT.parent))


@pytest.mark.parametrize("name", ["settings.md", "parts.md", "gpu.md"])
def test_generated_pages_are_fresh(generator, name):
    assert set(generator.PAGES) == {"settings.md", "parts.md", "gpu.md"}
    there = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert generator.fresh(name) == there, f"docs/{name} is stale: run `make docs` and commit it"


def test_readme_shows_what_the_demo_ends_with(generator):
    assert generator.fresh_readme() == (ROOT / "README.md").read_text(encoding="utf-8"), "run `make docs` and commit it"


@pytest.mark.parametrize("name", ["settings.md", "parts.md"])
def test_every_setting_says_what_it_is(generator, name):
    """A field without a docstring would be an empty cell."""
    empty = [line for line in generator.PAGES[name]().splitlines() if line.startswith("| `") and line.endswith("|  |")]
    assert not empty


def test_kinds_are_headings_that_links_can_name(generator):
    kinds = [kind for family in generator.FAMILIES for kind in generator.own_kinds(family.base)]
    assert len(kinds) == len(set(kinds))
    page = generator.parts_page()
    assert all(f"\n### `{kind}`\n" in page for kind in kinds)


def test_a_stale_page_is_named(generator, tmp_path, monkeypatch, capsys):
    for name in generator.PAGES:
        (tmp_path / name).write_text(f"# Head\n\n{generator.MARK}\n\nold\n", encoding="utf-8")
    monkeypatch.setattr(generator, "DOCS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["generate_docs.py", "--check"])
    assert generator.main() == 1
    assert f"{tmp_path.name}/parts.md is stale: run `make docs`" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["generate_docs.py"])
    assert generator.main() == 0
    assert (tmp_path / "settings.md").read_text(encoding="utf-8").startswith("# Head\n")
    monkeypatch.setattr(sys, "argv", ["generate_docs.py", "--check"])
    assert generator.main() == 0


def test_make_prints_its_targets():
    """Bare `make` too; every target that is explained is there."""
    said = [
        subprocess.run(["make", *what], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for what in ([], ["help"])
    ]
    assert said[0] == said[1]
    assert {"make demo", "make test", "make docs", "make lock"} <= {line[:17].strip() for line in said[0].splitlines()}
