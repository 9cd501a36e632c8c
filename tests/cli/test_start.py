"""What the command line loads before it knows what it is asked, and its help texts."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from hmgpu.cli import app
from hmgpu.core.version import VERSION
from hmgpu.pipeline.shipped_configs import shipped, usual_config

HEAVY = ["polars", "numpy", "xgboost", "torch", "pandas", "pyarrow", "sklearn", "scipy", "dask", "merlin", "yaml"]
SCRIPT = """
import sys
from hmgpu.cli import main
try:
    main()
except SystemExit as end:
    print("ended", end.code, [name for name in {heavy} if name in sys.modules])
"""


def commands() -> Iterator[tuple[str, ...]]:
    """Every verb, those of groups too; () is hmgpu itself."""

    def below(command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield path
        for name, each in sorted(getattr(command, "commands", {}).items()):
            yield from below(each, (*path, name))

    return below(get_command(app), ())


def parameters(path: tuple[str, ...]) -> list:
    command = get_command(app)
    for name in path:
        command = command.commands[name]
    return [parameter for parameter in command.params if parameter.name != "help"]


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (["--help"], [*HEAVY, "pydantic"]),
        (["run", "--help"], HEAVY),  # typer itself loads pydantic, to read a verb's options
        (["benchmark", "peers", "--help"], HEAVY),
    ],
)
def test_help_waits_for_nothing_heavy(arguments, heavy) -> None:
    command = [sys.executable, "-c", SCRIPT.format(heavy=heavy), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert "Usage: " in done.stdout, done.stderr
    assert done.stdout.splitlines()[-1] == "ended 0 []"


def test_runs_are_listed_without_anything_heavy(tmp_path) -> None:
    (tmp_path / "runs").mkdir()
    heavy = [name for name in HEAVY if name != "yaml"]
    command = [sys.executable, "-c", SCRIPT.format(heavy=heavy), "runs"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "ended 0 []", done.stdout + done.stderr


def test_a_list_is_looked_up_without_the_parts_of_the_config(tmp_path) -> None:
    (tmp_path / "config.yaml").write_text("extends: base\nruns: my/runs\n")
    command = [
        sys.executable,
        "-c",
        SCRIPT.format(heavy=["hmgpu.pipeline.config", "torch", "xgboost", "psutil", "filelock"]),
    ]
    command += ["recommend", "--customers", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path)
    assert "No run is current in my/runs" in done.stderr, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "ended 1 []"


def test_every_verb_is_walked() -> None:
    assert {("run",), ("benchmark", "peers"), ("vectors",), ("export",), ("tune",), ("synth",)} < {*commands()}


def parses(example: str) -> bool:
    """Whether hmgpu takes these arguments; nothing is run."""
    command, arguments = get_command(app), example.split()[1:]
    while hasattr(command, "commands"):
        command = command.commands[arguments.pop(0)]
    return bool(command.make_context("hmgpu", arguments))


@pytest.mark.parametrize("path", [*commands()], ids=" ".join)
def test_every_verb_has_help(path) -> None:
    done = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    assert "Usage: " in done.output
    assert "<bool>" not in done.output
    shown = "".join(done.output.replace("│", "").split())  # cells are wrapped
    for parameter in parameters(path):
        assert parameter.help
        assert "".join(parameter.help.split()) in shown
        default = parameter.show_default if isinstance(parameter.show_default, str) else parameter.default
        assert not default or default is True or "".join(str(default).split()) in shown
    verb = get_command(app)
    for name in path:
        verb = verb.commands[name]
    examples = [line.strip() for line in (verb.epilog or "").splitlines()[1:]]
    assert len(examples) == (0 if hasattr(verb, "commands") else 2)
    for example in examples:
        assert example in done.output
        assert parses(example)


def test_one_word_for_one_thing() -> None:
    """What is written is --out, a data set --data, the folder of runs --runs, a run --run; no path needs an option."""
    told = [each for path in commands() for each in parameters(path) if each.param_type_name == "option"]
    names = {name for each in told for name in each.opts}
    assert {"--out", "--data", "--runs", "--run", "--config"} < names
    assert not {"--output", "--folder", "--root", "--raw"} & names
    assert not [each.opts for each in told if each.required]


def test_the_config_is_the_one_in_the_folder(monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    assert usual_config() == Path("base")
    (tmp_path / "config.yaml").write_text("{}")
    assert usual_config() == Path("config.yaml")


def test_the_version_is_told() -> None:
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.output) == (0, f"hmgpu {VERSION}\n")


def test_verbs_are_in_four_panels() -> None:
    panels = {command.rich_help_panel for command in get_command(app).commands.values()}
    assert panels == {"Pipeline", "Data", "Evaluation", "Runs"}


def test_help_of_config_names_the_configs_that_come_along() -> None:
    helps = [each.help for path in commands() for each in parameters(path) if each.name == "config"]
    assert len(helps) > 10
    assert all(f"a path, or one of {', '.join(shipped())}" in text for text in helps)
