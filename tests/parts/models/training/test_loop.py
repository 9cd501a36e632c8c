"""The training loop keeps the best pass, resumes a killed training to the same weights, and follows the seed."""

import copy
import os
import pickle
from functools import partial

import numpy as np
import pytest
import torch

from hmgpu.core.engine import Engine
from hmgpu.core.errors import RunError
from hmgpu.parts.models.training import loop as training
from hmgpu.parts.models.training.loop import fit
from hmgpu.parts.models.training.settings import Training

CPU = Engine("cpu", "tests")
ROWS = torch.randn(96, 5, generator=torch.Generator().manual_seed(3))
TRUTH = torch.tensor([1.0, -2.0, 0.5, 0.0, 3.0])


class Line(torch.nn.Module):
    """The model y = x · w, with dropout, so that the loop's generators matter."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = torch.nn.Parameter(torch.zeros(5))

    def loss(self, rows):
        kept = torch.nn.functional.dropout(rows, 0.2, self.training)
        return ((kept @ self.weights - rows @ TRUTH) ** 2).mean(), len(rows)


def shuffled(rank: int, processes: int):
    """Yield batches in a new order each pass, from the generator that the loop seeds."""
    for chosen in np.array_split(np.random.permutation(len(ROWS))[rank::processes], 6 // processes):
        yield ROWS[chosen]


class Batches:
    """A new shuffle for each pass."""

    def __init__(self, rank: int, processes: int) -> None:
        self.rank, self.processes = rank, processes

    def __iter__(self):
        return shuffled(self.rank, self.processes)


def fitness(model) -> float:
    return -float((model.weights.detach() - TRUTH).square().sum())


def fitted(folder, score=fitness, batches=Batches, seed=1, **settings):
    model = Line()
    found = fit(model, batches, score, Training(**{"epochs": 5, "learning_rate": 0.1} | settings), CPU, seed, folder)
    return model.weights.detach().tolist(), found


def trained(folder, **given):
    weights, found = fitted(folder, **given)
    return weights, found.score


def test_it_learns_and_returns_the_score_of_what_it_kept(tmp_path):
    weights, best = trained(tmp_path, epochs=30)
    assert best > fitness(Line()) / 10
    assert best == pytest.approx(-sum((w - t) ** 2 for w, t in zip(weights, TRUTH.tolist(), strict=True)))


def test_the_same_seed_gives_the_same_weights_and_another_does_not(tmp_path):
    runs = [trained(tmp_path / str(number), seed=seed)[0] for number, seed in enumerate((1, 1, 2))]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path):
    passes = []

    def dies_in_the_third(model) -> float:
        passes.append(1)
        if len(passes) == 3:
            raise KeyError("killed")
        return fitness(model)

    with pytest.raises(KeyError):
        trained(tmp_path / "killed", score=dies_in_the_third)
    resumed = []

    def counting(model) -> float:
        resumed.append(1)
        return fitness(model)

    assert fitted(tmp_path / "killed", score=counting) == fitted(tmp_path / "whole")
    assert len(resumed) == 3 + 1  # passes 3, 4 and 5, and the pass that was kept


def in_mixed_precision(monkeypatch) -> None:
    """Let training on the CPU have the precision that it has on a GPU."""
    real = training.lightning.Trainer
    monkeypatch.setattr(training.lightning, "Trainer", lambda **given: real(**given | {"precision": "bf16-mixed"}))


def test_it_learns_in_the_precision_of_a_gpu(tmp_path, monkeypatch):
    """Lightning refuses to clip the gradients of a fused optimiser there."""
    in_mixed_precision(monkeypatch)
    _, best = trained(tmp_path, epochs=30)
    assert best > fitness(Line()) / 10


@pytest.mark.parametrize("mixed", [False, True])
def test_gradients_are_clipped(mixed, tmp_path, monkeypatch):
    """One step of plain descent with a gradient far longer than the limit is as long as the limit."""
    if mixed:
        in_mixed_precision(monkeypatch)
    monkeypatch.setattr(
        training.ModelInTraining, "configure_optimizers", lambda self: torch.optim.SGD(self.parameters(), lr=1.0)
    )
    weights, _ = trained(tmp_path, epochs=1, batches=lambda *_: [ROWS * 100])
    assert torch.tensor(weights).norm().item() == pytest.approx(training.CLIP, rel=1e-3)


class Payload:
    def __init__(self, marker) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("content", ["an object", "a bare pickle"])
def test_a_checkpoint_that_is_a_pickle_is_refused_unread(content, tmp_path):
    payload, checkpoint = Payload(tmp_path / "ran"), tmp_path / "last.ckpt"
    checkpoint.write_bytes(pickle.dumps(payload)) if content.startswith("a bare") else torch.save(payload, checkpoint)
    with pytest.raises(RunError, match=r"last\.ckpt can't be read \(.*\): remove it, and training starts again\.$"):
        trained(tmp_path)
    assert not (tmp_path / "ran").exists()


def test_it_stops_when_the_score_gets_no_better_and_keeps_the_best_pass(tmp_path):
    seen = []

    def peaks_in_the_second(model) -> float:
        seen.append(copy.deepcopy(model.weights.detach().tolist()))
        return {1: 0.1, 2: 0.9}.get(len(seen), 0.5)

    weights, found = fitted(tmp_path, score=peaks_in_the_second, epochs=50, patience=2)
    assert len(seen) == 4 + 1
    assert weights == seen[1]
    losses, scores = zip(*found.curve, strict=True)
    assert scores == (0.1, 0.9, 0.5, 0.5)
    assert losses[-1] < losses[0]


def test_what_stopped_does_not_go_on(tmp_path):
    """Killed after it stopped, before its weights were saved: another pass might be better, and would be kept."""
    scores = iter([0.1, 0.9, 0.5, 0.5, 0.9])
    weights, _ = trained(tmp_path, score=lambda _: next(scores), epochs=50, patience=2)
    again = []

    def rising(model) -> float:
        again.append(1)
        return 2.0 + len(again)

    assert trained(tmp_path, score=rising, epochs=50, patience=2)[0] == weights
    assert again == [1]  # of the weights that were kept


def test_without_a_score_all_passes_are_trained_and_the_last_is_kept(tmp_path):
    settings = Training(epochs=4, patience=1, learning_rate=0.1)
    model, fourth = Line(), []

    def seen(model) -> float:
        fourth.append(model.weights.detach().tolist())
        return float(len(fourth))

    assert fit(model, Batches, None, settings, CPU, 1, tmp_path / "without")[:2] == (4, None)
    trained(tmp_path / "with", score=seen, epochs=4)
    assert model.weights.detach().tolist() == fourth[3]
    assert fit(Line(), Batches, None, settings, CPU, 1, tmp_path / "without")[:2] == (
        4,
        None,
    )  # resumed, and so at once


def test_gradients_of_several_batches_can_move_the_weights_together(tmp_path):
    """Without shuffling and dropout, two accumulated half batches move the weights as a whole one does."""

    class Plain(Line):
        def loss(self, rows):
            return ((rows @ self.weights - rows @ TRUTH) ** 2).mean(), len(rows)

    def halves(rank, processes, size):
        return list(ROWS.split(size))

    found = []
    for size, accumulate in ((32, 1), (16, 2)):
        model = Plain()
        settings = Training(epochs=3, learning_rate=0.1, accumulate=accumulate)
        fit(model, partial(halves, size=size), fitness, settings, CPU, 1, tmp_path / str(size))
        found.append(model.weights.detach())
    assert torch.allclose(found[0], found[1], atol=1e-5)


def test_two_processes_train_together(tmp_path):
    """Through Lightning's launcher, as two GPUs would; each process sees half of the rows."""
    weights, best = trained(tmp_path, epochs=12, devices=2)
    assert best > fitness(Line()) / 2
    assert all(np.isfinite(weights))
