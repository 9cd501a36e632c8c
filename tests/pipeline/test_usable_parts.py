"""Parts leave themselves out, with a line, where the data is too short for them, before anything is computed."""

import logging

import pytest

from hmgpu.data.store import Store
from hmgpu.data.weeks import DAYS, YEAR, Week
from hmgpu.parts.features.customer_season import CustomerSeason
from hmgpu.parts.features.same_season import SameSeason
from hmgpu.parts.retrievers.last_season import LastSeason
from hmgpu.parts.retrievers.still_on_sale import StillOnSale
from hmgpu.parts.retrievers.two_tower import TwoTower
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.usable_parts import usable_parts

SEASON = {"last_season": LastSeason(), "still_last_season": StillOnSale(of=LastSeason())}


@pytest.mark.parametrize(
    ("days", "missing"),
    [
        (2 * DAYS, {"two_tower", *SEASON, "same_season", "customer_season"}),
        (2 * DAYS + 1, {*SEASON, "same_season", "customer_season"}),
        (YEAR - 2 * DAYS + 1, {"customer_season"}),
        (YEAR, set()),
    ],
)
def test_a_part_needs_its_days_before_the_oldest_week(
    config: Config, store: Store, caplog: pytest.LogCaptureFixture, days: int, missing: set[str]
) -> None:
    retrievers = {"popular": config.retrievers["popular"], "two_tower": TwoTower(), **SEASON}
    features = {"same_season": SameSeason(), "customer_season": CustomerSeason()}
    config = config.model_copy(update={"retrievers": retrievers, "features": features})
    oldest = Week(store.manifest.first_day + days)
    with caplog.at_level(logging.WARNING, "hmgpu"):
        found = usable_parts(config, store, oldest)
    assert {*retrievers, *features} - {*found.retrievers, *found.features} == missing
    lines = [record.getMessage() for record in caplog.records]
    assert {line.split()[1] for line in lines} == missing
    assert all(
        line.endswith(f"before {oldest}, the oldest week that the run learns for, and the data has {days}")
        for line in lines
    )
