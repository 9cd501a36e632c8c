"""A page's blocks, run in their order in one folder, or looked at where they are not run.

What is run is smaller than it says, so that it takes seconds: synthetic data have `SCALE`, the names of shipped configs
stand for ones of few parts (conftest.py), and a config that a page saves is `quick`, after all of it was loaded.
"""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
import yaml

from hmgpu.cli import app
from hmgpu.pipeline.config import Config, load_config
from tests.docs.pages import ROOT, Block

SCALE = 0.0005
DONE = {"retrain": (0, 3)}  # whether a run on so few data is good enough is chance
REPLACED = ("ranker", "quotas", "negatives")  # sections that a fragment has whole; of others it adds entries


def hmgpu(*arguments: str) -> None:
    """Run a command of hmgpu in this process."""
    ended = typer.main.get_command(app).main([*arguments], prog_name="hmgpu", standalone_mode=False)
    assert (ended or 0) in DONE.get(arguments[0], (0,)), f"hmgpu {shlex.join(arguments)} ended with {ended}"


def quick(content: dict[str, Any]) -> dict[str, Any]:
    """A config on the CPU with one training week and few trees."""
    return {**_few_rounds(content), "engine": "cpu", "weeks": {"train": 1}}


def _few_rounds(given: Any) -> Any:
    if not isinstance(given, dict):
        return given
    return {name: 5 if name == "rounds" else _few_rounds(each) for name, each in given.items()}


class Story:
    """What the blocks of a page share: the folder they run in, and the names that Python has."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__name__": "docs"}

    def run(self, block: Block) -> None:
        if block.language == "yaml":
            load(block)
        if block.file:
            content = quick(yaml.safe_load(block.text))
            Path(block.file).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        elif block.language == "toml":
            tomllib.loads(block.text)
        elif block.language == "python":
            exec(compile(block.text, str(block), "exec"), self.names)
        elif block.language == "console":
            for command in block.commands():
                program, *arguments = shlex.split(command)
                assert program == "hmgpu", f"{block}: {program} is not run here: mark the block as not run"
                hmgpu(*_smaller(arguments))


def _smaller(arguments: list[str]) -> list[str]:
    """The arguments with the amount of synthetic data that a test can wait for."""
    if arguments[0] == "demo":
        return [*arguments, "--scale", str(SCALE)]
    given = iter(arguments)
    return [part for word in given for part in ((word, next(given) and str(SCALE)) if word == "--scale" else (word,))]


def load(block: Block) -> Config:
    """The config that a block is, or that it makes of base.yaml."""
    given = yaml.safe_load(block.text)
    file = Path(f"block-{block.line}.yaml")
    if "extends" not in given and not {"data", "runs", "retrievers", "features", "ranker"} <= given.keys():
        base = yaml.safe_load((ROOT / "configs" / "base.yaml").read_text(encoding="utf-8"))
        for name, section in given.items():
            whole = name in REPLACED or not isinstance(base.get(name), dict)
            base[name] = section if whole else base[name] | section
        given = base
    file.write_text(yaml.safe_dump(given, sort_keys=False), encoding="utf-8")
    return load_config(file)


def problems(block: Block) -> Iterator[str]:
    """What is wrong with a block that is not run, as far as that can be seen without running it."""
    if block.language == "python":
        compile(block.text, str(block), "exec")
    if block.language == "console":
        for command in block.commands():
            words = [word for word in shlex.split(command) if not re.match(r"[A-Z_]+=", word)]
            yield from _unknown(words)


def _unknown(words: list[str]) -> Iterator[str]:
    """Verbs, options, targets, scripts, services and extras that are not there."""
    program, *arguments = words
    if program == "hmgpu" or (words[:2] == ["docker", "run"] and "hmgpu" in words):
        try:
            _parse(words[words.index("hmgpu") + 1 :])
        except Exception as error:
            yield f"{shlex.join(words)}: {error}"
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    if program == "make":
        yield from (f"there is no make {target}" for target in set(arguments) - set(targets))
    for path in (word for word in words if word.startswith(("scripts/", "tests/", "docker/", "configs/"))):
        if not (ROOT / path).exists():
            yield f"there is no {path}"
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for extra in re.findall(r"\.\[(\w+)\]", " ".join(words)):
        if extra not in extras:
            yield f"there is no extra {extra}"


def _parse(arguments: list[str]) -> None:
    """Read the options as the command line would, and run nothing."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        name, *arguments = arguments
        command = command.commands[name]
    command.make_context(name, arguments)
