"""Feature maps on disk are what the network says of the pictures; each is computed once, and again if it changes."""

import logging
import os
import shutil

import pytest
import torch
from PIL import Image

from hmgpu.core.engine import Engine
from hmgpu.core.errors import DiskError
from hmgpu.parts.models.images import feature_maps as module
from hmgpu.parts.models.images.backbone import Backbone
from hmgpu.parts.models.images.feature_maps import feature_maps, picture
from hmgpu.parts.retrievers.image_ete import ImageETE

CPU = Engine("cpu", "tests")


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    torch.manual_seed(1)
    return Backbone(ImageETE(model="test_resnet", pixels=32), "image_ete")


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Seven pictures, of which three make a part."""
    monkeypatch.setattr(module, "PART", 3)
    monkeypatch.setattr(module, "AT_ONCE", 2)
    found = [tmp_path / f"{number}.jpg" for number in range(7)]
    for number, file in enumerate(found):
        Image.new("RGB", (40, 60), (number * 30, 0, 200)).save(file)
    return found


def direct(backbone, files):
    """The maps of pictures without a cache."""
    pixels = [backbone.pixels_of(Image.open(file).convert("RGB")) for file in files]
    return torch.cat([backbone.maps_of(torch.stack([each, each]), CPU)[:1] for each in pixels])


def bytes_of(folder):
    return {file.name: file.read_bytes() for file in folder.glob("*/[0-9]*")}


@pytest.fixture
def looked_at(backbone, monkeypatch):
    """The pictures that the network has seen, one by one."""
    seen, real = [], backbone.maps_of
    monkeypatch.setattr(backbone, "maps_of", lambda pixels, engine: seen.append(len(pixels)) or real(pixels, engine))
    return seen


def test_they_are_what_the_network_says_in_any_order(backbone, files, tmp_path):
    maps = feature_maps(files, backbone, tmp_path, CPU)
    asked = [files[place] for place in (6, 0, 3, 3, 1)]
    assert torch.equal(maps.read([picture(file) for file in asked]), direct(backbone, asked))
    assert maps.read([]).shape == (0, *backbone.shape)


def test_each_is_computed_once_and_what_is_new_alone(backbone, files, tmp_path, looked_at):
    feature_maps(files[:4], backbone, tmp_path, CPU)
    assert sum(looked_at) == 2 + 2 + 2  # always two at once
    feature_maps(files[:4], backbone, tmp_path, CPU)
    assert len(looked_at) == 3
    maps = feature_maps(files, backbone, tmp_path, CPU)
    assert len(looked_at) == 3 + 2
    assert torch.equal(maps.read([picture(file) for file in files]), direct(backbone, files))


def test_a_kill_loses_no_finished_part_and_leaves_the_same_bytes(backbone, files, tmp_path, looked_at, monkeypatch):
    feature_maps(files, backbone, tmp_path / "whole", CPU)
    del looked_at[:]
    real = backbone.maps_of

    def dies(pixels, engine):
        if len(looked_at) == 3:
            raise KeyboardInterrupt
        return real(pixels, engine)

    with monkeypatch.context() as killed:
        killed.setattr(backbone, "maps_of", dies)
        with pytest.raises(KeyboardInterrupt):
            feature_maps(files, backbone, tmp_path / "killed", CPU)
    feature_maps(files, backbone, tmp_path / "killed", CPU)
    assert len(looked_at) == 3 + 2 + 1  # the first part's two were not computed again
    assert bytes_of(tmp_path / "killed") == bytes_of(tmp_path / "whole") != {}
    assert not list((tmp_path / "killed").rglob(".unfinished-*"))


def test_another_picture_of_the_same_name_is_another_one(backbone, files, tmp_path):
    before = feature_maps(files, backbone, tmp_path, CPU).read([picture(files[0])])
    Image.new("RGB", (40, 60), (0, 250, 0)).save(files[0])
    os.utime(files[0], ns=(1, 1))
    after = feature_maps(files, backbone, tmp_path, CPU).read([picture(files[0])])
    assert torch.equal(after, direct(backbone, files[:1]))
    assert not torch.equal(after, before)


def test_what_can_not_be_read_is_named_and_left_out(backbone, files, tmp_path, caplog):
    files[1].write_bytes(files[1].read_bytes()[:90])
    files[2].write_text("no picture")
    maps = feature_maps(files[:3], backbone, tmp_path, CPU)
    assert maps.places.keys() == {picture(files[0])}
    assert f"2 of 3 pictures are left out; {files[1]} is" in caplog.text
    assert feature_maps(files[1:3], backbone, tmp_path, CPU).places.keys() == {picture(files[0])}
    assert len(bytes_of(tmp_path)) == 2


def test_their_size_is_said_before_and_must_fit_the_disk(backbone, files, tmp_path, caplog, monkeypatch):
    number = 7 * 2 * backbone.shape[0] * backbone.shape[1] * backbone.shape[2]
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage._replace(free=number - 1))
    with pytest.raises(DiskError, match=r"feature maps of 7 pictures take .* MB in .* make room"):
        feature_maps(files, backbone, tmp_path, CPU)
    monkeypatch.undo()
    with caplog.at_level(logging.INFO, "hmgpu"):
        feature_maps(files, backbone, tmp_path, CPU)
    (line,) = [record.getMessage() for record in caplog.records]
    (maps,) = tmp_path.glob("feature-maps-*")
    assert line == f"feature maps of 7 pictures take {number / 1e6:.1f} MB in {maps}"
    assert sum(file.stat().st_size for file in maps.glob("*.maps")) == number
