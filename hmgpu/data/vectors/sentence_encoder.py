"""Encoders of texts, or of pictures and texts, from the library sentence-transformers (Reimers and Gurevych 2019)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hmgpu.core.engine import Engine
from hmgpu.core.errors import ConfigError
from hmgpu.core.extras import needed_by
from hmgpu.core.files import digest_of, hashes
from hmgpu.data.choices import VectorsOf
from hmgpu.data.vectors.encoder import Encoder, loading

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

TAKES: dict[VectorsOf, Literal["image", "text"]] = {"pictures": "image", "text": "text"}
"""The kind of input that a model must take, as the library calls it."""
EXAMPLES: dict[VectorsOf, str] = {
    "pictures": "resnet50.a1_in1k (timm) or clip-ViT-B-32 (sentence-transformers)",
    "text": "all-MiniLM-L6-v2",
}


class SentenceEncoder(Encoder):
    """A model of sentence-transformers, such as CLIP."""

    def __init__(self, name: str, of: VectorsOf, engine: Engine) -> None:
        """Load the model `name`: a folder, or a model of the Hugging Face hub, which is downloaded the first time.

        Raises ConfigError where the library is missing, the model can't be loaded, or it doesn't take such inputs.
        """
        with needed_by(f"hmgpu vectors {of} --model"):
            import sentence_transformers
        folder = Path(name) if Path(name).is_dir() else None
        remedy = f"name a model's folder, or one of the Hugging Face hub such as {EXAMPLES[of]}"
        with loading(name, remedy, from_hub=folder is None) as offline:
            # Never run code that comes with a model.
            self._model = sentence_transformers.SentenceTransformer(
                name, device=engine.device, trust_remote_code=False, local_files_only=offline
            )
        if not self._model.supports(TAKES[of]):
            raise ConfigError(f"--model {name} encodes no {of}: {remedy}.")
        self.label = folder.resolve().name if folder else name
        version = sentence_transformers.__version__
        # A folder's files are included.
        self.digest = digest_of([name, version, engine.name, hashes(folder) if folder else {}])

    def encode(self, inputs: "Sequence[str | Image]") -> "np.ndarray[Any, Any]":
        return self._model.encode(list(inputs), batch_size=len(inputs), show_progress_bar=False)
