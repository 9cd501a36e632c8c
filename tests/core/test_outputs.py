"""Where nothing may be written."""

from pathlib import Path

import pytest

from hmgpu.core.errors import ConfigError
from hmgpu.core.outputs import refuse_among_inputs


@pytest.fixture
def places(tmp_path: Path) -> Path:
    for folder in ("run/steps/fit", "data/transactions", "raw", "export/model"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("run", "data", "export"):
        (tmp_path / file / "manifest.json").write_text("{}")
    return tmp_path


@pytest.mark.parametrize(
    ("out", "says"),
    [
        ("run", "the run"),
        ("run/report.html", "the run"),
        ("run/steps/fit/lists.csv", "the run"),
        ("data/articles.parquet", "the data set"),
        ("export/../data/x", "the data set"),
        ("raw/articles.csv", "the folder of the raw files"),
    ],
)
def test_what_is_read_is_not_overwritten(places: Path, out: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        refuse_among_inputs(places / out, places / "raw")


@pytest.mark.parametrize("out", ["page.html", "export", "export/model/x", "raws/page.html", "nowhere/page.html"])
def test_elsewhere_all_may_be_written(places: Path, out: str) -> None:
    refuse_among_inputs(places / out, places / "raw")
    refuse_among_inputs(places / out)
