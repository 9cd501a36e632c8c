"""An encoder over all articles: in the order of ids, killed anywhere and gone on with."""

import numpy as np
import pytest
from small_world import World, article_id, tree

from hmgpu.core.errors import BusyError, DataError
from hmgpu.data.store import Store
from hmgpu.data.vectors import encode as encoding
from hmgpu.data.vectors.encode import encode, working_in
from hmgpu.data.vectors.inputs import inputs_of


def made(world: World, encoder, of="text", batch=2):
    heard: list[tuple[int, int]] = []
    inputs = inputs_of(Store(world.root), of)
    with working_in(world.root, of, inputs, encoder, batch) as work:
        ids, vectors = encode(inputs, encoder, batch, work, lambda done, total: heard.append((done, total)))
    return ids.to_list(), vectors, heard


@pytest.fixture(autouse=True)
def short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "PART", 3)


def test_all_articles_in_the_order_of_their_ids(shop: World, counting) -> None:
    encoder = counting()
    ids, vectors, heard = made(shop, encoder)
    assert ids == [article_id(number) for number in range(1, 9)]
    assert vectors.tolist() == [[len("name 1, plain. description 1, plain"), 1]] * 8
    assert heard == [(3, 8), (6, 8), (8, 8)]
    assert not (shop.root / "vectors").exists()


def test_after_a_kill_only_what_is_missing_is_encoded(shop: World, counting) -> None:
    whole = made(shop, counting(), "pictures")
    before = tree(shop.root)
    with pytest.raises(KeyboardInterrupt):
        made(shop, counting(ends_after=4), "pictures")
    assert Store(shop.root).manifest.vectors == {}
    again = counting()
    ids, vectors, _ = made(shop, again, "pictures")
    assert again.seen == 3  # of six, the first part was done
    assert ids == whole[0]
    assert np.array_equal(vectors, whole[1])
    assert tree(shop.root) == before


def test_a_damaged_part_and_one_of_another_model_are_made_anew(shop: World, counting) -> None:
    with pytest.raises(KeyboardInterrupt):
        made(shop, counting(ends_after=4))
    (part,) = shop.root.glob("vectors/.unfinished-text-*/*.parquet")
    other = counting(ends_after=0)
    other.digest = "other"
    with pytest.raises(KeyboardInterrupt):
        made(shop, other)
    part.write_bytes(part.read_bytes()[:20])
    again = counting()
    assert len(made(shop, again)[0]) == again.seen == 8


def test_a_picture_that_cannot_be_read_is_no_vector(shop: World, counting) -> None:
    for number in (1, 2, 3):  # the whole first part
        (shop.raw / "images" / "000" / f"{article_id(number)}.jpg").write_bytes(b"no picture")
    encoder = counting()
    ids, vectors, _ = made(shop, encoder, "pictures")
    assert ids == [article_id(number) for number in (4, 5, 6)]
    assert vectors.shape == (3, 3)
    # Red, lime and blue, as JPEG has them.
    assert vectors.argmax(axis=1).tolist() == [0, 1, 2]
    for number in (4, 5, 6):
        (shop.raw / "images" / "000" / f"{article_id(number)}.jpg").write_bytes(b"no picture")
    with pytest.raises(DataError, match="None of 6 files can be read as a picture"):
        made(shop, counting(), "pictures")


def test_two_at_the_same_work(shop: World, counting) -> None:
    inputs = inputs_of(Store(shop.root), "text")
    busy = pytest.raises(BusyError, match="computes the same vectors")
    with working_in(shop.root, "text", inputs, counting(), 2), busy:
        made(shop, counting())
