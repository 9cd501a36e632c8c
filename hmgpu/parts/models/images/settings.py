"""Settings of the network that sees pictures; reading a config doesn't load torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hmgpu.parts.models.baskets.settings import TargetSettings
from hmgpu.parts.negative_sampler import NegativeSampler
from hmgpu.parts.part import Category, Count, build


class ImageSettings(TargetSettings):
    """The network that sees pictures, factors next to it, and how both are trained; see `retrievers/image_ete.py`."""

    model: Annotated[str, Field(min_length=1)] = "resnet50"
    """The network that sees the pictures: the name of an architecture of timm whose blocks follow each other, such as
    resnet50 or efficientnet_lite0; or a folder with timm's `config.json` and weights."""
    weights: Path | None = None
    """File with weights of the architecture that `model` names (`.safetensors` or `.pth`). null takes random ones, or
    those of the folder that `model` is: nothing is downloaded."""
    trained: Count = 1
    """Last blocks of the network that are trained. Those before them are frozen: they see each picture once, and what
    they say of it is kept on disk. More learns more of what counts here, takes more time, and the earlier a block, the
    larger what is kept."""
    pixels: Count | None = None
    """Side of the square pictures that the network sees; null: as it was made for. Half of it takes a quarter to a
    third of the time and of the disk."""
    loss: Literal["bpr", "bce"] = "bpr"
    """bpr: what was bought is to score above each negative (Rendle et al. 2009); bce: it is to be told from them by
    itself, by a weighted cross-entropy."""
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.8
    """With `loss: bce` the weight of what was bought; that of each negative is the rest to 1."""
    category: Category = "product_type"
    """What a category is, of which negatives are sampled: any code column of the articles."""
    same_category: Annotated[int, Field(ge=0)] = 2
    """Negatives for each purchase that are sampled from other articles of its category."""
    bought_by_others: Annotated[int, Field(ge=0)] = 2
    """Negatives for each customer and week that others bought on the customer's days, in the categories that the
    customer buys."""
    negatives: Count = 3
    """How many of these each purchase is compared with in a training step, sampled again in each."""
    unseen: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Share of articles in a training step whose own factors are left out, so that their pictures must do: as in
    serving for articles that training did not know."""
    dimensions: Count = 64
    """Length of the vectors of customers and articles."""
    batch: Count = 128
    """Purchases in each training step, on each device. The trained blocks see a picture for each of them and for each
    negative."""
    image_rate: Annotated[float, Field(gt=0)] = 1e-4
    """Step size for the trained blocks of the network; `learning_rate` is for the factors."""

    def idle(self) -> Mapping[str, str]:
        return {"alpha": "with loss: bce"} if self.loss == "bpr" else {}

    @model_validator(mode="after")
    def _something_is_sampled(self) -> Self:
        if not self.samplers:
            raise ValueError("same_category and bought_by_others are both 0, so that there are no negatives")
        return self

    @property
    def samplers(self) -> tuple[NegativeSampler, ...]:
        """The samplers of negatives that are asked for."""
        kinds = {"same_category": self.same_category, "bought_by_others": self.bought_by_others}
        return tuple(build(NegativeSampler, kind, {"n": n, "by": self.category}) for kind, n in kinds.items() if n)

    def needs(self) -> frozenset[str]:
        return frozenset({self.category})

    def needs_pictures(self) -> bool:
        return True

    def reads(self) -> tuple[Path, ...]:
        folder = Path(self.model)
        return (*([self.weights] if self.weights else []), *([folder] if folder.is_dir() else []))
