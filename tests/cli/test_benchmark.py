"""The benchmarks from end to end on a tiny data set, and what a result file says."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hmgpu.benchmark import plot
from hmgpu.benchmark.engines import engines
from hmgpu.cli import app
from hmgpu.core.engine import Engine
from hmgpu.core.errors import EngineError

CONFIGS = Path(__file__).parents[2] / "configs"
FIELDS = {
    *("benchmark", "date", "command", "machine", "load_average", "versions", "settings", "data", "agreement", "absent"),
    "measurements",
}


def measured(tmp_path, verb, *options, engine="cpu") -> dict:
    """The result file of a verb that ran to its end."""
    file = tmp_path / "results" / "it.json"
    asked = ["benchmark", verb, "--repeats", "1", "--engine", engine, "--out", str(file), *map(str, options)]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert f"hmgpu benchmark {verb}" in done.output
    assert ("--no-plot" in options) == (not file.with_suffix(".svg").exists())
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


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """The folder of data that benchmarks generate once."""
    return tmp_path_factory.mktemp("kept")


def test_encode_on_data_that_it_generates_and_keeps(tmp_path, kept):
    result = measured(tmp_path, "encode", "--scale", 0.0003, "--data", kept)
    assert result["data"]["origin"] == "hmgpu synth --scale 0.0003 --seed 1"
    assert result["data"]["rows"] > 5000
    assert [each["what"] for each in result["measurements"]] == [
        *("fit customers", "fit articles", "fit everything"),
        *("encode customers", "encode articles", "encode sessions", "encode everything"),
    ]
    assert all({"NVTabular, CPU", "pandas"} <= set(each["contenders"]) for each in result["measurements"])
    assert result["agreement"]["encoded"].startswith("codes and lists equal")
    assert (kept / "scale-0.0003-seed-1" / "data" / "manifest.json").is_file()


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


@pytest.fixture
def no_gpu(monkeypatch):
    """A machine without a GPU, whatever this one has."""

    def choose(choice):
        if choice == "gpu":
            raise EngineError("none here")
        return Engine("cpu", "asked for")

    monkeypatch.setattr(Engine, "choose", staticmethod(choose))


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    """A folder without configs."""
    monkeypatch.chdir(tmp_path)


FEW = (
    "--set",
    "retrievers={popular: {}, copurchase: {}}",
    "--set",
    "features={article_sales: {}, retriever_scores: {}}",
)
LESS_EARLY = ("--set", "ranker.early=[article_sales]")  # of the families that FEW leaves


def test_features_at_two_sizes_without_a_gpu(tmp_path, kept, no_gpu, elsewhere):
    sizes = ("--scale", 0.0003, "--scale", 0.0004, "--data", kept, "--no-plot", "--no-memory")
    result = measured(tmp_path, "features", *sizes, *FEW, *LESS_EARLY, "--set", "weeks.train=1", engine="auto")
    assert result["absent"] == {"GPU": "no GPU: none here"}
    assert [each["origin"] for each in result["data"]["sets"]] == [
        f"hmgpu synth --scale {scale} --seed 1" for scale in (0.0003, 0.0004)
    ]
    assert [each["what"] for each in result["measurements"]] == [
        *("article_sales", "retriever_scores", "all families")
    ] * 2
    assert result["measurements"][0]["rows"] < result["measurements"][-1]["rows"]
    assert all(
        list(each["contenders"]) == ["Polars, CPU", "DuckDB", "pandas, tuned", "pandas"]
        for each in result["measurements"]
    )
    assert result["agreement"]["described"].startswith("whole numbers equal, others within 0.0001")


def test_candidates_of_a_config(tmp_path, store, no_gpu):
    options = ("--config", CONFIGS / "demo.yaml", "--set", f"data.root={store.root}", *FEW)
    result = measured(tmp_path, "candidates", *options, engine="auto")
    assert result["absent"] == {"GPU": "no GPU: none here"}
    contenders = {each["what"]: list(each["contenders"]) for each in result["measurements"]}
    rules = ["sparse product, SciPy, CPU", "Polars, CPU"]
    assert contenders == {
        "popular": ["Polars, CPU"],
        "copurchase": ["Polars, CPU"],
        "co-purchase rules": rules,
        "co-purchase rules, gap and backwards 1": rules,
    }
    assert result["settings"]["rules"]["gap"] == 0.9


def test_train_on_data_that_it_generates(tmp_path, kept, no_gpu, elsewhere):
    few = ("--scale", 0.0004, "--data", kept, "--trees", 2, "--weeks", 1, *FEW, *LESS_EARLY)
    result = measured(tmp_path, "train", *few, engine="auto")
    assert result["absent"] == {"GPU": "no GPU: none here"}
    assert result["settings"]["ranker"]["rounds"] == 2
    assert "XGBoost, CPU: NDCG@12 0." in result["agreement"]["figures"]


def test_pipeline_on_the_data_of_a_config(tmp_path, store, no_gpu):
    few = ("--set", f"data.root={store.root}", "--set", "weeks.train=1", "--set", "ranker={kind: order}", *FEW)
    result = measured(tmp_path, "pipeline", "--config", CONFIGS / "demo.yaml", *few, engine="auto")
    assert result["absent"] == {"GPU": "no GPU: none here"}
    assert result["settings"]["warm_up"] is False
    done = {each["what"]: each for each in result["measurements"]}
    assert {"learn retriever-popular", "learn feature-article_sales", "examples", "fit", "evaluate", "recommend"} < {
        *done
    }
    whole = done["whole line"]["contenders"]["hmgpu, CPU"]
    assert whole["median_seconds"] > done["recommend"]["contenders"]["hmgpu, CPU"]["median_seconds"]
    assert whole["memory_mib"] > 0
    assert done["submit"]["unit"] == "customers"
    assert result["agreement"]["submission"] == "only hmgpu, CPU ran: its submission was compared with nothing"


@pytest.mark.parametrize("verb", ["encode", "two-tower", "features", "candidates", "train", "pipeline"])
def test_a_plot_without_matplotlib_is_refused_before_anything_is_measured(tmp_path, monkeypatch, verb):
    monkeypatch.setattr(plot.importlib.util, "find_spec", lambda name: None)
    done = CliRunner().invoke(app, ["benchmark", verb, "--out", str(tmp_path / "it.json")])
    assert isinstance(done.exception, plot.PlotError)
    assert "pip install 'hmgpu[plot]'" in str(done.exception)


def test_without_a_gpu_it_says_so(no_gpu):
    chosen, absent = engines("auto")
    assert [engine.name for engine in chosen] == ["cpu"]
    assert absent == {"GPU": "no GPU: none here"}
    with pytest.raises(EngineError):
        engines("gpu")


@pytest.mark.parametrize("options", [["--set", "seed=1"], ["--config", str(CONFIGS / "demo.yaml"), "--scale", "0.1"]])
def test_options_that_do_not_go_together(options):
    assert CliRunner().invoke(app, ["benchmark", "encode", *options]).exit_code == 2
