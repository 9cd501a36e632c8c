"""Parts of other packages: found through entry points, told apart by their code."""

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import hmgpu
from hmgpu.core.errors import ConfigError
from hmgpu.core.source import source_digest
from hmgpu.parts.feature import Feature
from hmgpu.parts.part import SOURCE, Learned, build, kinds
from hmgpu.parts.retriever import Retriever
from hmgpu.parts.retrievers.out_of_stock import OutOfStock
from hmgpu.pipeline.config import load_config

CODE = '''
"""A part of another package."""

import polars as pl
import hmgpu
from hmgpu.core.plans import top_n


class Bestsellers(hmgpu.Retriever):
    """The best sellers of the last days."""

    days: int = 7
    """How far back sales count."""

    def learn(self, history):
        sold = history.last(self.days).group_by("article").agg(score=pl.len())
        return {"best": top_n(sold, self.n, by=())}

    def retrieve(self, learned, customers):
        return customers.join(learned["best"], how="cross").select("customer", "article", "score", "rank")


class Length(hmgpu.Feature):
    """How long the id of an article is."""

    def compute(self, learned, pairs):
        return pairs.select("customer", "article", length=pl.col("article").cast(pl.String).str.len_chars())
'''
Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a package with entry points on the path, as an installer would."""
    written = set(sys.modules)

    def install(*points: str, code: str = CODE, group: str = "hmgpu.parts") -> Path:
        site = tmp_path / f"site-{len(list(tmp_path.iterdir()))}"
        info = site / "our_shop-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: our-shop\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *points, ""]))
        (site / "our_shop_parts.py").write_text(code)
        monkeypatch.syspath_prepend(str(site))
        return site

    yield install
    for name in set(sys.modules) - written:
        if name.startswith("our_shop"):
            del sys.modules[name]


def test_a_part_of_another_package_is_found_by_its_base(install: Install) -> None:
    install("best_of_ours = our_shop_parts:Bestsellers", "length = our_shop_parts:Length")
    assert kinds(Retriever)["best_of_ours"].__name__ == "Bestsellers"
    assert "length" not in kinds(Retriever)
    assert "length" in kinds(Feature)
    part = build(Retriever, "mine", {"kind": "best_of_ours", "days": 3})
    assert part.kind == "best_of_ours"
    assert part.settings() == {"kind": "best_of_ours", "n": 40, "days": 3, SOURCE: source_digest(type(part))}
    assert build(Retriever, "mine", part.settings()) == part


def test_configs_name_it(install: Install) -> None:
    install("best_of_ours = our_shop_parts:Bestsellers")
    config = load_config("small", {"retrievers.best_of_ours": {"days": 3}})
    assert config.retrievers["best_of_ours"].days == 3
    assert load_config("small", config.settings()).settings() == config.settings()  # as config.yaml of a run has them
    with pytest.raises(ConfigError, match=r"retrievers.best_of_ours.dys"):
        load_config("small", {"retrievers.best_of_ours": {"dys": 3}})
    within = load_config("small", {"retrievers.kept": {"kind": "still_on_sale", "of": {"kind": "best_of_ours"}}})
    assert SOURCE in within.settings()["retrievers"]["kept"]["of"]


def test_other_code_is_another_part(install: Install) -> None:
    install("best_of_ours = our_shop_parts:Bestsellers")
    before = build(Retriever, "best_of_ours", None).settings()
    del sys.modules["our_shop_parts"]
    install("best_of_ours = our_shop_parts:Bestsellers", code=CODE.replace("score=pl.len()", "score=pl.len() * 2"))
    after = build(Retriever, "best_of_ours", None).settings()
    assert before.pop(SOURCE) != after.pop(SOURCE)
    assert before == after


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (
            ["popular = our_shop_parts:Bestsellers"],
            "Two parts are of the kind 'popular': hmgpu.parts.retrievers.popular:Popular and "
            "our_shop_parts:Bestsellers of the package our-shop; rename",
        ),
        (["gone = our_shop_parts:Gone"], r"entry point 'gone' \(hmgpu.parts\) of the package our-shop can't be loaded"),
        (["gone = our_shop_none:Gone"], r"can't be loaded \(ModuleNotFoundError: No module named 'our_shop_none'\)"),
        (
            ["number = our_shop_parts:__name__"],
            "'number' .* our_shop_parts:__name__ of the package our-shop, .* not a part",
        ),
    ],
)
def test_what_is_wrong_with_a_package_is_said(install: Install, points: list[str], message: str) -> None:
    install(*points)
    with pytest.raises(ConfigError, match=message):
        kinds(Retriever)


def test_the_entry_points_of_others_are_not_looked_at(install: Install) -> None:
    install("popular = our_shop_none:Gone", group="other.parts")
    assert "popular" in kinds(Retriever)


# --- without a package -----------------------------------------------------------------------------------------------


class MyOwn2Best(Retriever):
    """The best sellers of one day."""

    def retrieve(self, learned: Learned, customers: pl.LazyFrame) -> pl.LazyFrame:
        raise NotImplementedError


def test_a_class_of_a_notebook_is_passed_as_it_is() -> None:
    part = MyOwn2Best(n=7)
    assert part.kind == "my_own2_best"
    config = load_config("small", {"retrievers.mine": part})
    assert config.retrievers["mine"] is part
    assert config.settings()["retrievers"]["mine"] == part.settings()
    assert config.decisive() != load_config("small", {"retrievers.mine": MyOwn2Best(n=8)}).decisive()
    assert OutOfStock().settings().keys() & {SOURCE} == set()


NOTEBOOK = """
import hmgpu
from hmgpu.parts.part import SOURCE

