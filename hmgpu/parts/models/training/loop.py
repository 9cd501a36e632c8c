"""The training loop of all torch models: Lightning, with early stopping, checkpoints to resume from, and seeds."""

import logging
import pickle
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from hmgpu.core.engine import Engine
from hmgpu.core.errors import RunError, reason
from hmgpu.core.progress import tracked
from hmgpu.core.words import counted
from hmgpu.parts.models.training import load_lightning  # noqa: F401  (what it loads is lighter)
from hmgpu.parts.models.training.settings import Training
from hmgpu.parts.models.training.thread_count import threads_worth, use_threads_for

import pytorch_lightning as lightning  # isort: skip  (by load_lightning first)
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint  # isort: skip

log = logging.getLogger(__name__)
logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)  # it logs hints and advertisements; errors are raised

Batches = Callable[[int, int], Iterable[Any]]
"""A function that returns one process's batches of examples, given its number and the number of processes."""
Score = Callable[[torch.nn.Module], float]
"""How good a model is; higher is better."""
SCORE, CURVE, WORTH = "score", "curve", "threads_worth"
CLIP = 1.0  # the most that the norm of all gradients may be


class ModelInTraining(lightning.LightningModule):
    """A torch model while it is fitted: its loss on a batch, and its score after each pass."""

    def __init__(self, model: torch.nn.Module, score: Score | None, settings: Training, seed: int) -> None:
        super().__init__()
        self.model, self.score, self.settings, self.seed = model, score, settings, seed
        self.rows, self.losses, self.started = 0, list[torch.Tensor](), 0.0
        self.worth: int | None = None  # threads that a batch is worth; None until the first one, and on a GPU
        self.curve = list[tuple[float, float | None]]()
        self.passed = 0  # Lightning's own count is one too low when a resumed training asks for its first batch

    def on_train_epoch_start(self) -> None:
        torch.manual_seed(self.pass_seed())
        use_threads_for(self.worth)
        if self.passed and hasattr(self.model, "between_passes"):
            self.model.between_passes()  # type: ignore[operator]
        self.rows, self.losses, self.started = 0, [], time.perf_counter()

    def pass_seed(self) -> int:
        """Return a seed for this pass, so that a resumed training samples the same as an uninterrupted one."""
        return (self.seed + 7919 * self.passed + 104_729 * self.global_rank) % 2**32

    def training_step(self, batch: Any, _: int) -> torch.Tensor:
        loss: torch.Tensor
        if self.worth is None and self.device.type == "cpu":
            self.worth, (loss, rows) = threads_worth(self.model, batch)
            log.info("trained by %s", counted(use_threads_for(self.worth), "thread"))
        else:
            loss, rows = self.model.loss(batch)  # type: ignore[operator]
        self.rows += rows
        self.losses.append(loss.detach())
        return loss

    def on_train_epoch_end(self) -> None:
        seconds = time.perf_counter() - self.started
        self.passed += 1
        score = float(self.passed)  # without a score each pass counts as better than the one before
        if self.score is not None:
            use_threads_for(None)
            self.model.eval()
            with torch.no_grad():
                score = self.score(self.model)
            self.model.train()
        # As a tensor on the CPU: it is the same in all processes, so that all of them stop together.
        self.log(SCORE, torch.tensor(score, dtype=torch.float32), sync_dist=True)
        loss = torch.stack(self.losses).mean().item()
        self.curve.append((loss, None if self.score is None else score))
        speed = self.rows * self.trainer.world_size / seconds
        log.debug("epoch %d: loss %.4f, score %.5f, %.0f rows/s", self.current_epoch + 1, loss, score, speed)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint[WORTH], checkpoint[CURVE] = self.worth, [list(each) for each in self.curve]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.worth, self.curve = checkpoint[WORTH], [(loss, score) for loss, score in checkpoint[CURVE]]

    def configure_gradient_clipping(self, optimizer: Any, *_: Any, **__: Any) -> None:
        """Clip without Lightning, which refuses a fused optimiser in mixed precision; bfloat16 scales no gradient."""
        torch.nn.utils.clip_grad_norm_((p for group in optimizer.param_groups for p in group["params"]), CLIP)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        decay, model = self.settings.weight_decay, self.model
        groups = model.parameter_groups() if hasattr(model, "parameter_groups") else self.parameters()  # type: ignore[operator]
        return torch.optim.AdamW(groups, lr=self.settings.learning_rate, weight_decay=decay, fused=True)


