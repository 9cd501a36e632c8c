"""The files of pictures."""

from pathlib import Path

import pytest

from hmgpu.data.pictures import picture_file


def test_pictures_lie_as_in_kaggles_data():
    assert picture_file(Path("images"), "0108775015") == Path("images/010/0108775015.jpg")


@pytest.mark.parametrize("odd", ["../../etc/passwd", "/etc/passwd", "a/b"])
def test_an_id_leads_to_no_other_folder(odd):
    assert picture_file(Path("images"), odd) is None
