"""Stand-ins for the libraries of experiment trackers, which hmgpu doesn't install: they note what they are told."""

import sys
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from io import StringIO
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any


class Heard(dict[str, Any]):
    """By name: run, tags, settings, figures, curves, files (each with its content, or a folder with its names)."""

    def keep(self, path: str, name: str) -> None:
        place = Path(path)
        content = sorted(each.name for each in place.iterdir()) if place.is_dir() else place.read_bytes()
        self.setdefault("files", {})[name] = content


def stand_in(monkeypatch, kind: str) -> Heard:
    """Let `import mlflow` or `import wandb` find a stand-in, and return what it hears."""
    heard = Heard()
    played = (_mlflow if kind == "mlflow" else _wandb)(heard)
    played.__spec__ = ModuleSpec(kind, None)
    monkeypatch.setitem(sys.modules, kind, played)
    return heard


def _mlflow(heard: Heard) -> ModuleType:
    played = ModuleType("mlflow")

    @contextmanager
    def start_run(run_name, tags):
        heard.update(run=run_name, tags=tags, curves={})
        yield SimpleNamespace(info=SimpleNamespace(run_id="1f"))

    def log_batch(run_id, metrics):
        assert run_id == "1f"
        for name, value, _, step in metrics:
            heard["curves"].setdefault(name, []).append(value)
            assert step == len(heard["curves"][name]) - 1

    played.set_experiment = lambda name: heard.update(project=name)
    played.start_run = start_run
    played.log_params = lambda settings: heard.update(settings=settings)
    played.log_metrics = lambda figures: heard.update(figures=figures)
    played.entities = SimpleNamespace(Metric=lambda *given: given)
    played.MlflowClient = lambda: SimpleNamespace(log_batch=log_batch)
    played.log_artifact = lambda path: heard.keep(path, Path(path).name)
    played.log_artifacts = heard.keep
    played.log_text = lambda text, name: heard.setdefault("files", {}).update({name: text.encode()})
    return played


def _wandb(heard: Heard) -> ModuleType:
    played = ModuleType("wandb")

    def log(row):
        (name,) = (name for name in row if not name.endswith("/step"))
        values = heard["curves"].setdefault(name, [])
        assert row[f"{name}/step"] == len(values)
        values.append(row[name])

    run = SimpleNamespace(
        summary=SimpleNamespace(update=lambda figures: heard.update(figures=figures)),
        define_metric=lambda name, step_metric: None,
        log=log,
        log_artifact=lambda artifact: heard.update(artifact=artifact.name),
        finish=lambda: heard.update(finished=True),
    )

    class Artifact:
        def __init__(self, name, type):
            self.name = name

        @contextmanager
        def new_file(self, name, encoding):
            with StringIO() as file:
                yield file
                heard.setdefault("files", {})[name] = file.getvalue().encode()

        def add_file(self, path, name):
            heard.keep(path, name)

        add_dir = add_file

    def init(project, name, config, tags):
        heard.update(project=project, run=name, settings=config, tags=tags, curves={})
        return run

    played.init, played.Artifact = init, Artifact
    return played
