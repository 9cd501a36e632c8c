"""Load the encoder that a name, a folder or a file stands for, from the library that knows it."""

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.data.choices import VectorsOf
from hmgpu.data.vectors.encoder import Encoder
from hmgpu.data.vectors.picture_encoder import PictureEncoder, check_architecture, is_of_timm
from hmgpu.data.vectors.sentence_encoder import SentenceEncoder


def load_encoder(name: str, of: VectorsOf, engine: Engine, architecture: str | None = None) -> Encoder:
    """Load a model of timm for pictures, or one of sentence-transformers for pictures or texts.

    Args:
        name: a model's name, a folder with its config and weights, or, for pictures, a file of weights.
        architecture: the model of timm that a file of weights belongs to.

    Raises ConfigError where the library is missing, the model can't be loaded, or it doesn't take such inputs.
    """
    if of == "text":
        if architecture is not None:
            raise ConfigError("--architecture belongs to a file of weights for pictures: leave it out.")
        return SentenceEncoder(name, of, engine)
    check_architecture(name, architecture)
    return PictureEncoder(name, engine, architecture) if is_of_timm(name) else SentenceEncoder(name, of, engine)
