"""Files and whole tables give the same tensors; the order follows the seed, and no batch mixes files."""

import itertools

import numpy as np
import polars as pl
import pytest
import torch

from hmgpu.core.engine import Engine
from hmgpu.core.errors import DataError
from hmgpu.parts.models.training.batches import FileBatches, gather, padded, tensors, whole

CPU = Engine("cpu", "tests")


@pytest.fixture
def files(tmp_path):
    written = []
    for week in range(3):
        rows = 50 + week
        table = pl.DataFrame(
            {
                "id": pl.Series(range(100 * week, 100 * week + rows), dtype=pl.Int32),
                "week": pl.Series([week] * rows, dtype=pl.Int32),
                "price": pl.Series([0.5 * row for row in range(rows)], dtype=pl.Float32),
                "recent": pl.Series([list(range(row % 4 + 1)) for row in range(rows)], dtype=pl.List(pl.Int32)),
            }
        )
        written.append(tmp_path / f"{week}.parquet")
        table.write_parquet(written[-1])
    return written


def batches(files, seed=0, size=16, **share):
    np.random.seed(seed)
    return [inputs for inputs, _ in FileBatches(files, size, CPU, **share)]


def ids(found):
    return [batch["id"].flatten().tolist() for batch in found]


def every(found):
    return list(itertools.chain(*ids(found)))


def test_every_row_comes_once_with_its_own_values(files):
    found = batches(files)
    assert sorted(every(found)) == [*range(50), *range(100, 151), *range(200, 252)]
    for batch in found:
        offsets = batch["recent__offsets"].tolist()
        lengths = [b - a for a, b in itertools.pairwise(offsets)]
        assert lengths == [key % 100 % 4 + 1 for key in batch["id"].flatten().tolist()]
        assert batch["price"].dtype == torch.float32
        assert (batch["price"].flatten() == 0.5 * (batch["id"].flatten() % 100)).all()


def test_no_batch_mixes_files_and_all_are_of_one_size(files):
    found = batches(files)
    assert all(batch["week"].unique().numel() == 1 for batch in found)
    assert {len(batch["id"]) for batch in found} <= {11, 12, 13}  # 50..52 rows in four batches of at most 16
    assert len(found) == len(FileBatches(files, 16, CPU)) == 12


def test_the_seed_decides_the_order(files):
    assert ids(batches(files, 1)) == ids(batches(files, 1))
    assert ids(batches(files, 1)) != ids(batches(files, 2))


def test_a_second_pass_has_another_order(files):
    np.random.seed(0)
    data = FileBatches(files, 16, CPU)
    first, second = (ids([inputs for inputs, _ in data]) for _ in range(2))
    assert first != second
    assert sorted(itertools.chain(*first)) == sorted(itertools.chain(*second))


def test_processes_share_the_files(files):
    seen = [every(batches(files[:2], rank=rank, processes=2)) for rank in range(2)]
    assert sorted(itertools.chain(*seen)) == [*range(50), *range(100, 151)]
    assert all(seen)


def test_processes_get_the_same_number_of_batches(files):
    """Three files for two processes: the one with two files stops when the other has no more."""
    counts = [len(batches(files, rank=rank, processes=2)) for rank in range(2)]
    assert counts == [4, 4]
    with pytest.raises(DataError, match="nothing to train on in 3 files for each of 4 processes"):
        FileBatches(files, 16, CPU, 0, 4)


def test_tables_become_the_tensors_that_files_give(files):
    table = pl.read_parquet(files[0])
    by_id = {int(key): row for key, row in zip(table["id"], table.iter_rows(named=True), strict=True)}
    (batch,) = list(batches(files[:1], size=1000))
    (whole,) = tensors(
        pl.DataFrame([by_id[key] for key in batch["id"].flatten().tolist()], schema=table.schema), 1000, "cpu"
    )
    for name, tensor in whole.items():
        assert torch.equal(batch[name].flatten(), tensor), name
    assert sum(len(part["id"]) for part in tensors(table, 7, "cpu")) == 50


def test_every_row_meets_every_other_in_the_last_batch(files):
    """The rows of the last batch are different ones in every pass."""
    last = [batches(files[:1], seed, size=48)[-1]["id"].tolist() for seed in range(10)]
    assert all(len(batch) == 25 for batch in last)
    assert len({tuple(sorted(batch)) for batch in last}) == 10


def test_empty_lists_have_no_values():
    table = pl.DataFrame({"codes": [[7], [], None, [8, 9]]}, schema={"codes": pl.List(pl.Int32)})
    batch = whole(table, "cpu")
    assert batch["codes__values"].tolist() == [7, 8, 9]
    assert batch["codes__offsets"].tolist() == [0, 1, 1, 1, 3]
    chosen = gather(batch, torch.tensor([3, 1, 0]))
    assert chosen["codes__values"].tolist() == [8, 9, 7]
    assert chosen["codes__offsets"].tolist() == [0, 2, 2, 3]


def test_lists_become_a_matrix_with_zeros_after_their_ends():
    lists = pl.DataFrame({"of": [[1, 2], [], [3, 4, 5]]}, schema={"of": pl.List(pl.Int32)})
    assert padded(whole(lists, "cpu"), "of", 4).tolist() == [[1, 2, 0, 0], [0, 0, 0, 0], [3, 4, 5, 0]]
