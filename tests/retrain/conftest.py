"""A season, made once; every test that changes it gets a copy of its own."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from season import Season, make_season


@pytest.fixture(scope="session")
def season(tmp_path_factory: pytest.TempPathFactory) -> Season:
    """The season as it begins; not to be changed."""
    return make_season(tmp_path_factory.mktemp("season"))


@pytest.fixture(scope="session")
def copied(season: Season) -> Callable[[Path], Season]:
    """A copy of the season in the folder that it is given."""

    def copy(folder: Path) -> Season:
        shutil.copytree(season.folder, folder, dirs_exist_ok=True)
        config = (folder / "config.yaml").read_text().replace(str(season.folder), str(folder))
        (folder / "config.yaml").write_text(config)
        return Season(folder, [folder / week.name for week in season.weeks])

    return copy
