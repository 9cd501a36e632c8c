"""A network for pictures is cut before its last blocks, and both parts together are the whole."""

import pytest
import timm
import torch
from PIL import Image

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.parts.models.images.backbone import Backbone
from hmgpu.parts.retrievers.image_ete import ImageETE

CPU = Engine("cpu", "tests")


def backbone(**settings) -> Backbone:
    torch.manual_seed(1)
    return Backbone(ImageETE(**{"model": "test_resnet", "pixels": 32} | settings), "looks")


@pytest.mark.parametrize(
    ("model", "trained", "first"),
    [
        ("test_resnet", 1, "layer4.0"),
        ("test_resnet", 3, "layer2.0"),
        ("test_efficientnet", 1, "conv_head"),
        ("test_efficientnet", 2, "blocks.4.0"),
    ],
)
def test_the_last_blocks_are_trained_and_the_parts_are_the_whole(model, trained, first):
    """A norm belongs to the convolution before it."""
    cut = backbone(model=model, trained=trained)
    torch.manual_seed(1)
    whole = timm.create_model(model, num_classes=0).eval()
    sample = torch.rand(2, 3, 32, 32)
    whole.load_state_dict(dict(zip(whole.state_dict(), cut.state_dict().values(), strict=True)))
    assert torch.equal(cut(cut.frozen(sample)), whole(sample))
    names = [name for name, _ in whole.named_parameters()]
    there = len(list(cut.frozen.parameters()))
    assert names[there].startswith(f"{first}.")
    assert not names[there - 1].startswith(f"{first}.")
    assert cut.frozen(sample).shape[1:] == cut.shape


def test_its_statistics_stay_and_no_frozen_weight_is_trained():
    cut = backbone()
    cut.train()
    assert not any(module.training for module in cut.modules())
    assert not any(each.requires_grad for each in cut.frozen.parameters())
    assert all(each.requires_grad for each in cut.trained.parameters())


def test_maps_are_in_half_precision_and_never_infinite():
    cut = backbone()
    with torch.no_grad():
        next(cut.frozen.parameters()).mul_(1e9)
    maps = cut.maps_of(torch.rand(2, 3, 32, 32), CPU)
    assert maps.dtype == torch.float16
    assert maps.isfinite().all()


def test_pictures_become_as_large_as_asked():
    assert backbone(pixels=48).pixels_of(Image.new("RGB", (80, 30))).shape == (3, 48, 48)
    assert backbone(pixels=None).pixels_of(Image.new("RGB", (80, 30))).shape == (3, 160, 160)


def test_all_that_decides_maps_is_in_the_digest():
    digests = [backbone(**kw).digest(CPU) for kw in ({}, {}, {"pixels": 48}, {"trained": 2}, {"model": "resnet10t"})]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 4
    other = backbone()
    with torch.no_grad():
        next(other.frozen.parameters()).add_(1)
    assert other.digest(CPU) != digests[0] != backbone().digest(Engine("gpu", "tests"))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"model": "resnet51"}, r"looks\.model: resnet51 can't be loaded \(.*\): name an architecture of timm"),
        ({"model": "test_vit", "pixels": 160}, r"looks\.model: the blocks of test_vit don't follow each other"),
        ({"trained": 9}, r"looks\.trained: the blocks of test_resnet are 7, and the first stays frozen\."),
    ],
)
def test_what_can_not_be_cut_is_refused_in_a_sentence(settings, sentence):
    with pytest.raises(ConfigError, match=sentence):
        backbone(**settings)


@pytest.mark.parametrize("content", ["other", "torn", "nothing"])
def test_weights_that_do_not_fit_are_refused(content, tmp_path):
    file = tmp_path / "weights.pth"
    torch.save(timm.create_model("test_efficientnet").state_dict(), file)
    if content != "other":
        file.write_bytes(file.read_bytes()[: 4000 if content == "torn" else 0])
    says = r"with the weights in .*weights\.pth can't be loaded \(" + (r"\d+ of its" if content == "other" else "")
    with pytest.raises(ConfigError, match=says):
        backbone(weights=file)
