"""Sentence and image encoders from the library sentence-transformers (Reimers and Gurevych 2019)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.core.extras import needed_by
from hmgpu.core.files import digest_of, hashes
from hmgpu.core.reach import LIMIT, answers
from hmgpu.data.choices import VectorsOf

if TYPE_CHECKING:
    from PIL.Image import Image

TAKES: dict[VectorsOf, Literal["image", "text"]] = {"pictures": "image", "text": "text"}
"""The kind of input that a model must take, as the library calls it."""
EXAMPLES: dict[VectorsOf, str] = {"pictures": "clip-ViT-B-32", "text": "all-MiniLM-L6-v2"}


class Encoder:
    """A model that encodes pictures or texts as vectors, on the engine's device."""

    def __init__(self, name: str, of: VectorsOf, engine: Engine) -> None:
        """Load the model `name`: a folder, or a model of the Hugging Face hub, which is downloaded the first time.

        Raises ConfigError where the library is missing, the model can't be loaded, or it doesn't take such inputs.
        """
        with needed_by(f"hmgpu vectors {of} --model"):
            import sentence_transformers
        folder = Path(name) if Path(name).is_dir() else None
        example = f"name a model's folder, or one of the Hugging Face hub such as {EXAMPLES[of]}"
        offline = folder is None and not _hub_answers()
        try:
            # Never run code that comes with a model.
            self._model = sentence_transformers.SentenceTransformer(
                name, device=engine.device, trust_remote_code=False, local_files_only=offline
            )
        except Exception as error:  # each library below raises its own types
            if offline:
                raise ConfigError(
                    f"--model {name} was not downloaded before and the hub doesn't answer within {LIMIT} s: {example}."
                ) from error
            reason = (str(error) or type(error).__name__).strip().splitlines()[0].rstrip(".")
            raise ConfigError(f"--model {name} can't be loaded ({reason}): {example}.") from error
        if not self._model.supports(TAKES[of]):
            raise ConfigError(f"--model {name} encodes no {of}: {example}.")
        self.label = folder.resolve().name if folder else name
        """The model's name, without a path of this machine."""
        version = sentence_transformers.__version__
        self.digest = digest_of([name, version, engine.name, hashes(folder) if folder else {}])
        """Hash of everything but the inputs that determines the vectors; a folder's files are included."""

    def __call__(self, inputs: "Sequence[str | Image]") -> "np.ndarray[Any, np.dtype[np.float32]]":
        """Encode `inputs` as (inputs, dimensions) float32; raises ConfigError for a zero, NaN or infinite vector."""
        encoded = self._model.encode(list(inputs), batch_size=len(inputs), show_progress_bar=False)
        vectors = np.asarray(encoded, dtype=np.float32)
        if not (np.isfinite(vectors).all() and vectors.any(axis=1).all()):
            raise ConfigError(f"--model {self.label} computed a vector of zeros, NaN or infinity: take another model.")
        return vectors


def _hub_answers() -> bool:
    """Whether the hub may be asked and answers: the library tries for two minutes before it uses what it has."""
    from huggingface_hub import constants

    return not constants.HF_HUB_OFFLINE and answers(constants.ENDPOINT)