def cell(text, cells=[0]):
    cells[0] += 1
    exec(compile("import hmgpu\\n" + "\\n" * cells[0] + text, f"<cell {{cells[0]}}>", "exec"), globals())

TEXT = '''
class Mine(hmgpu.Retriever):
    "Mine."
    days: int = 7
    def retrieve(self, learned, customers):
        return [each for each in {{"a", "b"}} if each in ("a", 1)]
'''
digests = []
for text in (TEXT, TEXT, TEXT.replace("1)", "2)"), TEXT.replace("7", "8"), TEXT.replace("each in (", "each not in (")):
    cell(text)
    digests.append(Mine().settings()[SOURCE])
print(Mine().kind, *digests)
"""


def test_code_that_is_in_no_file_is_told_apart() -> None:
    """Wherever it stands, and the same in every process."""
    command = [sys.executable, "-c", NOTEBOOK.replace("{{", "{").replace("}}", "}")]
    first, second = (subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2))
    kind, *digests = first.split()
    assert first == second
    assert kind == "mine"
    assert digests[0] == digests[1]
    assert len(set(digests)) == 4


def test_a_part_of_a_package_runs_in_a_pipeline(install: Install, raw: Path, tmp_path: Path) -> None:
    install("best_of_ours = our_shop_parts:Bestsellers", "length = our_shop_parts:Length")
    places = {"data.raw": raw, "data.root": tmp_path / "data", "runs": tmp_path / "runs", "engine": "cpu"}
    own = {"retrievers": {"best_of_ours": {}, "repurchase": {}}, "features": {"length": {}}}
    quick = {"weeks.train": 1, "ranker.rounds": 5}
    session = hmgpu.open("small", {**places, **own, **quick})
    assert session.evaluate().metrics["retrievers"]["best_of_ours"]["recall"] > 0
    assert (session.features(session.candidates().head(9))["length"] > 0).all()
    module = importlib.import_module("our_shop_parts")
    by_hand = {"best_of_ours": module.Bestsellers(), "repurchase": {}}
    again = hmgpu.open("small", {**places, **own, **quick, "retrievers": by_hand})
    assert again.run == session.run
