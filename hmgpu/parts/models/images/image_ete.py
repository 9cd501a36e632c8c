"""The network that sees the articles' pictures: its last blocks are trained together with factors.

Elsayed, Brinkmeyer & Schmidt-Thieme 2022 ("End-to-End Image-Based Fashion Recommendation"). An article's vector is the
sum of its own factors and of what a layer makes of its picture's features. A customer is not known by factors of their
own, as there, but by those of the articles that they bought: so one who is new has a vector as well, and what they
bought last week counts.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import polars as pl
import torch
from torch import nn
from torch.nn import functional

from hmgpu.core.vectors import quantised, shortened
from hmgpu.data.store import History
from hmgpu.parts.models.baskets.basket_vectors import BasketNetwork
from hmgpu.parts.models.images.backbone import Backbone
from hmgpu.parts.models.images.feature_maps import FeatureMaps, Picture, feature_maps, picture
from hmgpu.parts.models.images.sampled import NEGATIVES, write_sampled
from hmgpu.parts.models.images.settings import ImageSettings
from hmgpu.parts.models.training.batches import OFFSETS, TARGET, VALUES, Inputs
from hmgpu.parts.part import PartContext

SMALL = 0.1  # standard deviation of factors at the start
AT_ONCE = 64  # pictures whose features are computed at once outside of training, always as many
MEASURED = 2048  # pictures by whose features all are scaled


class ImageETE(BasketNetwork):
    """The network. It looks at feature maps, which lie on disk (see `feature_maps.py`)."""

    settings: ImageSettings
    mean: torch.Tensor
    spread: torch.Tensor
    maps: FeatureMaps
    pictures: list[Picture | None]
    """Of the articles that it knows, in the order of their places."""

    def __init__(self, articles: int, settings: ImageSettings) -> None:
        # First: random weights, and so what is kept of pictures, must not depend on the number of articles.
        backbone = Backbone(settings, settings.kind)
        super().__init__(articles, settings)
        self.constant = nn.Parameter(torch.zeros(settings.dimensions))
        self.articles = nn.Embedding(articles, settings.dimensions)
        self.backbone = backbone
        self.seen = nn.Linear(self.backbone.width, settings.dimensions)
        for name, value in (("mean", 0.0), ("spread", 1.0)):
            self.register_buffer(name, torch.full((self.backbone.width,), value))
        for table in (self.bought, self.articles):
            nn.init.normal_(table.weight, std=SMALL)

    @staticmethod
    def width(settings: ImageSettings) -> int:
        return settings.dimensions

    def parameter_groups(self) -> list[dict[str, object]]:
        """Return what is trained, for the optimiser: the blocks take smaller steps, as what is trained already."""
        blocks = list(self.backbone.trained.parameters())
        known = {id(each) for each in [*blocks, *self.backbone.frozen.parameters()]}
        others = [each for each in self.parameters() if id(each) not in known]
        return [{"params": others}, {"params": blocks, "lr": self.settings.image_rate}]

    def write(self, past: History, articles: pl.DataFrame, context: PartContext, folder: Path) -> list[Path]:
        files = write_sampled(past, articles, self.settings, self.settings.samplers, context, folder)
        if files:
            self.maps, self.pictures = self._look(past, articles, context)
            self.to(context.engine.device)
            self._scale()
        return files

    def customers(self, inputs: Inputs) -> torch.Tensor:
        return functional.normalize(self._customers(inputs), dim=1)

    def items(self) -> torch.Tensor:
        return _centred(
            self._vectors(self.articles.weight, self.pictures, partial(_in_batches, partial(self._features, self.maps)))
        )

    def article_vectors(self, articles: pl.DataFrame, history: History, context: PartContext) -> pl.DataFrame:
        """Return the vectors of all articles that it knows or that have a picture."""
        if articles.is_empty():
            return quantised(torch.empty(0), torch.empty(0, self.settings.dimensions), "article")
        places = history.articles.select("article").join(articles.lazy(), on="article", how="left")
        every = context.engine.collect(places.sort("article"))
        maps, pictures = self._look(history, every, context)
        told = every["place"].is_not_null() | pl.Series([each is not None for each in pictures], dtype=pl.Boolean)
        every, pictures = every.filter(told), [each for each, is_told in zip(pictures, told, strict=True) if is_told]
        self.to(context.engine.device).eval()
        with torch.inference_mode():
            place = torch.from_numpy(every["place"].fill_null(0).to_numpy().copy()).to(self.constant.device)
            known = torch.from_numpy(every["place"].is_not_null().to_numpy().copy()).to(self.constant.device)
            factors = self.articles(place) * known[:, None]
            vectors = _centred(self._vectors(factors, pictures, partial(_in_batches, partial(self._features, maps))))
        return quantised(torch.from_numpy(every["article"].to_numpy().copy()), vectors, "article")

    def losses(self, inputs: Inputs, others: torch.Tensor) -> torch.Tensor:
        """Return the loss of each purchase next to the articles `others` (rows, negatives)."""
        customers = self._customers(inputs)
        compared = torch.cat([inputs[TARGET][:, None], others], dim=1).long()
        places, which = torch.unique(compared, return_inverse=True)
        pictures = [self.pictures[place] for place in places.tolist()]
        factors = self.articles(places)
        if self.training:
            factors = factors * (torch.rand(len(places), 1, device=factors.device) >= self.settings.unseen)
        items = self._vectors(factors, pictures, partial(self._features, self.maps))
        with torch.autocast(customers.device.type, enabled=False):  # in bfloat16 many articles would have one logit
            logits = (customers.float()[:, None] * items[which]).sum(2)
        own, other = logits[:, :1], logits[:, 1:]
        if self.settings.loss == "bpr":
            return functional.softplus(other - own).mean(1)
        alpha = self.settings.alpha
        return alpha * functional.softplus(-own[:, 0]) + (1 - alpha) * functional.softplus(other).sum(1)

    def loss(self, batch: tuple[Inputs, None]) -> tuple[torch.Tensor, int]:
        """Return the mean loss of a batch of purchases, each next to some of its negatives, and their number."""
        inputs = batch[0]
        offsets = inputs[NEGATIVES + OFFSETS]
        sizes = offsets.diff()[:, None]
        drawn = torch.rand(len(sizes), self.settings.negatives, device=offsets.device, dtype=torch.float64)
        others = inputs[NEGATIVES + VALUES][offsets[:-1, None] + (drawn * sizes).long()]
        found = self.losses(inputs, others)
        return found.mean(), len(found)

    def _customers(self, inputs: Inputs) -> torch.Tensor:
        return self.basket(inputs) + self.constant

    def _raw(self, maps: FeatureMaps, pictures: Sequence[Picture]) -> torch.Tensor:
        """Return what the blocks say of pictures: (pictures, width)."""
        found: torch.Tensor = self.backbone(maps.read(pictures).to(self.constant.device).float())
        return found.float()

    def _features(self, maps: FeatureMaps, pictures: Sequence[Picture]) -> torch.Tensor:
        """Return what pictures add to the vectors of their articles: (pictures, dimensions)."""
        found: torch.Tensor = self.seen((self._raw(maps, pictures) - self.mean) / self.spread)
        return found.float()

    def _vectors(
        self,
        factors: torch.Tensor,
        pictures: Sequence[Picture | None],
        features: Callable[[list[Picture]], torch.Tensor],
    ) -> torch.Tensor:
        """Add to the `factors` of articles the `features` of the pictures of those that have one."""
        there = [row for row, each in enumerate(pictures) if each is not None]
        if not there:
            return factors.float()
        seen = features([each for each in pictures if each is not None])
        return factors.float().index_add(0, torch.tensor(there, device=factors.device), seen)

    def _look(
        self, history: History, articles: pl.DataFrame, context: PartContext
    ) -> tuple[FeatureMaps, list[Picture | None]]:
        """Return the feature maps of the pictures of `articles` (article, …), and the pictures in their order."""
        assert context.cache is not None
        wanted = articles.lazy().select("article")
        ids = context.engine.collect(
            history.articles.select("article", "article_id").join(wanted, on="article", how="semi")
        )
        files = history.picture_files(dict(ids.drop_nulls().sort("article").iter_rows()))
        maps = feature_maps(list(files.values()), self.backbone, context.cache, context.engine)
        known = {article: picture(file) for article, file in files.items()}
        pictures = [known.get(article) for article in articles["article"]]
        return maps, [each if each in maps.places else None for each in pictures]

    def _scale(self) -> None:
        """Scale features to a mean of 0 and a deviation of 1 over the pictures of the articles that it knows."""
        there = [each for each in self.pictures if each is not None]
        some = there[:: max(1, len(there) // MEASURED)]
        if some:
            with torch.inference_mode():
                features = _in_batches(partial(self._raw, self.maps), some)
            self.mean.copy_(features.mean(0))
            self.spread.copy_(features.std(0, correction=0).clamp(min=1e-3))


def _in_batches(features: Callable[[list[Picture]], torch.Tensor], pictures: list[Picture]) -> torch.Tensor:
    """Return the `features` of any number of pictures, which are computed so many at a time: see `AT_ONCE`."""
    filled = pictures + pictures[-1:] * (-len(pictures) % AT_ONCE)
    some = (filled[start : start + AT_ONCE] for start in range(0, len(filled), AT_ONCE))
    return torch.cat([features(few) for few in some])[: len(pictures)]


def _centred(vectors: torch.Tensor) -> torch.Tensor:
    """Return `vectors` without what all have in common, which orders nothing; the longest has length 1."""
    return shortened(vectors - vectors.mean(0)) if len(vectors) else vectors
