"""A season, generated once; every test that changes it works on a copy (`season.copied`)."""

import pytest
from season import Season, make_season


@pytest.fixture(scope="session")
def season(tmp_path_factory: pytest.TempPathFactory) -> Season:
    """The season as it begins; not to be changed."""
    return make_season(tmp_path_factory.mktemp("season"))
