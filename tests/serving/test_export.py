"""An export can be read without hmgpu and agrees with the run; it is whole or not there."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import small_run
from small_run import BEST_SELLERS, CUSTOMERS, listed
from small_world import article_id, customer_id, tree

from hmgpu.core.errors import BusyError, RunError
from hmgpu.core.vectors import STEPS
from hmgpu.core.whole_folder import replaced
from hmgpu.parts.examples import Examples
from hmgpu.parts.models.encode.rows import article_rows, customer_rows
from hmgpu.parts.models.encode.workflow import Encoders
from hmgpu.pipeline.ids import Ids
from hmgpu.serving import candidates, vectors
from hmgpu.serving.export import export
from hmgpu.serving.finished_run import FinishedRun

SERVING = Path(__file__).parents[2] / "docs" / "serving.md"


def export_of(run: Path, out: Path) -> Path:
    export(FinishedRun.open(run), out)
    return out


@pytest.fixture(scope="module")
def real(real_run, tmp_path_factory) -> Path:
    """The export of the real run."""
    return export_of(real_run.folder, tmp_path_factory.mktemp("out") / "export")


def read(folder: Path, name: str) -> dict:
    return json.loads((folder / name).read_text())


def test_the_manifest_lists_every_file_with_its_hash(make_run, tmp_path):
    run = make_run()
    out = export_of(run, tmp_path / "new" / "export")
    manifest = read(out, "manifest.json")
    there = tree(out)
    del there["manifest.json"]
    assert manifest["files"] == there
    assert {*there} == {
        "MODEL_CARD.md",
        "config.yaml",
        "recommendations.parquet",
        "best_sellers.parquet",
        "model/model.ubj",
        "model/features.json",
        "vectors/als.parquet",
    }
    assert manifest["run"] == run.name
    assert manifest["data"] == "0" * 64
    assert {"versions", "engine", "code"} <= {*manifest}
    assert (out / "config.yaml").read_bytes() == (run / "config.yaml").read_bytes()
    assert os.listdir(out.parent) == ["export"]


def test_lists_and_vectors_have_the_retailers_ids(make_run, tmp_path):
    out = export_of(make_run(), tmp_path / "export")
    lists = pl.read_parquet(out / "recommendations.parquet", glob=False)
    rows = [(customer_id(c), place, each) for c in range(CUSTOMERS) for place, each in enumerate(listed(c), start=1)]
    assert lists.rows() == sorted(rows)
    assert pl.read_parquet(out / "best_sellers.parquet", glob=False)["article_id"].to_list() == BEST_SELLERS
    found = pl.read_parquet(out / "vectors" / "als.parquet", glob=False)
    assert found.schema == {"article_id": pl.String, "vector": pl.List(pl.Float32), "on_sale": pl.Boolean}
    assert found.row(3) == (article_id(3), [3 / STEPS, 0.0], True)


def test_the_same_run_is_exported_to_the_same_bytes(make_run, tmp_path):
    run = make_run()
    once, again = (tree(export_of(run, tmp_path / name)) for name in ("once", "again"))
    assert once == again


def test_several_rankers_keep_their_folders(make_run, tmp_path):
    files = {
        "keep.json": b"30",
        "first/model.ubj": b"quick",
        "then/network.npz": b"numbers",
        "then/network.json": b"{}",
    }
    out = export_of(make_run(files), tmp_path / "export")
    copied = {file.relative_to(out / "model").as_posix(): file.read_bytes() for file in (out / "model").rglob("*.*")}
    assert copied == files


def test_a_run_with_a_pickle_is_refused(make_run, tmp_path):
    """As older versions wrote networks and encoders."""
    run = make_run({"first/model.ubj": b"quick", "then/dlrm.pt": b"a zip with a pickle"})
    with pytest.raises(RunError, match=r"dlrm\.pt is a pickle, .* older hmgpu .*: run its command again\.$"):
        export_of(run, tmp_path / "export")
    assert not (tmp_path / "export").exists()


# --- where it goes ---------------------------------------------------------------------------------------------------


def test_an_earlier_export_is_replaced(make_run, tmp_path):
    out = export_of(make_run(), tmp_path / "export")
    (out / "left.txt").write_text("of before")
    later = make_run({"model.ubj": b"other trees"}, name="2020-09-29-abcdef01")
    assert tree(export_of(later, out)) == tree(export_of(later, tmp_path / "fresh"))


def test_an_empty_folder_is_as_good_as_a_new_one(make_run, tmp_path):
    (tmp_path / "export").mkdir()
    assert (export_of(make_run(), tmp_path / "export") / "manifest.json").is_file()


@pytest.mark.parametrize("kind", ["folder", "file", "other manifest", "no manifest"])
def test_anything_else_is_left_alone(kind, make_run, tmp_path):
    out = tmp_path / "export"
    if kind == "file":
        out.write_text("mine")
    else:
        out.mkdir()
        (out / "mine.txt").write_text("mine")
    if kind.endswith("manifest"):
        (out / "manifest.json").write_text('{"format": 1}' if kind.startswith("other") else "[")
    before = tree(tmp_path)
    run = make_run()
    with pytest.raises(RunError, match="exists and is not an earlier export, so it is left alone: name a new folder"):
        export_of(run, out)
    shutil.rmtree(tmp_path / "runs")
    assert tree(tmp_path) == before


def test_not_into_the_run(make_run):
    run = make_run()
    with pytest.raises(RunError, match="lies in the run itself"):
        export_of(run, run / "export")


@pytest.mark.parametrize(
    "name",
    [
        "fit/model.ubj",
        "submit/recommendations.parquet",
        "submit/articles.parquet",
        "2020-09-23/learn/retriever-als/articles.parquet",
    ],
)
def test_a_changed_file_is_named_and_nothing_is_exported(name, make_run, tmp_path):
    run = make_run()
    out = export_of(run, tmp_path / "export")
    before = tree(out)
    (run / "steps" / name).write_bytes(b"changed")
    with pytest.raises(RunError, match=rf"{name} is not the file that the run wrote"):
        export_of(run, out)
    assert tree(out) == before
    with pytest.raises(RunError, match=rf"{name} is not the file that the run wrote"):
        export_of(run, tmp_path / "new")
    assert sorted(os.listdir(tmp_path)) == ["export", "runs"]


def test_a_ranker_that_was_fitted_since_is_not_exported_with_lists_of_the_one_before(make_run, tmp_path):
    run, other = make_run(), make_run({"model.ubj": b"other trees"}, name="other")
    shutil.rmtree(run / "steps" / "fit")
    shutil.copytree(other / "steps" / "fit", run / "steps" / "fit")
    with pytest.raises(RunError, match="lacks the ranker that its lists were computed with: finish a run"):
        export_of(run, tmp_path / "export")


KILLED = """
import os, signal, sys
from pathlib import Path
from hmgpu.core import files
from hmgpu.serving import export as exporting
from hmgpu.serving.finished_run import FinishedRun

