"""README is short, links lead somewhere, every page is in the site, and the site needs no network."""

import os
import re
import subprocess
import sys

import pytest
import typer
import yaml

from hmgpu.cli import app
from tests.docs.pages import LANGUAGES, PAGES, ROOT, blocks, prose

EXPECTED = {
    "app", "benchmarks", "configuration", "contributing", "data", "docker", "evaluation", "faults", "gpu", "index",
    "parts", "pipeline", "python", "reference", "relbench", "retrain", "scaling", "serving", "settings", "synthetic",
}  # fmt: skip


def anchors(page):
    """What GitHub and the site call the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def test_readme_fits_on_a_few_screens():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150
    assert max(map(len, lines)) <= 200
    first_screen = "\n".join(lines[:30])
    assert "on a GPU" in first_screen
    assert "docs/images/overview.png" in first_screen


def test_it_names_every_verb_and_pages_every_room_and_config():
    readme, contributing, configuration = (
        (ROOT / page).read_text(encoding="utf-8")
        for page in ("README.md", "docs/contributing.md", "docs/configuration.md")
    )
    table = readme.partition("## The verbs")[2].partition("\n## ")[0]
    verbs = set(typer.main.get_command(app).commands)
    unnamed = {verb for verb in verbs if not re.search(rf"`{verb}\b", table)}
    assert not unnamed, f"README's table of verbs lacks {unnamed}"
    rooms = {folder.parent.name for folder in (ROOT / "hmgpu").glob("*/__init__.py")}
    unnamed = {room for room in rooms if f"\n  {room}/ " not in contributing}
    assert not unnamed, f"the rooms in docs/contributing.md lack {unnamed}"
    shipped = {file.stem for file in (ROOT / "configs").rglob("*.yaml")}
    unnamed = {config for config in shipped if f"| `{config}` |" not in configuration}
    assert not unnamed, f"the table of shipped configs in docs/configuration.md lacks {unnamed}"


def test_its_picture_is_small():
    assert (ROOT / "docs" / "images" / "overview.png").stat().st_size < 300_000


def test_the_pages_are_there_and_in_the_site():
    assert {page.stem for page in (ROOT / "docs").glob("*.md")} == EXPECTED
    nav = str(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    pages = [str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")]
    assert all(f"'{page}'" in nav for page in pages)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if target.startswith(("http://", "https://")):
            continue
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(there), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_is_fenced_and_says_what_it_is(page):
    """An indented block would be seen neither by the tests nor by who copies it."""
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{block}: '{block.language}' is none of {', '.join(LANGUAGES)}"
    assert not re.findall(r"\n\n(?:    |\t)(?![-*\d]).*", prose(page))


def test_the_site_builds_without_a_warning_and_needs_no_network(tmp_path):
    pytest.importorskip("mkdocs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path / "site"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    loaded = r"<(?:script|img|iframe)[^>]*\bsrc=\"?(?:https?:)?//|<link[^>]*\bhref=\"?(?:https?:)?//"
    for page in (tmp_path / "site").rglob("*.html"):
        assert not re.findall(loaded, page.read_text(encoding="utf-8")), page.name
