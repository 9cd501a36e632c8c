"""Encoders of pictures from the library timm (Wightman 2019): classifiers of pictures without their last layer."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.core.extras import needed_by
from hmgpu.core.files import digest_of
from hmgpu.core.threads import threads
from hmgpu.core.timm_models import from_file, from_folder, weights_digest
from hmgpu.data.vectors.encoder import Encoder, loading

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

HUB = ("hf-hub:", "timm/")
"""How a name of the Hugging Face hub may begin: timm's own way, and its models' names there."""
REMEDY = (
    "name a model of timm such as resnet50.a1_in1k, a folder with its config.json and weights, or a file of weights "
    "with --architecture"
)


class PictureEncoder(Encoder):
    """A model of timm, with the transforms of its own config."""

    def __init__(self, name: str, engine: Engine, architecture: str | None = None) -> None:
        """Load a model: its name, a folder with timm's config.json and weights, or a file of weights.

        Args:
            name: weights of a name are downloaded the first time, those of a path are on this machine.
            architecture: the model of timm that a file of weights belongs to.

        Raises ConfigError where the library is missing or the model can't be loaded.
        """
        with needed_by("hmgpu vectors pictures --model"):
            import timm
            import torch
        path = Path(name) if Path(name).exists() else None
        with loading(name, REMEDY, from_hub=path is None) as offline:
            if path is None:
                source = name if name.startswith("hf-hub:") else name.removeprefix("timm/")
                model = _from_hub(source, offline)
            elif path.is_dir():
                model = from_folder(path)
            else:
                model = from_file(path, architecture or "")
        data: Any = timm.data
        config = data.resolve_model_data_config(model)
        self._transform = data.create_transform(**config, is_training=False)
        self._model = model.eval().requires_grad_(False).to(engine.device, memory_format=torch.channels_last)
        self._device = engine.device
        self.label = path.resolve().name if path else name
        known = [architecture, config, timm.__version__, torch.__version__, engine.name, weights_digest(model)]
        self.digest = digest_of(json.loads(json.dumps(known, default=str)))

    def encode(self, inputs: "Sequence[str | Image]") -> "np.ndarray[Any, Any]":
        import torch

        with ThreadPoolExecutor(threads()) as pool:  # scaling a picture releases Python's lock
            pixels = torch.stack(list(pool.map(self._transform, inputs)))
        with torch.inference_mode():
            vectors: torch.Tensor = self._model(pixels.to(self._device, memory_format=torch.channels_last))
        return vectors.cpu().numpy()


def is_of_timm(name: str) -> bool:
    """Whether `name` is a model of timm, a folder with one, or a file of weights."""
    path = Path(name)
    if path.is_file() or name.startswith(HUB):
        return True
    if path.is_dir():
        with suppress(OSError, ValueError, AttributeError):
            return "architecture" in json.loads((path / "config.json").read_bytes())
        return False
    with needed_by("hmgpu vectors pictures --model"):
        import timm
    return timm.is_model(name.partition(".")[0])


def check_architecture(name: str, architecture: str | None) -> None:
    """Raise ConfigError unless an architecture is given for a file of weights, and for nothing else."""
    if Path(name).is_file() and architecture is None:
        raise ConfigError(
            f"--model {name} is a file of weights: say with --architecture which model of timm they belong to, such as "
            "--architecture resnet50."
        )
    if architecture is not None and not Path(name).is_file():
        raise ConfigError(
            f"--architecture belongs to a file of weights, and there is no file {name}: name one, or leave it out."
        )


def _from_hub(name: str, offline: bool) -> Any:
    import timm
    from huggingface_hub import constants

    before, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, offline or constants.HF_HUB_OFFLINE
    try:
        model: Any = timm.create_model(name, pretrained=True)
    finally:
        constants.HF_HUB_OFFLINE = before
    model.reset_classifier(0)
    return model
