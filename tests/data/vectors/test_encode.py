"""All articles are encoded in the order of their ids, and work continues after a kill."""

import numpy as np
import pytest
from small_world import SmallShop, article_id, tree

from hmgpu.core.engine import Engine
from hmgpu.core.errors import BusyError, DataError
from hmgpu.data.store import Store
from hmgpu.data.vectors import encode as encoding
from hmgpu.data.vectors.encode import compute_vectors, encode, working_in
from hmgpu.data.vectors.inputs import inputs_of

CPU = Engine("cpu", "tests")


def encoded(shop: SmallShop, encoder, of="text", batch=2):
    """Encode all articles; returns ids, vectors and the progress reported."""
    heard: list[tuple[int, int]] = []
    inputs = inputs_of(Store(shop.root), of)
    with working_in(shop.root, of, inputs, encoder, batch) as work:
        ids, vectors = encode(inputs, encoder, batch, work, lambda done, total: heard.append((done, total)))
    return ids.to_list(), vectors, heard


@pytest.fixture(autouse=True)
def short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a part hold three articles."""
    monkeypatch.setattr(encoding, "PART", 3)


def test_all_articles_in_the_order_of_their_ids(shop: SmallShop, counting) -> None:
    encoder = counting()
    ids, vectors, heard = encoded(shop, encoder)
    assert ids == [article_id(number) for number in range(1, 9)]
    assert vectors.tolist() == [[len("name 1, plain. description 1, plain"), 1]] * 8
    assert heard == [(2, 8), (3, 8), (5, 8), (6, 8), (8, 8)]  # after every batch
    assert not (shop.root / "vectors").exists()


def test_after_a_kill_only_what_is_missing_is_encoded(shop: SmallShop, counting) -> None:
    whole = encoded(shop, counting(), "pictures")
    before = tree(shop.root)
    with pytest.raises(KeyboardInterrupt):
        encoded(shop, counting(ends_after=4), "pictures")
    assert Store(shop.root).manifest.vectors == {}
    again = counting()
    ids, vectors, _ = encoded(shop, again, "pictures")
    assert again.seen == 3  # of six, the first part was done
    assert ids == whole[0]
    assert np.array_equal(vectors, whole[1])
    assert tree(shop.root) == before


def test_what_is_left_out_is_named_again_after_a_kill(
    shop: SmallShop, counting, caplog: pytest.LogCaptureFixture
) -> None:
    bad = shop.raw / "images" / "000" / f"{article_id(2)}.jpg"
    bad.write_bytes(bad.read_bytes()[:700])
    with pytest.raises(KeyboardInterrupt):
        encoded(shop, counting(ends_after=4), "pictures")
    assert not caplog.messages
    assert len(encoded(shop, counting(), "pictures")[0]) == 5
    (said,) = caplog.messages
    assert said == f"1 of 6 files left out, whose articles have no vector, as each is damaged or unreadable: {bad}"


def test_the_log_says_how_far_it_is_and_how_long_it_takes(
    shop: SmallShop, counting, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = iter(range(0, 1000, 20))
    monkeypatch.setattr(encoding.time, "monotonic", lambda: next(now))
    with caplog.at_level("INFO", logger="hmgpu"):
        encoded(shop, counting())
    # 20 s a batch; once in 30 s, and not at the end.
    assert caplog.messages == ["encoded 3 of 8, 40 s, about 67 s left", "encoded 6 of 8, 80 s, about 27 s left"]


def test_damaged_parts_and_those_of_another_model_are_computed_again(shop: SmallShop, counting) -> None:
    with pytest.raises(KeyboardInterrupt):
        encoded(shop, counting(ends_after=4))
    (part,) = shop.root.glob("vectors/.unfinished-text-*/*.parquet")
    other = counting(ends_after=0)
    other.digest = "other"
    with pytest.raises(KeyboardInterrupt):
        encoded(shop, other)
    part.write_bytes(part.read_bytes()[:20])
    again = counting()
    assert len(encoded(shop, again)[0]) == again.seen == 8


def test_a_picture_that_cannot_be_read_has_no_vector(
    shop: SmallShop, counting, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (1, 2, 3):  # the whole first part
        (shop.raw / "images" / "000" / f"{article_id(number)}.jpg").write_bytes(b"no picture")
    encoder = counting()
    ids, vectors, _ = encoded(shop, encoder, "pictures")
    assert caplog.messages == [
        "3 of 6 files left out, whose articles have no vector, as each is not a picture: "
        + ", ".join(str(shop.raw / "images" / "000" / f"{article_id(number)}.jpg") for number in (1, 2, 3))
    ]
    assert ids == [article_id(number) for number in (4, 5, 6)]
    assert vectors.shape == (3, 3)
    # Red, lime and blue, as JPEG has them.
    assert vectors.argmax(axis=1).tolist() == [0, 1, 2]
    for number in (4, 5, 6):
        (shop.raw / "images" / "000" / f"{article_id(number)}.jpg").write_bytes(b"no picture")
    with pytest.raises(DataError, match="None of 6 files can be read as a picture"):
        encoded(shop, counting(), "pictures")


def test_a_second_process_is_refused(shop: SmallShop, counting) -> None:
    inputs = inputs_of(Store(shop.root), "text")
    busy = pytest.raises(BusyError, match="computes the same vectors")
    with working_in(shop.root, "text", inputs, counting(), 2), busy:
        encoded(shop, counting())


def test_an_encoder_gives_parts_their_vectors(shop: SmallShop, counting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "load_encoder", lambda *_: counting())
    kept = compute_vectors(Store(shop.root), "pictures", "any", CPU, 4, lambda *_: None)
    assert (kept.made_by, kept.dimensions, kept.articles) == ("model counting", 3, 6)
    store = Store(shop.root)
    table = store.as_of(store.last_day + 1).vectors_of("pictures").sort("article").collect()
    assert table["article"].to_list() == [0, 1, 2, 3, 4, 5]
    # Red, lime, blue, red, lime, blue, as JPEG has them.
    assert [max(range(3), key=lambda place: row[place]) for row in table.drop("article").rows()] == [0, 1, 2] * 2
    assert not list(shop.root.glob("vectors/.unfinished*"))
