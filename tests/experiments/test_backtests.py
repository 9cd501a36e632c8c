"""Several configs in one table: the figures of each, every pair, and those that can't run with the reason."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from kit import few_parts

from hmgpu.core.alone import alone
from hmgpu.core.errors import ConfigError
from hmgpu.core.printed import as_text
from hmgpu.data.store import Store
from hmgpu.experiments import backtests as module
from hmgpu.experiments.backtests import _scored, backtests, backtests_table
from hmgpu.experiments.compare import Judged, compare

Write = Callable[..., str]


@pytest.fixture
def written(raw: Path, store: Store, tmp_path: Path) -> Write:
    """Write the config of few parts with changes, and return its path."""

    def write(name: str, **changes: Any) -> str:
        content = few_parts(raw, store.root, tmp_path / "runs").settings() | changes
        file = tmp_path / f"{name}.yaml"
        file.write_text(yaml.safe_dump(content, sort_keys=False))
        return str(file)

    return write


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in this process: another one would load everything again."""
    monkeypatch.setattr(module, "alone", lambda work, *given: work(*given))


def test_all_are_in_one_table_whatever_can_run(written: Write, here: None) -> None:
    trees, order = written("trees"), written("order", ranker={"kind": "order"})
    lacking = written("lacking", ranker={"kind": "unheard_of"})
    left_out = written(
        "left_out",
        retrievers={"popular": {}, "last_season": {}},
        ranker={"kind": "order", "retrievers": ["last_season"]},
        weeks={"train": 90},
    )
    found, file = backtests([trees, lacking, order, left_out], 2)
    assert list(found["configs"]) == [trees, lacking, order, left_out]
    assert "'unheard_of' is not a kind of ranker" in found["configs"][lacking]["reason"]
    assert "'last_season' proposes nothing here" in found["configs"][left_out]["reason"]
    assert json.loads(file.read_text()) == found
    ours = found["configs"][trees]
    alone_found = json.loads(Path(ours["file"]).read_text())
    assert ours["map_at_12"] == alone_found["all"]["map_at_12"]["ranker"]
    assert ours["weeks"] == [fold["map_at_12"]["ranker"] for fold in alone_found["folds"]]
    assert len(found["weeks"]) == 2
    assert ours["seconds"] > 0
    assert 0.05 < ours["peak_gib"] < 64
    names = [trees, order, "last week's best sellers", "own past + best sellers"]
    assert len(found["pairs"]) == 6
    assert {pair["first"] for pair in found["pairs"]} | {pair["second"] for pair in found["pairs"]} == set(names)
    files = [Path(found["configs"][name]["file"]) for name in (trees, order)]
    expected = compare(*map(Judged.read, files))["all"]
    pair = next(pair for pair in found["pairs"] if (pair["first"], pair["second"]) == (trees, order))
    assert {key: pair[key] for key in ("difference", "low", "high", "p_value")} == {
        key: expected[key] for key in ("difference", "low", "high", "p_value")
    }
    assert all(pair["p_value"] <= pair["corrected"] <= 1 for pair in found["pairs"])
    table, page = as_text([backtests_table(found)], 80), file.with_suffix(".html").read_text()
    assert max(map(len, table.splitlines())) <= 80
    for text in (table.replace("\n", "").replace(" ", ""), page.replace(" ", "")):
        assert f"{ours['map_at_12']:.5f}" in text
        assert f"{pair['difference']:+.5f}" in text
        assert "proposesnothinghere" in text


def test_what_can_not_be_compared_is_refused_before_anything_is_computed(written: Write, tmp_path: Path) -> None:
    one, other = written("one"), written("other", lists={"k": 20})
    with pytest.raises(ConfigError, match=r"lists\.k is 12 in one and 20 in the other"):
        backtests([one, other], 1)
    with pytest.raises(ConfigError, match="A config is named twice"):
        backtests([one, one], 1)
    with pytest.raises(ConfigError, match=r"None of the configs can run here.*Unknown config nobody"):
        backtests(["nobody"], 1)
    assert not (tmp_path / "runs").exists()


def test_what_a_config_lacks_is_said_by_its_own_process() -> None:
    with pytest.raises(ConfigError, match="Unknown config nobody"):
        alone(_scored, "nobody", 1, [], None)
