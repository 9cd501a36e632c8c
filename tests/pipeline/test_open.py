"""Opening a config's pipeline: on the data set that its settings describe, or not at all."""

import pytest

from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError
from hmgpu.experiments.folds import fold_pipelines
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.open import open_pipeline

CPU = Engine("cpu", "tests")


def test_data_settings_that_the_data_set_was_not_ingested_with_are_refused(config: Config) -> None:
    """Otherwise weeks would start as they did, and the run would say that they start on Mondays."""
    data = config.data.model_copy(update={"week_starts": "monday"})
    other = config.model_copy(update={"data": data})
    for opened in (lambda: open_pipeline(other, CPU), lambda: fold_pipelines(other, CPU, 1)):
        with pytest.raises(DataError, match=r"data\.week_starts is monday, but the data set in .* with wednesday"):
            opened()
    assert not config.runs.exists()
