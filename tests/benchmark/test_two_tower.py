"""All loaders give the same batches and train to the same weights; where they don't, nothing is reported."""

import numpy as np
import polars as pl
import pytest
import torch

from hmgpu.benchmark import feeding, two_tower
from hmgpu.benchmark.agreement import DisagreementError
from hmgpu.benchmark.rivals.merlin_loader.batches import merlin_batches
from hmgpu.benchmark.rivals.plain_batches import PlainBatches
from hmgpu.benchmark.rivals.plain_loop import plain_pass
from hmgpu.benchmark.two_tower import benchmark_two_tower
from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError
from hmgpu.parts.models.training.batches import FileBatches
from hmgpu.parts.models.training.week_files import PurchaseFiles
from hmgpu.parts.retrievers.two_tower import TwoTower

CPU = Engine("cpu", "tests")


@pytest.fixture
def files(tmp_path):
    """Two files: rows 0..2 and 3..4."""
    lists = [[1], [8], [2, 3], [4, 5, 6], [7]]
    rows = pl.DataFrame({"row": range(5), "codes": lists}, schema={"row": pl.Int32, "codes": pl.List(pl.Int32)})
    for number, some in enumerate((rows[:3], rows[3:])):
        some.write_parquet(tmp_path / f"{number}.parquet")
    return [tmp_path / "0.parquet", tmp_path / "1.parquet"]


def test_plain_batches_gather_lists(files):
    batch = PlainBatches(files, 2, "cpu").gather(torch.tensor([3, 1, 0]))
    assert batch["row"].tolist() == [3, 1, 0]
    assert batch["codes__values"].tolist() == [4, 5, 6, 8, 1]
    assert batch["codes__offsets"].tolist() == [0, 3, 4, 5]


def test_plain_batches_mix_no_files_and_change_their_order(files):
    plain = PlainBatches(files, 2, "cpu")
    np.random.seed(1)
    passes = [[batch["row"].tolist() for batch, _ in plain] for _ in range(20)]
    for batches in passes:
        assert sorted(row for batch in batches for row in batch) == [0, 1, 2, 3, 4]
        assert sorted(map(len, batches)) == [1, 2, 2]
        assert all(max(batch) < 3 or min(batch) >= 3 for batch in batches)
    assert len({str(batches) for batches in passes}) > 5


@pytest.mark.parametrize("loader", [FileBatches, merlin_batches])
def test_loaders_give_the_same(files, loader):
    first, order = feeding.check_batches("a loader", loader(files, 2, CPU), PlainBatches(files, 2, "cpu"))
    assert len(first) == len(order) == 3


def test_another_batch_is_refused(files):
    plain = PlainBatches(files, 2, "cpu")
    plain.columns["codes__values"][0] += 1
    with pytest.raises(DisagreementError, match="codes__values"):
        feeding.check_batches("a loader", FileBatches(files, 2, CPU), plain)


def test_a_row_left_out_is_refused(files, tmp_path):
    plain = PlainBatches(files, 2, "cpu")
    loaders = {"one loader": FileBatches(files, 2, CPU), "another loader": list(plain)[1:]}
    with pytest.raises(DisagreementError, match="another loader doesn't give every row once"):
        feeding.check(Means(), loaders, plain, TwoTower(epochs=1), CPU, 1, tmp_path / "work")


class Means(torch.nn.Module):
    """Learns the mean of the rows' numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = torch.nn.Parameter(torch.zeros(1))

    def loss(self, batch):
        return (batch[0]["row"] - self.mean).square().mean(), len(batch[0]["row"])


def test_the_same_batches_train_to_the_same_weights_by_any_loop(files, tmp_path):
    plain = PlainBatches(files, 2, "cpu")
    said = feeding.check(
        Means(), {"hmgpu's": FileBatches(files, 2, CPU)}, plain, TwoTower(epochs=1), CPU, 1, tmp_path / "work"
    )
    assert said.startswith("cpu: batches equal; losses and weights within")


def test_a_loop_that_trains_otherwise_is_refused(files, tmp_path, monkeypatch):
    def careless(model, batches, settings, engine):
        return plain_pass(model, batches, settings.model_copy(update={"learning_rate": 0.1}), engine)

    monkeypatch.setattr(feeding, "plain_pass", careless)
    plain = PlainBatches(files, 2, "cpu")
    with pytest.raises(DisagreementError, match="'mean' differs by"):
        feeding.check(
            Means(), {"hmgpu's": FileBatches(files, 2, CPU)}, plain, TwoTower(epochs=1), CPU, 1, tmp_path / "work"
        )


def test_nothing_to_train_on_is_said(make_subject, monkeypatch):
    subject = make_subject(retrievers={"two_tower": TwoTower(weeks=2)})
    monkeypatch.setattr(two_tower, "write_purchases", lambda *given: PurchaseFiles([], []))
    with pytest.raises(DataError, match="nothing was bought in 2 weeks"):
        benchmark_two_tower(subject, [CPU], {}, repeats=1, memory=False)
