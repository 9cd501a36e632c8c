"""Configs that extend others: what is merged, what is left out, and which file and line a mistake is in."""

from pathlib import Path

import pytest

from hmgpu.core.errors import ConfigError
from hmgpu.parts.rankers.order import Order
from hmgpu.parts.retrievers.popular import Popular
from hmgpu.pipeline.config import load_config, load_data

BASE = """\
data: {raw: raw, root: data}
runs: runs
retrievers:
  repurchase: {n: 30, days: 91}
  popular: {n: 40}
  by_age: {kind: popular_by, by: age_band}
features:
  article_sales: {}
  catalogue: {}
negatives: {recalled: {n: 7}, on_sale: {}}
quotas: {keep: 50}
ranker:
  kind: xgboost
  depth: 5
"""


@pytest.fixture
def write(tmp_path: Path):
    def written(name: str, text: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return file

    written("base.yaml", BASE)
    return written


def message(path: Path, *settings: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(path, list(settings))
    return str(caught.value).replace(f"{path.parent}/", "")


def test_keys_are_merged_one_by_one(write) -> None:
    base = load_config(write("base.yaml", BASE))
    path = write(
        "own.yaml", "extends: base.yaml\nseed: 7\nretrievers: {popular: {days: 3}, item_cf: {}}\nranker: {rounds: 9}\n"
    )
    own = load_config(path)
    assert list(own.retrievers) == ["repurchase", "popular", "by_age", "item_cf"]
    assert own.retrievers["popular"] == Popular(n=40, days=3)
    assert own.ranker == base.ranker.model_copy(update={"rounds": 9})
    assert own.seed == 7
    same = own.model_copy(update={"seed": 42, "retrievers": base.retrievers, "ranker": base.ranker})
    assert same.settings() == base.settings()


def test_null_leaves_out_an_empty_mapping_and_another_kind_replace(write) -> None:
    text = """\
extends: base.yaml
retrievers: {repurchase: null, popular: {}}
features: {}
negatives: {on_sale: null}
quotas: null
ranker: {kind: order}
"""
    own = load_config(write("own.yaml", text))
    assert own.retrievers == {"popular": Popular(), "by_age": own.retrievers["by_age"]}
    assert (own.features, list(own.negatives), own.quotas, own.ranker) == ({}, ["recalled"], None, Order())


def test_paths_count_from_the_file_and_shipped_names_are_known(write) -> None:
    write("deep/middle.yaml", "extends: ../base.yaml\nseed: 1\n")
    assert load_config(write("deep/own.yaml", "extends: middle.yaml\nruns: mine\n")).seed == 1
    own = load_config(write("small.yaml", "extends: small\nseed: 5\n"))  # the shipped one, not itself
    assert own.settings() == load_config("small", ["seed=5"]).settings()
    assert load_config(write("own.yaml", "extends: best\n")).settings() == load_config("best").settings()


def test_a_mistake_is_in_the_file_and_line_that_it_was_written_in(write) -> None:
    write("base.yaml", BASE.replace("depth: 5", "dept: 5"))
    own = write("own.yaml", "extends: base.yaml\nseed: 1\n\nretrievers:\n  popular: {dayz: 3}\n  by_age: {n: 0}\n")
    assert message(own).splitlines() == [
        "own.yaml, line 5: unknown key 'retrievers.popular.dayz'; did you mean 'days'?",
        "own.yaml, line 6: 'retrievers.by_age.n': must be 1 or more, not 0.",
        "base.yaml, line 14: unknown key 'ranker.dept'; did you mean 'depth'?",
    ]
    assert message(write("own.yaml", "extend: base.yaml\n")).splitlines()[-1] == (
        "own.yaml, line 1: unknown key 'extend'; did you mean 'extends'?"
    )


def test_circles_and_bases_that_are_not_there_are_refused(write) -> None:
    write("a.yaml", "seed: 1\nextends: b.yaml\n")
    assert (
        message(write("b.yaml", "extends: a.yaml\n"))
        == "a.yaml, line 2: it extends b.yaml, which extends it: a circle."
    )
    assert (
        message(write("c.yaml", "extends: c.yaml\n"))
        == "c.yaml, line 1: it extends c.yaml, which extends it: a circle."
    )
    assert "Can't read the config none.yaml" in message(write("d.yaml", "extends: none.yaml\n"))
    assert "e.yaml, line 1: Unknown config bse: give the path" in message(write("e.yaml", "extends: bse\n"))
    assert "f.yaml, line 1: 'extends' must name a config" in message(write("f.yaml", "extends: [base]\n"))
    assert "g.yaml is not YAML" in message(write("h.yaml", "extends: g.yaml\n") if write("g.yaml", "a: [") else Path())


def test_a_part_that_is_not_there_can_t_be_left_out(write) -> None:
    said = "there is no 'retrievers.populr' to leave out; did you mean 'popular'?"
    own = write("own.yaml", "extends: base.yaml\nretrievers:\n  populr: null\n")
    assert message(own) == f"own.yaml, line 3: {said}"
    own.write_text("extends: base.yaml\n")
    assert message(own, "retrievers.populr=null") == f"--set retrievers.populr=null: {said}"
    assert "there are recalled, on_sale." in message(own, "negatives.zzz=null")


def test_set_leaves_out_and_gives_defaults(write) -> None:
    base = write("base.yaml", BASE)
    settings = ["retrievers.repurchase=null", "retrievers.popular={}", "features.catalogue=", "negatives.on_sale=~"]
    own = load_config(base, settings)
    assert own.retrievers == {"popular": Popular(), "by_age": own.retrievers["by_age"]}
    assert (list(own.features), list(own.negatives)) == (["article_sales"], ["recalled"])
    assert load_config(base, {"features.catalogue": None}).features == own.features
    assert "'retrievers': must have 1 or more values" in message(
        base, *(f"retrievers.{name}=null" for name in ("repurchase", "popular", "by_age"))
    )


def test_a_data_set_needs_no_pipeline(write) -> None:
    described, engine = load_data(write("data.yaml", "data: {raw: in, root: out, week_starts: monday}\nengine: cpu\n"))
    assert (described.week_starts, engine) == ("monday", "cpu")
    own = write("own.yaml", "extends: data.yaml\ndata: {root: mine}\n")
    assert load_data(own, ["data.price_unit=0.01"])[0].root == Path("mine")
    for text, said in (
        ("data: {raw: in}\n", "key 'data.root' is missing"),
        ("data: {rwa: in, root: a}\n", "did you mean 'raw'"),
    ):
        with pytest.raises(ConfigError, match=said):
            load_data(write("wrong.yaml", text))
    with pytest.raises(ConfigError, match="key 'ranker' is missing"):
        load_data(write("wrong.yaml", "data: {raw: in, root: out}\nretrievers: {popular: {}}\n"))