class Fitted(NamedTuple):
    """What is known of a model after it was trained."""

    passes: int
    """Passes over the examples after which its weights were kept."""
    score: float | None
    """Its score, None where it was trained without one."""
    curve: Sequence[tuple[float, float | None]] = ()
    """The mean loss and the score after each pass, those after the kept one included."""


class _Seeded:
    """Batches in an order given by the seed of the pass, set here since Lightning begins a pass before any hook."""

    def __init__(self, batches: Iterable[Any], fitting: ModelInTraining) -> None:
        self.batches, self.fitting = batches, fitting

    def __iter__(self) -> Iterator[Any]:
        np.random.seed(self.fitting.pass_seed())
        what = f"epoch {self.fitting.passed + 1} of at most {self.fitting.settings.epochs}"
        yield from tracked(self.batches, what, len(self.batches) if isinstance(self.batches, Sized) else None)


class _Batches(lightning.LightningDataModule):
    """Builds the batches in the process that uses them: each process gets its own share."""

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self.batches = batches

    def train_dataloader(self) -> Iterable[Any]:
        assert self.trainer is not None
        fitting = self.trainer.lightning_module
        assert isinstance(fitting, ModelInTraining)
        return _Seeded(self.batches(self.trainer.global_rank, self.trainer.world_size), fitting)


def fit(
    model: torch.nn.Module,
    batches: Batches,
    score: Score | None,
    settings: Training,
    engine: Engine,
    seed: int,
    work: Path,
) -> Fitted:
    """Train `model` in place and leave it with the weights of its best pass.

    On a GPU it trains in mixed precision (bfloat16, which needs no loss scaling). After each pass a checkpoint is
    written to `work`; a training that was killed resumes from it and ends with the same weights.

    Args:
        model: it must have a method `loss(batch) -> (scalar, rows)`. Before every pass but the first, its method
            `between_passes()` is called, if it has one. Its method `parameter_groups()`, if it has one, returns what is
            trained, in groups as torch's optimisers take them; else all parameters are.
        batches: the training examples.
        score: called after each pass. It decides when to stop and which weights are kept; without it all epochs are
            trained, and the last weights kept.
        settings: epochs, patience, learning rate and the like.
        engine: where to train, on the CPU or the GPU.
        seed: of everything that is random in training; the initial weights are the caller's.
        work: folder of the checkpoints.
    """
    best = ModelCheckpoint(
        work, "best", monitor=SCORE, mode="max", save_on_train_epoch_end=True, enable_version_counter=False
    )
    last = ModelCheckpoint(work, "last", save_on_train_epoch_end=True, enable_version_counter=False)
    stop = EarlyStopping(SCORE, patience=settings.patience, mode="max", check_on_train_epoch_end=True)
    gpu = engine.name == "gpu"
    trainer = lightning.Trainer(
        accelerator="gpu" if gpu else "cpu",
        devices=settings.devices,
        # Spawned: with Lightning's default, a second `hmgpu` process would find the run locked by the first.
        strategy="ddp_spawn" if settings.devices > 1 else "auto",
        precision="bf16-mixed" if gpu else "32-true",
        max_epochs=settings.epochs,
        accumulate_grad_batches=settings.accumulate,
        callbacks=[best, last, stop],
        logger=False,
        enable_progress_bar=False,  # the bar of hmgpu counts the batches
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    fitting = ModelInTraining(model, score, settings, seed)
    checkpoint = work / "last.ckpt"
    saved = _read(checkpoint) if checkpoint.exists() else None
    if saved is not None:
        fitting.passed = saved["epoch"] + 1
        fitting.on_load_checkpoint(saved)
    # Lightning would train what has stopped for another pass, whose weights might be kept.
    if saved is None or saved["callbacks"][stop.state_key]["wait_count"] < settings.patience:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="pytorch_lightning")
            begun = None if saved is None else checkpoint
            trainer.fit(fitting, datamodule=_Batches(batches), ckpt_path=begun, weights_only=True)
    use_threads_for(None)
    kept = _read(work / "best.ckpt")
    if settings.devices > 1:  # others trained
        fitting.on_load_checkpoint(_read(checkpoint))
    fitting.load_state_dict(kept["state_dict"])
    model.eval()
    with torch.no_grad():
        return Fitted(kept["epoch"] + 1, None if score is None else score(model), fitting.curve)


def _read(checkpoint: Path) -> dict[str, Any]:
    """Return a checkpoint that Lightning wrote: numbers alone, whatever else a file in its place would like to be."""
    try:
        content: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, OSError, EOFError, RuntimeError, ValueError, LookupError) as error:
        raise RunError(f"{checkpoint} can't be read ({reason(error)}): remove it, and training starts again.") from None
    return content
