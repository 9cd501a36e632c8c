"""The library loads tiny models built by the tests: a BERT of a few words, a CLIP of a few numbers."""

import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.data.vectors.sentence_encoder import SentenceEncoder

CPU = Engine("cpu", "tests")
SMALL = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}


@pytest.fixture(scope="session")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence encoder with random weights."""
    pytest.importorskip("sentence_transformers", reason="the extra hmgpu[encoders] is not installed here")
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("models") / "bert"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "blue", "red", "dress", "socks", "wool"]
    BertTokenizerFast(vocab={word: place for place, word in enumerate(words)}).save_pretrained(folder)
    BertModel(BertConfig(vocab_size=len(words), max_position_embeddings=32, **SMALL)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder of pictures and texts with random weights."""
    pytest.importorskip("sentence_transformers", reason="the extra hmgpu[encoders] is not installed here")
    import torch
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPProcessor, CLIPTokenizerFast

    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("models") / "clip"
    words = [*"abcdefgh", *(f"{letter}</w>" for letter in "abcdefgh"), "<|startoftext|>", "<|endoftext|>"]
    tokens = CLIPTokenizerFast(vocab={word: place for place, word in enumerate(words)}, merges=[])
    size = {"size": {"shortest_edge": 16}, "crop_size": {"height": 16, "width": 16}}
    CLIPProcessor(image_processor=CLIPImageProcessorPil(**size), tokenizer=tokens).save_pretrained(folder)
    end = len(words) - 1
    text = SMALL | {"vocab_size": len(words), "max_position_embeddings": 32, "eos_token_id": end, "pad_token_id": end}
    vision = SMALL | {"image_size": 16, "patch_size": 8}
    CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=12)).save_pretrained(folder)
    return folder


def test_texts(bert: Path) -> None:
    encoder = SentenceEncoder(str(bert), "text", CPU)
    vectors = encoder(["blue dress", "wool socks", "blue dress"])
    assert vectors.shape == (3, 16)
    assert vectors.dtype == np.float32
    assert np.allclose(vectors[0], vectors[2], atol=1e-5)
    assert not np.allclose(vectors[0], vectors[1], atol=1e-2)
    assert encoder.label == "bert"  # without the path of its folder


def test_pictures_and_texts_of_one_model(clip: Path) -> None:
    red, blue = (Image.new("RGB", (60, 90), colour) for colour in ("red", "blue"))
    vectors = SentenceEncoder(str(clip), "pictures", CPU)([red, blue, red])
    assert vectors.shape == (3, 12)
    assert np.allclose(vectors[0], vectors[2], atol=1e-5)
    assert not np.allclose(vectors[0], vectors[1], atol=1e-3)
    assert SentenceEncoder(str(clip), "text", CPU)(["a b"]).shape == (1, 12)


def test_a_model_that_takes_no_pictures(bert: Path) -> None:
    with pytest.raises(ConfigError, match=r"encodes no pictures: name a model's folder, or .* clip-ViT-B-32 "):
        SentenceEncoder(str(bert), "pictures", CPU)


def test_other_files_are_another_model(bert: Path, tmp_path: Path) -> None:
    shutil.copytree(bert, tmp_path / "bert")
    same = SentenceEncoder(str(tmp_path / "bert"), "text", CPU).digest
    (tmp_path / "bert" / "notes.txt").write_text("mine")
    assert SentenceEncoder(str(tmp_path / "bert"), "text", CPU).digest != same


def test_a_folder_without_a_model(tmp_path: Path, bert: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"--model .*empty can't be loaded \(.*\): name a model's folder"):
        SentenceEncoder(str(tmp_path / "empty"), "text", CPU)


def test_without_the_library_the_error_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ConfigError, match=r"text --model needs .*: pip install 'hmgpu\[encoders\]'"):
        SentenceEncoder("all-MiniLM-L6-v2", "text", CPU)


def test_a_hub_that_does_not_answer_is_not_asked_again_and_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("sentence_transformers", reason="the extra hmgpu[encoders] is not installed here")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    started = time.monotonic()
    with pytest.raises(ConfigError, match="was not downloaded before and the hub doesn't answer within 10 s"):
        SentenceEncoder("somebody/something", "text", CPU)
    assert time.monotonic() - started < 30
