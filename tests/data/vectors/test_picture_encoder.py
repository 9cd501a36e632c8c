"""timm loads tiny models with random weights, by name, folder and file, and none whose weights are not all there."""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.data.vectors.load_encoder import load_encoder
from hmgpu.data.vectors.picture_encoder import PictureEncoder
from hmgpu.data.vectors.sentence_encoder import SentenceEncoder

CPU = Engine("cpu", "tests")
TINY = "test_efficientnet"
PICTURES = [
    Image.new("RGB", size, colour) for size, colour in (((60, 90), "red"), ((90, 60), "blue"), ((60, 90), "red"))
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model as timm saves it, for three classes, with a config of its own."""
    timm = pytest.importorskip("timm", reason="the extra hmgpu[encoders] is not installed here")
    import torch

    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    timm.models.save_for_hf(timm.create_model(TINY, num_classes=3), folder)
    config = json.loads((folder / "config.json").read_text())
    config["pretrained_cfg"] |= {"input_size": [3, 64, 64], "mean": [0.1, 0.2, 0.3]}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def weights(folder: Path) -> Path:
    return next(file for file in folder.iterdir() if file.name != "config.json")


def vectors_of(*load) -> "np.ndarray":
    return load_encoder(load[0], "pictures", CPU, *load[1:])(PICTURES)


def test_a_folder_has_its_own_transforms_and_a_file_those_of_its_architecture(folder: Path, weights: Path) -> None:
    encoder = load_encoder(str(folder), "pictures", CPU)
    assert encoder.label == "tiny"  # without the path of its folder
    vectors = encoder(PICTURES)
    assert (vectors.shape, vectors.dtype) == ((3, 256), np.float32)
    assert np.allclose(vectors[0], vectors[2], atol=1e-5)
    assert not np.allclose(vectors[0], vectors[1], atol=1e-3)
    from_file = vectors_of(str(weights), TINY)
    assert from_file.shape == (3, 256)
    assert not np.allclose(from_file, vectors, atol=1e-3)  # other means, another size


def test_it_computes_what_timm_computes(folder: Path) -> None:
    import timm
    import torch

    model = timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=0).eval()
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
    with torch.no_grad():
        expected = torch.cat([model(transform(picture)[None]) for picture in PICTURES]).numpy()
    assert np.allclose(vectors_of(str(folder)), expected, atol=1e-4)


def test_a_name_of_timm_is_loaded_from_the_hub_with_all_its_weights(
    folder: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import timm
    import torch

    monkeypatch.setattr("hmgpu.data.vectors.encoder.answers", lambda _: True)
    state = timm.create_model(TINY).state_dict()
    monkeypatch.setattr("timm.models._builder.load_state_dict_from_hf", lambda *_, **__: dict(state))
    for name in (TINY, f"{TINY}.r160_in1k", f"timm/{TINY}.r160_in1k"):
        encoder = load_encoder(name, "pictures", CPU)
        assert isinstance(encoder, PictureEncoder)
        assert encoder.label == name
    same = encoder.digest
    state["conv_stem.weight"] = torch.zeros_like(state["conv_stem.weight"])
    assert load_encoder(name, "pictures", CPU).digest != same


def test_weights_that_do_not_fit_are_refused(folder: Path, weights: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"can't be loaded \(\d+ of its weights or of test_resnet's have no counterpart"
    ):
        vectors_of(str(weights), "test_resnet")
    with pytest.raises(ConfigError, match=r"can't be loaded \(Unknown model .*\): name a model of timm"):
        vectors_of(str(weights), "resnet_of_mine")
    (tmp_path / "pickle.pth").write_bytes(b"cos\nsystem\n(S'touch gone'\ntR.")
    with pytest.raises(ConfigError, match="can't be loaded"):
        vectors_of(str(tmp_path / "pickle.pth"), TINY)
    # In a folder, too: a config that says another model than the weights are.
    config = json.loads((folder / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "architecture": "test_resnet"}))
    (tmp_path / weights.name).write_bytes(weights.read_bytes())
    with pytest.raises(ConfigError, match="can't be loaded"):
        vectors_of(str(tmp_path))


def test_a_file_needs_an_architecture_and_nothing_else_takes_one(folder: Path, weights: Path) -> None:
    with pytest.raises(ConfigError, match=r"is a file of weights: say with --architecture which .*resnet50\.$"):
        load_encoder(str(weights), "pictures", CPU)
    with pytest.raises(ConfigError, match="--architecture belongs to a file of weights, and there is no file"):
        load_encoder(str(folder), "pictures", CPU, TINY)
    with pytest.raises(ConfigError, match="for pictures: leave it out"):
        load_encoder(str(weights), "text", CPU, TINY)


def test_other_names_are_those_of_sentence_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[str]()
    monkeypatch.setattr(SentenceEncoder, "__init__", lambda _, name, of, engine: asked.append(name))
    load_encoder("clip-ViT-B-32", "pictures", CPU)
    load_encoder("resnet50", "text", CPU)
    assert asked == ["clip-ViT-B-32", "resnet50"]


def test_without_the_library_the_error_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ConfigError, match=r"pictures --model needs timm.*: pip install 'hmgpu\[encoders\]'"):
        load_encoder("resnet50", "pictures", CPU)


def test_a_hub_that_does_not_answer_is_not_asked_again_and_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    started = time.monotonic()
    with pytest.raises(ConfigError, match="was not downloaded before and the hub doesn't answer within 10 s"):
        load_encoder(TINY, "pictures", CPU)
    assert time.monotonic() - started < 30
