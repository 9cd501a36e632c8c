"""Word2vec in torch: a step by hand, what is predicted from what, and the loss of gensim after as many epochs."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from hmgpu.parts.models.factors import by_gensim, skip_gram
from hmgpu.parts.models.factors.skip_gram import Reading, Text

SETTINGS = Reading(
    dimensions=16,
    window=4,
    shrink=True,
    skip_gram=True,
    negatives=5,
    negative_power=0.75,
    learning_rate=0.05,
    support=1,
    epochs=5,
    seed=1,
)


@pytest.fixture(scope="module")
def sentences() -> pl.Series:
    """1500 sentences in 8 languages of 25 words each, some much more frequent than others."""
    draw = np.random.default_rng(3)
    lengths = 2 + draw.poisson(4, 1500)
    each = np.repeat(np.arange(1500), lengths)
    words = (draw.integers(0, 25, len(each)) * draw.random(len(each))).astype(int) * 8 + each % 8
    table = pl.DataFrame({"sentence": each, "word": words.astype(np.int32)})
    return table.group_by("sentence", maintain_order=True).agg("word")["word"]


def loss(sentences: pl.Series, keys: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> float:
    """Return the mean loss of a word predicted from a neighbour, with as many negatives as are to be expected.

    A neighbour counts as often as a window of random width reaches it.
    """
    places = dict(zip(keys.tolist(), range(len(keys)), strict=True))
    texts = [[places[word] for word in words] for words in sentences]
    shares = np.bincount([word for words in texts for word in words]) ** SETTINGS.negative_power
    right = np.logaddexp(0, -inputs @ outputs.T)
    wrong = SETTINGS.negatives * np.logaddexp(0, inputs @ outputs.T) @ (shares / shares.sum())
    total = weights = 0.0
    for away in range(1, SETTINGS.window + 1):
        one, other = np.array([pair for words in texts for pair in zip(words, words[away:], strict=False)]).T
        share = 1 - (away - 1) / SETTINGS.window
        total += share * float((right[one, other] + right[other, one] + wrong[one] + wrong[other]).sum())
        weights += share * 2 * len(one)
    return total / weights


def test_a_step_by_hand():
    """Word 0 at (1, 2) predicts word 1, at (1, 0); the negative is word 2, at (0, 1)."""
    inputs = torch.tensor([[1.0, 2.0], [0.0, 0.0], [0.0, 0.0]])
    outputs = torch.tensor([[5.0, 5.0], [1.0, 0.0], [0.0, 1.0]])
    skip_gram._step(inputs, outputs, torch.tensor([[0]]), torch.tensor([1]), torch.tensor([[2]]), 0.5)
    true, false = 0.5 * (1 - 1 / (1 + np.exp(-1))), 0.5 * (0 - 1 / (1 + np.exp(-2)))
    assert inputs[0].tolist() == pytest.approx([1 + true, 2 + false])
    expected = np.array([[5, 5], [1 + true, 2 * true], [false, 1 + 2 * false]])
    assert outputs.numpy() == pytest.approx(expected)


def test_a_negative_that_is_the_word_itself_teaches_nothing():
    inputs, outputs = torch.tensor([[1.0], [1.0]]), torch.zeros(2, 1)
    skip_gram._step(inputs, outputs, torch.tensor([[0]]), torch.tensor([1]), torch.tensor([[1, 1]]), 1.0)
    assert outputs.tolist() == [[0.0], [0.5]]


def test_a_bag_of_words_is_their_mean_and_each_of_them_learns():
    inputs, outputs = torch.tensor([[1.0], [3.0], [9.0]]), torch.tensor([[0.0], [0.0], [2.0]])
    skip_gram._step(inputs, outputs, torch.tensor([[0, 1, -1]]), torch.tensor([2]), torch.tensor([[2]]), 1.0)
    wrong = 1 - 1 / (1 + np.exp(-4))  # the mean 2 times 2
    assert inputs.flatten().tolist() == pytest.approx([1 + 2 * wrong, 3 + 2 * wrong, 9])


def test_words_of_a_window_predict_its_middle():
    """Two sentences, 10 11 12 and 20 21; the window of 12 reaches one word back, that of 21 none."""
    text = Text(*(torch.tensor(each) for each in ([10, 11, 12, 20, 21], [0, 1, 1, 0, 0], [2, 1, 0, 1, 0])))
    pairs = [(11, 10), (12, 10), (10, 11), (12, 11), (11, 12), (21, 20)]
    for size in (1, 4, 9):
        found = list(text.examples(size, skip_gram=True))
        assert [
            pair for _, near, middle in found for pair in zip(near[:, 0].tolist(), middle.tolist(), strict=True)
        ] == pairs
        assert [share for share, *_ in found] == [start / 6 for start in range(0, 6, size)]
    ((_, near, middle),) = text.examples(9, skip_gram=False)
    assert near.tolist() == [[11, 12], [10, 12], [11, -1], [21, -1]]
    assert middle.tolist() == [10, 11, 12, 20]


def test_windows_stay_in_their_sentence_and_frequent_words_are_left_out_at_times():
    words, each = np.array([0, 1] * 5000 + [2] * 3), np.arange(10_003) // 5
    text = skip_gram._text(words, each, np.bincount(words), SETTINGS, np.random.default_rng(1), "cpu")
    assert int((text.words == 2).sum()) == 3
    limit = skip_gram.FREQUENT * len(words) / 5000
    assert len(text.words) / len(words) == pytest.approx(np.sqrt(limit) + limit, rel=0.1)
    assert int((text.before + text.after).max()) <= 4
    assert int(text.before[0]) == int(text.after[-1]) == 0


@pytest.mark.parametrize("settings", [replace(SETTINGS, epochs=12), replace(SETTINGS, skip_gram=False, epochs=20)])
def test_the_loss_is_that_of_gensim_after_as_many_epochs(sentences, settings, monkeypatch):
    monkeypatch.setattr(skip_gram, "PER_EXAMPLE", 1)  # larger batches, which take a quarter of the time
    ours = loss(sentences, *skip_gram.read(sentences, settings, "cpu"))
    theirs = loss(sentences, *by_gensim.read(sentences, settings))
    assert ours == pytest.approx(theirs, rel=0.01)
    untaught = (1 + SETTINGS.negatives) * np.log(2)
    assert ours < 0.5 * untaught


def test_the_seed_alone_decides_the_bytes(sentences):
    few = sentences.head(300)
    first, again = (skip_gram.read(few, SETTINGS, "cpu")[1] for _ in range(2))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != skip_gram.read(few, replace(SETTINGS, seed=2), "cpu")[1].tobytes()


@pytest.mark.parametrize("read", [by_gensim.read, skip_gram.read])
def test_words_without_support_have_no_vector(read):
    sentences = pl.Series([[7, 9], [9, 7], [9, 4]], dtype=pl.List(pl.Int32))
    keys, vectors, _ = read(sentences, replace(SETTINGS, support=2), "cpu")
    assert sorted(keys.tolist()) == [7, 9]
    assert vectors.shape == (2, 16)
    for nothing, support in ((sentences, 9), (sentences.head(0), 1)):
        keys, *vectors = read(nothing, replace(SETTINGS, support=support), "cpu")
        assert keys.tolist() == []
        assert [each.shape for each in vectors] == [(0, 16)] * 2


@pytest.mark.gpu
def test_a_gpu_fits_the_same_each_time(sentences, gpu):
    first, again = (skip_gram.read(sentences, SETTINGS, gpu.device) for _ in range(2))
    assert [each.tobytes() for each in first] == [each.tobytes() for each in again]
    ours = skip_gram.read(sentences, SETTINGS, "cpu")
    assert loss(sentences, *first) == pytest.approx(loss(sentences, *ours), rel=0.01)
