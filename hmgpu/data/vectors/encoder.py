"""What encodes pictures or texts as vectors."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from hmgpu.core.errors import ConfigError
from hmgpu.core.reach import LIMIT, answers

if TYPE_CHECKING:
    from PIL.Image import Image


class Encoder(ABC):
    """A model that encodes pictures or texts as vectors, on the engine's device."""

    label: str
    """The model's name, without a path of this machine."""
    digest: str
    """Hash of everything but the inputs that determines the vectors."""

    @abstractmethod
    def encode(self, inputs: "Sequence[str | Image]") -> "np.ndarray[Any, Any]":
        """Encode `inputs` as (inputs, dimensions)."""

    def __call__(self, inputs: "Sequence[str | Image]") -> "np.ndarray[Any, np.dtype[np.float32]]":
        """Encode `inputs` as (inputs, dimensions) float32; raises ConfigError for a zero, NaN or infinite vector."""
        vectors = np.asarray(self.encode(inputs), dtype=np.float32)
        if not (np.isfinite(vectors).all() and vectors.any(axis=1).all()):
            raise ConfigError(f"--model {self.label} computed a vector of zeros, NaN or infinity: take another model.")
        return vectors


@contextmanager
def loading(name: str, remedy: str, from_hub: bool) -> Iterator[bool]:
    """Raise ConfigError where the block can't load the model `name`; yields whether it may not ask the hub.

    The libraries try for two minutes to reach a hub that doesn't answer before they use what they have.
    """
    offline = from_hub and not _hub_answers()
    try:
        yield offline
    except Exception as error:  # each library below raises its own types
        if offline:
            raise ConfigError(
                f"--model {name} was not downloaded before and the hub doesn't answer within {LIMIT} s: {remedy}."
            ) from error
        reason = (str(error) or type(error).__name__).strip().splitlines()[0].rstrip(".")
        raise ConfigError(f"--model {name} can't be loaded ({reason}): {remedy}.") from error


def _hub_answers() -> bool:
    from huggingface_hub import constants

    return not constants.HF_HUB_OFFLINE and answers(constants.ENDPOINT)
