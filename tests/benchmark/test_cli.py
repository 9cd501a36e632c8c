"""The verbs from end to end on a tiny world, and what a result file says."""

import json
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hmgpu.benchmark.engines import engines
from hmgpu.benchmark.memory import held
from hmgpu.cli import app
from hmgpu.engine import Engine
from hmgpu.errors import EngineError

CONFIGS = Path(__file__).parents[2] / "configs"
FIELDS = {
    *("benchmark", "date", "command", "machine", "load_average", "versions", "settings", "data", "agreement", "absent"),
    *("memory_mib", "measurements"),
}


def measured(tmp_path, verb, *options) -> dict:
    """The result file of a verb that ran to its end."""
    file = tmp_path / "results" / "it.json"
    asked = ["benchmark", verb, "--repeats", "1", "--engine", "cpu", "--output", str(file), *map(str, options)]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert f"hmgpu benchmark {verb}" in done.output
    result = json.loads(file.read_text())
    assert set(result) == FIELDS
    assert result["benchmark"] == verb
    assert {"cpu", "cores", "memory_gib", "gpu"} <= set(result["machine"])
    assert {"python", "torch", "nvtabular", "pandas"} <= set(result["versions"])
    assert result["settings"]["repeats"] == 1
    for each in result["measurements"]:
        for contender in each["contenders"].values():
            (seconds,) = contender["seconds"]
            assert contender["rows_per_second"] == pytest.approx(each["rows"] / seconds, rel=1e-2)
        assert each["contenders"][each["against"]]["times_as_fast"]["median"] == 1
    return result


def test_encode_on_data_that_it_generates_and_keeps(tmp_path):
    result = measured(tmp_path, "encode", "--scale", 0.0003, "--data", tmp_path)
    assert result["data"]["origin"] == "hmgpu synth --scale 0.0003 --seed 1"
    assert result["data"]["rows"] > 5000
    assert [each["what"] for each in result["measurements"]] == [
        *("fit customers", "fit articles", "fit everything"),
        *("encode customers", "encode articles", "encode sessions", "encode everything"),
    ]
    assert all({"NVTabular, CPU", "pandas"} <= set(each["contenders"]) for each in result["measurements"])
    assert result["agreement"]["encoded"].startswith("codes and lists equal")
    assert (tmp_path / "scale-0.0003-seed-1" / "data" / "manifest.json").is_file()


def test_two_tower_on_the_data_of_a_config(tmp_path, store):
    settings = [f"data.root={store.root}", "retrievers.two_tower.weeks=2", "retrievers.two_tower.batch=64"]
    options = [flag for setting in settings for flag in ("--set", setting)]
    result = measured(tmp_path, "two-tower", "--no-memory", "--config", CONFIGS / "demo.yaml", *options)
    assert result["data"]["origin"] == f"the data set of {CONFIGS / 'demo.yaml'}"
    assert result["settings"]["weeks"] == result["settings"]["files"] == 2
    loading, training = (list(each["contenders"]) for each in result["measurements"])
    assert loading == ["hmgpu's loader, CPU", "Merlin's loader, CPU", "plain loader, all in memory, CPU"]
    assert training == [
        "hmgpu: Lightning, its own loader, CPU",
        "torch loop, Merlin's loader, CPU",
        "torch loop, plain loader, CPU",
    ]
    assert result["agreement"]["cpu"].startswith("cpu: batches equal; losses and weights within")


def test_without_a_gpu_it_says_so(monkeypatch):
    def choose(choice):
        if choice == "gpu":
            raise EngineError("none here")
        return Engine("cpu", "asked for")

    monkeypatch.setattr(Engine, "choose", staticmethod(choose))
    chosen, absent = engines("auto")
    assert [engine.name for engine in chosen] == ["cpu"]
    assert absent == {"GPU": "no GPU: none here"}
    with pytest.raises(EngineError):
        engines("gpu")


@pytest.mark.parametrize("options", [["--set", "seed=1"], ["--config", str(CONFIGS / "demo.yaml"), "--scale", "0.1"]])
def test_options_that_do_not_go_together(options):
    assert CliRunner().invoke(app, ["benchmark", "encode", *options]).exit_code == 2


def test_memory_is_seen_in_a_process_of_its_own():
    assert 80 < held(partial(map, bytearray, [100 * 2**20])) < 250
