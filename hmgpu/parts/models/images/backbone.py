"""A network for pictures in two parts: blocks that stay as they are, and the last blocks, which are trained."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError, reason
from hmgpu.core.extras import needed_by
from hmgpu.core.files import digest_of
from hmgpu.core.timm_models import from_file, from_folder, untrained, weights_digest
from hmgpu.parts.models.images.settings import ImageSettings

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST = torch.finfo(torch.float16).max


class Backbone(nn.Module):
    """A network of timm, without its last layer, that is cut before its last blocks.

    Its statistics of batches stay as they are, also those of the trained blocks: so what it says of a picture doesn't
    depend on which others are in the batch.
    """

    def __init__(self, settings: ImageSettings, kind: str) -> None:
        """Load the network; raises ConfigError where that can't be done, or its blocks don't follow each other."""
        super().__init__()
        network = _loaded(settings, kind)
        import timm
        from timm.data import create_transform, resolve_model_data_config  # type: ignore[attr-defined]

        config: dict[str, Any] = resolve_model_data_config(network)  # type: ignore[no-untyped-call]
        if settings.pixels is not None:
            config["input_size"] = (config["input_size"][0], settings.pixels, settings.pixels)
        self.side: tuple[int, int] = config["input_size"][1:]
        self.transform = create_transform(**config, is_training=False)
        layers, sample = _layers(network), torch.zeros(1, *config["input_size"]).uniform_(-1, 1)
        with torch.no_grad():
            try:
                same = torch.equal(nn.Sequential(*layers)(sample), network(sample))
            except (RuntimeError, ValueError, TypeError, AssertionError):
                same = False
        if not same:
            raise ConfigError(
                f"{kind}.model: the blocks of {settings.model} don't follow each other, so it can't be cut before its "
                "last ones: name a convolutional network such as resnet50 or efficientnet_lite0."
            )
        starts = [place for place, layer in enumerate(layers) if _looks(layer)]
        if settings.trained >= len(starts):
            raise ConfigError(
                f"{kind}.trained: the blocks of {settings.model} are {len(starts)}, and the first stays frozen."
            )
        cut = starts[len(starts) - settings.trained]
        self.frozen, self.trained = nn.Sequential(*layers[:cut]), nn.Sequential(*layers[cut:])
        self.frozen.requires_grad_(False)
        self._made = [str(self.frozen), str(config), timm.__version__, torch.__version__]
        with torch.no_grad():
            maps = self.frozen(sample)
            self.width: int = self.trained(maps).shape[1]
            """How many features a picture has."""
        self.shape: tuple[int, ...] = tuple(maps.shape[1:])
        """Shape of a picture's feature maps."""

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return the features of pictures (rows, width) by their feature maps."""
        found: torch.Tensor = self.trained(maps)
        return found

    def train(self, mode: bool = True) -> "Backbone":
        """Stay in evaluation mode: see the class."""
        return super().train(False)

    def pixels_of(self, picture: "Image") -> torch.Tensor:
        """Return a picture as the network takes it: (channels, side, side)."""
        found: torch.Tensor = self.transform(picture)
        return found

    def maps_of(self, pixels: torch.Tensor, engine: Engine) -> torch.Tensor:
        """Return the feature maps of pictures (rows, channels, side, side) in half precision, on the CPU."""
        gpu = engine.name == "gpu"
        with torch.inference_mode(), torch.autocast(engine.device, torch.bfloat16, enabled=gpu):
            maps = self.frozen.to(engine.device)(pixels.to(engine.device))
        found: torch.Tensor = maps.float().clamp(-LARGEST, LARGEST).half().cpu()
        return found

    def digest(self, engine: Engine) -> str:
        """Hash all but the pictures that decides feature maps."""
        return digest_of([*self._made, engine.name, weights_digest(self.frozen)])


def _loaded(settings: ImageSettings, kind: str) -> Any:
    """Return the whole network, without its last layer, in evaluation mode."""
    with needed_by(kind):
        import timm  # noqa: F401 (what loads it says nothing of extras)
    folder = Path(settings.model)
    try:
        if settings.weights is not None:
            network = from_file(settings.weights, settings.model)
        elif folder.is_dir():
            network = from_folder(folder)
        else:
            network = untrained(settings.model)
    except Exception as error:  # timm and what it reads with raise their own types
        weights = f" with the weights in {settings.weights}" if settings.weights else ""
        raise ConfigError(
            f"{kind}.model: {settings.model}{weights} can't be loaded ({reason(error)}): name an architecture of timm, "
            "such as resnet50, with a file of its weights or without, or a folder with timm's config.json and weights."
        ) from error
    return network.eval()


def _layers(network: nn.Module) -> list[nn.Module]:
    """Return the layers of `network` in the order of its definition, those of sequences one by one."""
    found: list[nn.Module] = []
    for layer in network.children():
        found += _layers(layer) if type(layer) is nn.Sequential else [layer]
    return found


def _looks(layer: nn.Module) -> bool:
    """Whether `layer` begins a block: it has a convolution. Norms and activations belong to what is before them."""
    return any(isinstance(inner, nn.Conv2d) for inner in layer.modules())
