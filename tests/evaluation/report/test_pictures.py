"""Pictures small enough for a page."""

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from hmgpu.evaluation.report.pictures import SIZE, picture

ID = "0108775015"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images" / "010").mkdir(parents=True)
    return tmp_path / "images"


def write(folder: Path, size: tuple[int, int], mode: str = "RGB") -> None:
    Image.new(mode, size, "white").save(folder / "010" / f"{ID}.jpg", "JPEG")


@pytest.mark.parametrize(("size", "mode"), [((1166, 1750), "RGB"), ((1750, 1166), "L"), ((20, 30), "CMYK")])
def test_it_fits_and_keeps_its_shape(folder, size, mode):
    write(folder, size, mode)
    address = picture(folder, ID)
    assert address is not None
    head, _, content = address.partition(",")
    assert head == "data:image/jpeg;base64"
    with Image.open(io.BytesIO(base64.b64decode(content))) as small:
        assert small.width <= SIZE[0]
        assert small.height <= SIZE[1]
        assert small.width / small.height == pytest.approx(size[0] / size[1], rel=0.02)
        assert small.mode == "RGB"
    assert picture(folder, ID) == address


def test_there_is_none_where_nothing_can_be_read(folder):
    assert picture(None, ID) is None
    assert picture(folder, ID) is None
    (folder / "010" / f"{ID}.jpg").write_bytes(b"no picture")
    assert picture(folder, ID) is None
    write(folder, (200, 300))
    Image.new("L", (8000, 8000)).save(folder / "010" / f"{ID}.jpg", "PNG")  # 8 KB that would be 192 MB
    assert picture(folder, ID) is None
    write(folder, (200, 300))
    whole = (folder / "010" / f"{ID}.jpg").read_bytes()
    (folder / "010" / f"{ID}.jpg").write_bytes(whole[: len(whole) // 2])
    assert picture(folder, ID) is None


def test_an_id_leads_into_no_other_folder(folder):
    Image.new("RGB", (9, 9)).save(folder.parent / "secret.jpg", "JPEG")
    (folder / "../").mkdir(exist_ok=True)
    assert picture(folder, "../../secret") is None
