"""The blocks of README and of the pages in docs/, and what stands before them about how they are tested."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
LANGUAGES = ("console", "python", "yaml", "toml", "text")
FENCE = re.compile(r"^\s*```(.*)$")
MARK = re.compile(r"^\s*<!-- (not run|file): (.+) -->$")


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    page: Path
    line: int
    language: str
    text: str
    not_run: str | None
    """Why it is not run, where its mark says so."""
    file: str | None
    """The file that its mark saves it as."""

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"

    def commands(self) -> Iterator[str]:
        """The commands of a console block, one a line."""
        yield from (line for line in self.text.splitlines() if line.strip() and not line.startswith("#"))


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    found, lines = [], iter(enumerate(page.read_text(encoding="utf-8").splitlines(), 1))
    marks: dict[str, str] = {}
    for number, line in lines:
        mark, fence = MARK.match(line), FENCE.match(line)
        if mark:
            marks[mark[1]] = mark[2]
        elif fence:
            inner = []
            for _, within in lines:
                if FENCE.match(within):
                    break
                inner.append(within)
            text = "\n".join(inner) + "\n"
            found.append(Block(page, number, fence[1], text, marks.get("not run"), marks.get("file")))
            marks = {}
        else:
            marks = {}
    return found


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