left = int(sys.argv[3])

def deadly(call):
    def counted(*given, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*given, **named)
    return counted

for owner, name in ((files, "sha256"), (exporting, "write_json"), (exporting.shutil, "copyfile"),
                    (exporting.shutil, "rmtree"), (Path, "rename"), (Path, "mkdir")):
    setattr(owner, name, deadly(getattr(owner, name)))
exporting.export(FinishedRun.open(Path(sys.argv[1])), Path(sys.argv[2]))
"""


def test_killed_anywhere_it_is_whole_or_not_there(make_run, tmp_path):
    old, new = make_run(), make_run({"model.ubj": b"other trees"}, name="2020-09-29-abcdef01")
    whole = [tree(export_of(run, tmp_path / "expected" / run.name)) for run in (old, new)]
    out = tmp_path / "out" / "export"
    code, calls = -signal.SIGKILL, 0
    while code == -signal.SIGKILL:
        if not out.exists():  # so that there is one to be replaced, every time
            export_of(old, out)
        command = [sys.executable, "-c", KILLED, str(new), str(out), str(calls)]
        code = subprocess.run(command, check=False, timeout=60).returncode
        assert not out.exists() or tree(out) in whole
        calls += 4
    assert code == 0
    assert calls > 20
    assert tree(out) == whole[1]
    assert os.listdir(out.parent) == ["export"]


def test_two_at_once_are_refused(make_run, tmp_path):
    run = make_run()
    (tmp_path / "out").mkdir()
    with (
        replaced(tmp_path / "out" / "export", "export"),
        pytest.raises(BusyError, match="Another process writes the export of"),
    ):
        export_of(run, tmp_path / "out" / "export")


# --- what a real run has learned -------------------------------------------------------------------------------------


def test_what_the_docs_say_is_enough_to_use_it(real, real_run, tmp_path, monkeypatch, capsys):
    """Run the documented lines as they are, in a process of their own; scores equal those of the run's model."""
    (lines,) = re.findall(r"```python\n(import json\n.*?)```", SERVING.read_text(), re.DOTALL)
    (file,) = (real_run.folder / "steps" / str(real_run.pipeline.weeks.validation) / "examples").glob("*/table.parquet")
    (tmp_path / "export").symlink_to(real)
    script = lines + '\nranked.write_parquet("ranked.parquet")\n'
    # Without hmgpu: another folder, and no module of ours may be imported.
    refuse = "import sys\nsys.modules['hmgpu'] = None\n"
    done = subprocess.run(
        [sys.executable, "-c", refuse + script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "(12, 3)" in done.stdout
    table = next(Examples((file,)).tables())
    model = real_run.pipeline.load(real_run.pipeline.train())
    scored = pl.read_parquet(tmp_path / "ranked.parquet", glob=False)
    assert np.array_equal(scored["score"].to_numpy(), model.score(table).to_numpy())
    ids = Ids(real_run.pipeline.store, small_run.CPU).named(table.select("customer", "article"))
    assert scored.select("customer_id", "article_id").equals(ids)
    assert scored.columns[2:-1] == [name for name in table.columns if name in {*read(real, "model/features.json")}]


def test_candidates_are_of_a_bounded_number_of_customers(real, real_run, tmp_path, monkeypatch):
    whole = pl.read_parquet(real / "candidates.parquet", glob=False)
    assert read(real, "manifest.json")["candidates"] == {
        "week": str(real_run.pipeline.weeks.validation),
        "customers": whole["customer_id"].n_unique(),
        "rows": whole.height,
    }
    monkeypatch.setattr(candidates, "MOST", 3)
    facts = candidates.write_candidates(FinishedRun.open(real_run.folder), tmp_path)
    some = pl.read_parquet(tmp_path / "candidates.parquet", glob=False)
    assert (facts["customers"], facts["rows"]) == (3, some.height)
    assert some.equals(whole.head(some.height))


def encoded(real: Path, side: str, column: str, values: pl.Series) -> pl.Series:
    """Codes from the exported table of a column, by the retailer's text."""
    known = pl.read_parquet(real / "encoders" / side / f"{column}.parquet", glob=False)
    asked = pl.DataFrame({"value": values}, schema={"value": pl.String})
    joined = asked.join(known, on="value", how="left", maintain_order="left", nulls_equal=True)
    return joined["code"].fill_null(2)


def test_codes_are_those_of_the_workflows(real, real_run, store):
    encoders: Encoders = real_run.pipeline.learning.encoders
    history = store.as_of(store.next_week.first_day)
    texts = store.article_ids().collect()
    articles = encoders.articles(history)
    ids = articles.select("key").join(texts, left_on="key", right_on="article", maintain_order="left")["article_id"]
    assert encoded(real, "article", "article", ids).equals(articles["article"])
    colours = store.values("colour").collect().rename({"code": "colour", "value": "text"})
    raw = article_rows(history).collect().sort("key").join(colours, on="colour", how="left", maintain_order="left")
    assert encoded(real, "article", "colour", raw["text"]).equals(articles["colour"])
    people = encoders.profiles(history, history.customers.select("customer"))
    rows = customer_rows(history).collect().sort("key")
    channels = rows["channel"].replace_strict({0: "1", 1: "2", -1: None}, return_dtype=pl.String)
    assert encoded(real, "context", "channel", channels).equals(people["channel"])
    flags = rows["active"].cast(pl.String)
    assert encoded(real, "customer", "active", flags).equals(people["active"])


def test_numbers_are_normalised_as_by_the_workflows(real, real_run, store):
    history = store.as_of(store.next_week.first_day)
    expected = real_run.pipeline.learning.encoders.articles(history)
    facts = read(real, "encoders/numbers.json")["article"]
    rows = article_rows(history).collect().sort("key")
    types = store.values("product_type").collect().rename({"code": "product_type"})
    means = pl.read_parquet(real / "encoders" / "article" / "type_price.means.parquet", glob=False)
    group = rows.join(types, on="product_type", how="left", maintain_order="left")
    group = group.join(means, on="value", how="left", maintain_order="left", nulls_equal=True)
    rows = rows.with_columns(type_price=pl.col("price") / group["mean"])
    assert facts["type_price"]["of"] == ["price", "product_type"]
    assert {"price", "type_price", "days_on_sale", "sales_7"} <= {*facts}
    for name, fact in facts.items():
        value = pl.col(name).fill_null(fact["median"]).cast(pl.Float64)
        value = value.log1p() if fact["encoding"] == "amount" else value
        found = rows.select((value - fact["mean"]) / fact["std"]).to_series()
        assert np.allclose(found, expected[name], atol=1e-4), name


def towers(real: Path, side: str, rows: pl.DataFrame) -> np.ndarray:
    """Vectors from the exported files alone, as `towers.json` says."""
    arrays = np.load(real / "towers" / "two_tower" / "towers.npz", allow_pickle=False)
    network = read(real, "towers/two_tower/towers.json")[side]
    parts = []
    for given in network["inputs"]:
        column = rows[given["name"]]
        if given.get("mean"):
            parts.append(np.stack([arrays[given["embedding"]][codes].mean(axis=0) for codes in column.to_list()]))
        elif "embedding" in given:
            parts.append(arrays[given["embedding"]][column.to_numpy()])
        else:
            parts.append(column.to_numpy()[:, None])
    x = np.hstack(parts)
    for layer in network["layers"]:
        x = x @ arrays[layer["weight"]].T + arrays[layer["bias"]]
        x = np.maximum(x, 0) if layer["relu"] else x
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_the_towers_can_be_computed_from_their_files(real, real_run, store):
    pipeline = real_run.pipeline
    week, part = store.next_week, pipeline.retrievers["two_tower"]
    history = store.as_of(week.first_day)
    articles = pipeline.learning.encoders.articles(history)
    table = pl.read_parquet(real / "vectors" / "two_tower.parquet", glob=False)
    assert np.allclose(towers(real, "article", articles), np.stack(table["vector"].to_list()), atol=1 / STEPS)
    some = history.customers.select("customer").head(50).collect()
    audience = pipeline.learning.audience(week, some)
    people = pipeline.learning.encoders.customers(audience, some.lazy(), articles, part.recent)
    learned = pipeline.learn(week)
    known = pipeline.learning.learn_customers(week, {"retriever-two_tower": part}, learned, audience)
    expected = known["retriever-two_tower"]["customers"].collect().drop("customer").to_numpy() / STEPS
    assert np.allclose(towers(real, "customer", people), expected, atol=1 / STEPS)


def test_vectors_are_those_that_propose(real, real_run, store):
    learned = real_run.pipeline.learn(store.next_week)
    assert vectors.STEPS == STEPS
    for name in ("two_tower", "als"):
        table = pl.read_parquet(learned[f"retriever-{name}"].folder / "articles.parquet", glob=False)
        found = pl.read_parquet(real / "vectors" / f"{name}.parquet", glob=False)
        ids = store.article_ids().collect()
        named = table.join(ids, on="article", maintain_order="left")
        assert found["article_id"].to_list() == named["article_id"].to_list()
        places = [column for column in table.columns if column.startswith("v")]
        assert np.array_equal(np.stack(found["vector"].to_list()) * STEPS, table.select(places).to_numpy())


def test_no_pickle_is_among_the_files(real):
    suffixes = {file.suffix for file in real.rglob("*") if file.is_file()}
    assert suffixes == {".json", ".ubj", ".parquet", ".npz", ".yaml", ".md"}
    for file in real.rglob("*.npz"):
        arrays = np.load(file, allow_pickle=False)
        assert all(arrays[name].dtype != object for name in arrays)
