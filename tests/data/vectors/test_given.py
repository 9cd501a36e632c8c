"""Vectors are read from a file; the error names what is wrong with a row, and nothing is changed."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_world import SmallShop, article_id, tree

from hmgpu.core.errors import DataError
from hmgpu.data.manifest import Manifest
from hmgpu.data.store import Store
from hmgpu.data.vectors.given import read_given, take_vectors

KNOWN = pl.Series([article_id(number) for number in range(1, 9)])
A, B, C = KNOWN[:3]


def write(folder: Path, ids: Any, vectors: Any) -> Path:
    """Write a file of vectors."""
    file = folder / "mine.parquet"
    pl.DataFrame({"article_id": ids, "vector": vectors}).write_parquet(file)
    return file


@pytest.mark.parametrize("dtype", [pl.List(pl.Float64), pl.List(pl.Float32), pl.Array(pl.Float64, 2)])
def test_lists_of_floats_are_read_in_the_files_order(tmp_path, dtype):
    file = write(tmp_path, [C, A], pl.Series([[3.0, 4.0], [0.0, -2.0]], dtype=dtype))
    ids, vectors = read_given(file, KNOWN)
    assert ids.to_list() == [C, A]
    assert vectors.tolist() == [[3.0, 4.0], [0.0, -2.0]]


@pytest.mark.parametrize(
    ("ids", "vectors", "says"),
    [
        (
            [A, "0000000099"],
            [[1.0, 2.0]] * 2,
            "row 2, column article_id: 0000000099 names an article that the data set",
        ),
        ([A, B, A, A], [[1.0, 2.0]] * 4, rf"row 3 \(and 1 more\), column article_id: {A} names .* earlier row"),
        ([A, None], [[1.0, 2.0]] * 2, "row 2, column article_id: is empty"),
        ([A, B], [[1.0, 2.0], None], "row 2, column vector: is empty: leave the row out"),
        ([A, B], [[1.0, 2.0], [1.0]], "row 2, column vector: 1 is the vector's length, but row 1's is 2:"),
        ([A, B], [[1.0, 2.0], [1.0, None]], "row 2, column vector: holds a null, NaN or infinite"),
        ([A, B], [[float("nan"), 2.0], [1.0, 1.0]], "row 1, column vector: holds a null, NaN or infinite"),
        ([A, B], [[1.0, 2.0], [1.0, float("-inf")]], "row 2, column vector: holds a null, NaN or infinite"),
        ([A, B], [[1.0, 2.0], [0.0, 0.0]], "row 2, column vector: is all zeros"),
        ([A], pl.Series([[]], dtype=pl.List(pl.Float32)), "row 1, column vector: holds no numbers"),
        ([108775015], [[1.0, 2.0]], r"column article_id as Int64: write Parquet with article_id \(text"),
        ([A], [[1, 2]], r"column vector as List\(Int64\): write Parquet"),
        ([A], ["0.1 0.2"], "column vector as String: write Parquet"),
        ([], pl.Series([], dtype=pl.List(pl.Float32)), "holds no rows|column article_id as Null"),
    ],
)
def test_what_is_wrong_is_named(shop: SmallShop, tmp_path, ids, vectors, says):
    before = tree(shop.root)
    with pytest.raises(DataError, match=rf"mine\.parquet.*({says})"):
        take_vectors(Store(shop.root), "pictures", write(tmp_path, ids, vectors))
    assert tree(shop.root) == before


def test_what_is_no_such_file(tmp_path):
    with pytest.raises(DataError, match="There is no file"):
        read_given(tmp_path / "none.parquet", KNOWN)
    (tmp_path / "text.parquet").write_text("article_id,vector\n")
    with pytest.raises(DataError, match="can't be read as Parquet"):
        read_given(tmp_path / "text.parquet", KNOWN)
    pl.DataFrame({"article_id": [A], "embedding": [[1.0]]}).write_parquet(tmp_path / "other.parquet")
    with pytest.raises(DataError, match="has no column vector"):
        read_given(tmp_path / "other.parquet", KNOWN)
    with pytest.raises(DataError, match="There is no file"):
        read_given(tmp_path, KNOWN)


def test_a_file_gives_parts_their_vectors(shop: SmallShop) -> None:
    file = shop.raw.parent / "mine.parquet"
    pl.DataFrame({"article_id": [article_id(2)], "vector": [[0.0, 5.0]]}).write_parquet(file)
    take_vectors(Store(shop.root), "text", file)
    assert Manifest.read(shop.root).vectors["text"].made_by == "file mine.parquet"
    store = Store(shop.root)
    assert store.as_of(store.last_day + 1).vectors_of("text").collect().rows() == [(1, 0, 2048)]
