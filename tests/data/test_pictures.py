"""The files of pictures."""

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from hmgpu.data.pictures import Unread, picture_file, read_picture


def test_pictures_lie_as_in_kaggles_data():
    assert picture_file(Path("images"), "0108775015") == Path("images/010/0108775015.jpg")


@pytest.mark.parametrize("odd", ["../../etc/passwd", "/etc/passwd", "a/b"])
def test_an_id_leads_to_no_other_folder(odd):
    assert picture_file(Path("images"), odd) is None


def png_claiming(wide: int, high: int) -> bytes:
    """The head of a PNG of any size, and nothing after it."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "missing"),
        (b"", "not a picture"),
        (b"no picture", "not a picture"),
        (png_claiming(60, 90), "damaged or unreadable"),
        (png_claiming(9_000, 9_000), "huge"),  # Pillow would decode it, without a word
        (png_claiming(12_000, 12_000), "huge"),  # and this, with a warning
        (png_claiming(60_000, 60_000), "huge"),
        (png_claiming(4, 9_000), "a strip"),
    ],
)
def test_what_cannot_be_used_says_why(tmp_path, content, why, recwarn):
    file = tmp_path / "0108775015.jpg"
    if content is not None:
        file.write_bytes(content)
    found = read_picture(file, (512, 512))
    assert isinstance(found, Unread)
    assert found.why.startswith(why)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_picture_is_rgb_and_no_smaller_than_asked_for(tmp_path, mode):
    file = tmp_path / "0108775015.jpg"
    Image.new(mode, (2400, 3600), "red" if mode == "RGB" else 7).save(file)
    found = read_picture(file, (512, 512))
    assert (found.mode, found.size) == ("RGB", (600, 900))  # a quarter is large enough
