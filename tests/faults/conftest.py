"""One season, and one process that forks, for all faults."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faults import acts
from faults.counts import COUNTED, PREFIX
from faults.forks import Forker
from faults.kit import Place, Served, Story
from season import make_season


@pytest.fixture
def count(record_property: Callable[[str, object], None]) -> Iterator[Callable[..., None]]:
    """Return a function that adds to the counts printed at the end."""
    mine: Counter[str] = Counter()

    def add(what: str, number: int = 1) -> None:
        assert what in COUNTED
        mine[what] += number

    yield add
    for what, number in mine.items():
        record_property(PREFIX + what, number)


@pytest.fixture(scope="session")
def forker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forker]:
    forker = Forker(tmp_path_factory.mktemp("children"))
    yield forker
    forker.close()


@pytest.fixture(scope="session")
def story(forker: Forker, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """A first run, promoted; and in another place the one after it. Neither is to be changed."""
    folder = tmp_path_factory.mktemp("story")
    place = Place(make_season(folder / "before", weeks=3, scale=0.001).folder)
    first = forker.run(acts.hmgpu, place.retrain())
    assert first.code == 0, first.said
    after = place.copy(folder / "after")
    second = forker.run(acts.hmgpu, after.retrain(1))
    assert second.code == 0, second.said
    return Story(place, Served.of(place), Served.of(after), second.seconds)


@pytest.fixture
def place(story: Story, tmp_path: Path) -> Iterator[Place]:
    """A copy of the place before the retrain."""
    yield story.place.copy(tmp_path / "place")
    shutil.rmtree(tmp_path / "place", ignore_errors=True)
