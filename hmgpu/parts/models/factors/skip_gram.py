"""Word2vec with negative samples in torch: one code for CPU and GPU, for skip-gram and for bags of words (cbow).

Mikolov et al. 2013 ("Distributed representations of words and phrases and their compositionality"). What is sampled and
how far a step goes is as in the library gensim (`by_gensim`), which takes one word after the other; here a batch takes
its steps together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import torch

from hmgpu.parts.models.factors.row_sums import add_rows

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
LARGEST = 4096  # examples in a batch
PER_EXAMPLE = 4  # words for each example in a batch: with fewer words, steps that don't know of each other go too far
FREQUENT = 1e-3  # share of all words from which on a word is left out at times, as in gensim
JOB = 10_000  # words that are read before the learning rate falls, as in gensim: it matters in a short text
LAST_RATE = 1e-4  # the learning rate at the end


@dataclass(frozen=True)
class Reading:
    """Settings of `hmgpu.parts.retrievers.word2vec`."""

    dimensions: int
    window: int
    shrink: bool
    """Whether a word's window has a random width of at most `window`."""
    skip_gram: bool
    negatives: int
    negative_power: float
    learning_rate: float
    support: int
    epochs: int
    seed: int


@dataclass(frozen=True)
class Text:
    """The words of an epoch on the device, one sentence after the other, and how far each one's window reaches."""

    words: torch.Tensor
    before: torch.Tensor
    after: torch.Tensor

    def examples(self, size: int, skip_gram: bool) -> Iterator[tuple[float, torch.Tensor, torch.Tensor]]:
        """Yield batches: the share of the text before them, the words to predict from, the words to predict.

        With `skip_gram` each word of a window predicts the one in its middle, else all of them together do. So the
        first are (size, 1) or (size, widest window), with -1 where a window is narrower, and the others (size,).
        """
        around = self.before + self.after
        ends = around.cumsum(0) if skip_gram else (around > 0).cumsum(0)
        count = int(ends[-1]) if len(ends) else 0
        widest = 1 if skip_gram or not count else int(around.max())
        for start in range(0, count, size):
            each = torch.arange(start, min(start + size, count), device=ends.device)
            middle = torch.searchsorted(ends, each, right=True)
            place = torch.arange(widest, device=ends.device)[None]
            if skip_gram:
                place = (each - ends[middle] + around[middle])[:, None]
            # A word is not in its own window.
            near = middle[:, None] - self.before[middle, None] + place + (place >= self.before[middle, None])
            found = self.words[near.clamp(max=len(self.words) - 1)]
            yield start / count, torch.where(place < around[middle, None], found, -1), self.words[middle]


def read(sentences: pl.Series, settings: Reading, device: str) -> tuple[Ints, Floats, Floats]:
    """Return the words with enough support, int32, and two vectors of each, both (words, dimensions) float32.

    The first are those that others are predicted from, the second those by which a word is itself predicted.

    Args:
        sentences: lists of words int32.
        settings: of the fit.
        device: as torch spells it; the same words and negatives are sampled on each.
    """
    text = pl.DataFrame({"word": sentences}).with_row_index("sentence").explode("word")
    known = text["word"].value_counts().filter(pl.col("count") >= settings.support).sort("word").with_row_index("place")
    if known.is_empty():
        none = np.empty((0, settings.dimensions), dtype=np.float32)
        return np.empty(0, dtype=np.int32), none, none
    found = text.join(known, on="word", maintain_order="left")
    inputs, outputs = _fitted(found["place"].to_numpy(), found["sentence"].to_numpy(), settings, device)
    return known["word"].to_numpy(), inputs.cpu().numpy(), outputs.cpu().numpy()


def _fitted(
    words: npt.NDArray[Any], sentences: npt.NDArray[Any], settings: Reading, device: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """Fit both vectors of all numbers from 0 to the largest of `words`.

    Args:
        words: (n,) one sentence after the other.
        sentences: (n,) number of each word's sentence, ascending.
        settings: of the fit.
        device: as torch spells it.
    """
    draw = np.random.default_rng(settings.seed)
    counts = np.bincount(words)
    shape = (len(counts), settings.dimensions)
    inputs = torch.from_numpy((draw.random(shape, dtype=np.float32) * 2 - 1) / settings.dimensions).to(device)
    outputs = torch.zeros_like(inputs)
    shares = (counts**settings.negative_power).cumsum()
    often = torch.from_numpy(shares / shares[-1]).to(device)
    size = min(LARGEST, max(1, len(counts) // PER_EXAMPLE))
    for epoch in range(settings.epochs):
        text = _text(words, sentences, counts, settings, draw, device)
        for read, near, middle in text.examples(size, settings.skip_gram):
            passed = (epoch + read * len(words) // JOB * JOB / len(words)) / settings.epochs
            rate = settings.learning_rate + passed * (LAST_RATE - settings.learning_rate)
            asked = torch.from_numpy(draw.random((len(middle), settings.negatives))).to(device)
            _step(inputs, outputs, near, middle, torch.searchsorted(often, asked), rate)
    return inputs, outputs


def _text(
    words: npt.NDArray[Any],
    sentences: npt.NDArray[Any],
    counts: npt.NDArray[Any],
    settings: Reading,
    draw: np.random.Generator,
    device: str,
) -> Text:
    """Sample the words of an epoch, frequent ones less often, and the widths of their windows."""
    limit = FREQUENT * len(words)
    kept = draw.random(len(words)) < ((np.sqrt(counts / limit) + 1) * limit / counts)[words]
    words, sentences = words[kept], sentences[kept]
    width = settings.window - (draw.integers(settings.window, size=len(words)) if settings.shrink else 0)
    places = np.arange(len(words))
    before = np.minimum(width, places - np.searchsorted(sentences, sentences))
    after = np.minimum(width, np.searchsorted(sentences, sentences, side="right") - 1 - places)
    return Text(*(torch.from_numpy(each.astype(np.int64)).to(device) for each in (words, before, after)))


def _step(
    inputs: torch.Tensor,
    outputs: torch.Tensor,
    near: torch.Tensor,
    middle: torch.Tensor,
    negatives: torch.Tensor,
    rate: float,
) -> None:
    """Take the steps of a batch, each from where all of them start."""
    there = near >= 0
    known = (inputs[near.clamp(min=0)] * there[:, :, None]).sum(1) / there.sum(1, keepdim=True)
    asked = torch.cat([middle[:, None], negatives], dim=1)
    vectors = outputs[asked]
    wrong = -torch.sigmoid((vectors @ known[:, :, None])[:, :, 0])
    wrong[:, 0] += 1
    wrong[:, 1:] *= negatives != middle[:, None]
    away = rate * (wrong[:, None, :] @ vectors)
    add_rows(outputs, asked.flatten(), (rate * wrong[:, :, None] * known[:, None, :]).flatten(0, 1))
    add_rows(inputs, near[there], away.expand(-1, near.shape[1], -1)[there])
