"""What the code never does, modes of files, and secrets that stay where they are."""

import ast
import logging
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from faults import acts
from faults.kit import unharmed

from hmgpu.core.trackers import Entry, send
from hmgpu.core.yaml_text import Plain

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for folder in ("hmgpu", "scripts") for path in (ROOT / folder).rglob("*.py"))
NEVER = {"eval", "exec", "compile", "os.system", "os.popen", "tempfile.mktemp", "marshal.loads", "shelve.open"}
NEVER |= {f"yaml.{name}" for name in ("load_all", "unsafe_load", "full_load", "Loader", "UnsafeLoader")}
NEVER |= {f"{module}.{name}" for module in ("pickle", "cloudpickle", "dill", "joblib") for name in ("load", "loads")}
NEVER |= {f"{module}.read_pickle" for module in ("pd", "pandas")}
SAFE = ("yaml.SafeLoader", "yaml.CSafeLoader", "Plain")
assert issubclass(Plain, yaml.CSafeLoader)
NEVER |= {f"{module}.Workflow.load" for module in ("nvt", "nvtabular")}  # which loads a pickle
ALLOWED = {"extractall": "hmgpu/data/kaggle.py"}


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def faults_in(source: str, name: str) -> list[str]:
    """Return what the code in `source` does that no code may do."""
    found = []
    for function, call in calls(ast.parse(source)):
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        if function in NEVER:
            found.append(function)
        for allowed, place in ALLOWED.items():
            # Or as Python's own filter for archives from elsewhere lets it be.
            if f".{function}".endswith(f".{allowed}") and name != place and given.get("filter") != "'data'":
                found.append(function)
        if function.endswith("torch.load") and given.get("weights_only") != "True":
            found.append(f"{function} without weights_only")
        if "ckpt_path" in given and given.get("weights_only") != "True":
            found.append(f"{function} of a checkpoint without weights_only")
        if function in ("np.load", "numpy.load") and given.get("allow_pickle", "False") != "False":
            found.append(f"{function} with pickles")
        if given.get("shell", "False") != "False":
            found.append(f"{function} through a shell")
        if function in ("yaml.compose", "yaml.load", "yaml.parse") and given.get("Loader") not in SAFE:
            found.append(f"{function} without a safe loader")
        numbers = [node.value for node in ast.walk(call) if isinstance(node, ast.Constant) and type(node.value) is int]
        if function.endswith("chmod") and any(number & stat.S_IWOTH for number in numbers):
            found.append(f"{function} for everybody")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_code_does_none_of_it(path):
    assert faults_in(path.read_text(), path.relative_to(ROOT).as_posix()) == []


@pytest.mark.parametrize(
    "source",
    [
        "yaml.load(text)",
        "pickle.loads(data)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "trainer.fit(model, ckpt_path=path)",
        "nvtabular.Workflow.load(path)",
        "subprocess.run(command, shell=True)",
        "np.load(path, allow_pickle=True)",
        "eval(text)",
        "archive.extractall(folder)",
        "yaml.compose(text)",
        "path.chmod(0o777)",
    ],
)
def test_it_would_be_found(source):
    assert faults_in(source, "hmgpu/some.py")


def test_nothing_that_is_written_is_everybodys(place, forker, count):
    """Whatever the mask: models and data are believed later on."""
    ended = forker.run(acts.without_a_mask, place.retrain(1))
    assert ended.code == 0, ended.said
    written = [place.runs, *place.runs.rglob("*"), place.data, *place.data.rglob("*")]
    open_to_all = [path for path in written if not path.is_symlink() and path.stat().st_mode & stat.S_IWOTH]
    assert len(written) > 100
    assert open_to_all == []
    count("other faults")


SECRET = "hook-8c1f2e77"


def test_the_address_of_the_webhook_is_written_down_nowhere(place, forker, count):
    """Nobody answers at it, so its library raises errors that name it."""
    settings = ("retrain.notify={webhook_variable: HMGPU_TEST_HOOK}",)
    hook = {"HMGPU_TEST_HOOK": f"http://127.0.0.1:9/{SECRET}"}
    ended = forker.run(acts.with_environment, place.retrain(1, *settings), hook)
    unharmed(ended)
    assert ended.code == 0, ended.said
    assert "the webhook in HMGPU_TEST_HOOK failed" in ended.said
    assert SECRET not in ended.said
    for path in place.folder.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
    count("other faults")


def test_the_password_of_a_tracker_is_not_logged(monkeypatch, caplog):
    def refuse(**_):
        raise ConnectionError(f"no route to https://me:{SECRET}@tracker.example/api")

    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=refuse))
    logging.getLogger("hmgpu").propagate = True
    send("wandb", lambda: Entry("a-run", {}, {"seed": 1}, {}))
    assert "https://tracker.example/api" in caplog.text
    assert SECRET not in caplog.text


def test_a_secret_is_no_setting(place, forker):
    """A key that isn't known is refused, so that no address ends in a file by mistake."""
    wrong = ("retrain.notify={webhook: 'http://127.0.0.1:9/x'}",)
    ended = forker.run(acts.hmgpu, place.retrain(1, *wrong))
    assert ended.code == 1
    assert "unknown key 'retrain.notify.webhook'" in ended.said


def test_nothing_is_served_from_a_link_out_of_the_run(story, place, forker, tmp_path, count):
    """Somebody puts a link to their own lists where the run's are."""
    (tmp_path / "mine.csv").write_bytes((place.runs / "current" / "submission.csv").read_bytes())
    link = place.current / "submission.csv"
    link.unlink()
    os.symlink(tmp_path / "mine.csv", link)
    ended = forker.run(acts.hmgpu, place.retrain(1))
    unharmed(ended)
    assert ended.code == 0, ended.said
    assert "the current run can't be compared with" in ended.said
    assert place.check(story.after) == story.after
    count("corruptions")
