"""Parts leave themselves out, with a line, where the data is too short for them, before anything is computed."""

import json
import logging
from pathlib import Path

import pytest

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.data.store import Store
from hmgpu.data.weeks import DAYS, YEAR, Week
from hmgpu.parts.features.customer_season import CustomerSeason
from hmgpu.parts.features.encoded import Encoded
from hmgpu.parts.features.price_fit import PriceFit
from hmgpu.parts.features.same_season import SameSeason
from hmgpu.parts.ranker import Ranker
from hmgpu.parts.rankers.blend import Blend
from hmgpu.parts.rankers.dlrm import DLRM
from hmgpu.parts.rankers.order import Order
from hmgpu.parts.rankers.proposed_by import ProposedBy
from hmgpu.parts.retrievers.image_ete import ImageETE
from hmgpu.parts.retrievers.last_season import LastSeason
from hmgpu.parts.retrievers.still_on_sale import StillOnSale
from hmgpu.parts.retrievers.two_tower import TwoTower
from hmgpu.pipeline.config import Config
from hmgpu.pipeline.open import open_pipeline
from hmgpu.pipeline.usable_parts import usable_parts
from hmgpu.testing.pictures import draw_pictures

CPU = Engine("cpu", "tests")
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
    assert {place.partition(".")[2] for place in found.left_out} == missing
    assert all(
        reason.endswith(f"before {oldest}, the oldest week that the run learns for, and the data has {days}")
        for reason in found.left_out.values()
    )
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [f"{place} is left out: {reason}" for place, reason in found.left_out.items()]


def test_the_reason_is_what_the_data_or_the_machine_lacks(
    config: Config, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "present", store.present - {"price"})
    monkeypatch.setattr(TwoTower, "needs_packages", lambda self: ("a_library_of_nobody",))
    retrievers = {"popular": config.retrievers["popular"], "two_tower": TwoTower(), "looks": ImageETE()}
    config = config.model_copy(update={"retrievers": retrievers, "features": {"two_tower": PriceFit()}})
    pipeline = open_pipeline(config, Engine("cpu", "tests"))
    with pipeline.working():
        facts = json.loads((pipeline.run.folder / "manifest.json").read_text())
    assert facts["left_out"] == {
        "retrievers.two_tower": "it needs a_library_of_nobody; pip install a_library_of_nobody",
        "retrievers.looks": f"the data has no pictures; put them into {store.place_of_pictures}",
        "features.two_tower": "the data has no price",
    }


def test_pictures_and_weights_decide_the_runs_that_use_them_and_no_others(
    config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    weights = tmp_path / "weights.pth"
    looks = {"retrievers": {"popular": config.retrievers["popular"], "looks": ImageETE(weights=weights)}}
    monkeypatch.setattr(Store, "place_of_pictures", draw_pictures(tmp_path / "images", {"0000000000": (1, 2, 3)}))
    ids = Store(config.data.root).article_ids().sort("article").collect()["article_id"]

    def names() -> list[str]:
        return [open_pipeline(each, CPU).run.folder.name for each in (config, config.model_copy(update=looks))]

    with pytest.raises(ConfigError, match=r"retrievers\.looks: there is no .*weights\.pth, which it names\."):
        names()
    weights.write_text("some")
    seen = [names()]
    draw_pictures(tmp_path / "images", {ids[3]: (1, 2, 3)})
    seen.append(names())
    weights.write_text("others")
    seen.append(names())
    assert [len({each[place] for each in seen}) for place in (0, 1)] == [1, 3]


@pytest.mark.parametrize(
    ("ranker", "said"),
    [
        (Order(retrievers=("last_season", "popular")), "'last_season' proposes nothing here; choose from popular"),
        (Blend(rankers={"a": Order(retrievers=("last_season",))}), "'last_season' proposes nothing here"),
        (ProposedBy(retrievers=("last_season",)), "last_season propose nothing here; choose from popular"),
        (DLRM(), "the family `encoded`, whose columns it looks up, is left out"),
    ],
)
def test_a_ranker_that_needs_a_part_that_is_left_out_is_refused_at_once(
    config: Config, store: Store, monkeypatch: pytest.MonkeyPatch, ranker: Ranker, said: str
) -> None:
    monkeypatch.setattr(DLRM, "needs_packages", lambda self: frozenset())
    monkeypatch.setattr(Encoded, "needs_packages", lambda self: frozenset({"a_library_of_nobody"}))
    retrievers = {"popular": config.retrievers["popular"], "last_season": LastSeason()}
    changed = {"retrievers": retrievers, "features": {"encoded": Encoded()}, "ranker": ranker}
    with pytest.raises(ConfigError, match=said):
        usable_parts(config.model_copy(update=changed), store, Week(store.manifest.first_day + DAYS))
