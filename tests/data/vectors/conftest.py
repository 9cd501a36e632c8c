"""A small shop of eight articles, six of them with a picture, and an encoder that can be computed by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from small_world import ARTICLE_RANGE, CUSTOMER_RANGE, SmallShop, article_id, articles, customers, transactions

from hmgpu.data.ingest import ingest

COLOURS = {1: "red", 2: "lime", 3: "blue", 4: "red", 5: "lime", 6: "blue"}


@pytest.fixture
def shop(tmp_path: Path) -> SmallShop:
    """The small shop with pictures, ingested."""
    shop = SmallShop(tmp_path / "raw", tmp_path / "data")
    shop.raw.mkdir()
    shop.write("articles", articles(ARTICLE_RANGE))
    shop.write("customers", customers(CUSTOMER_RANGE))
    shop.write("transactions", transactions(40, ARTICLE_RANGE, CUSTOMER_RANGE))
    for number, colour in COLOURS.items():
        place = shop.raw / "images" / "000" / f"{article_id(number)}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (600, 900), colour).save(place)
    ingest(shop.settings())
    return shop


class Counting:
    """Encodes a picture as its mean red, green and blue, a text as its length and 1; counts its inputs."""

    digest = "counting"
    label = "counting"

    def __init__(self, ends_after: int | None = None) -> None:
        self.seen, self.ends_after = 0, ends_after

    def __call__(self, inputs: Sequence[Any]) -> "np.ndarray[Any, Any]":
        if self.ends_after is not None and self.seen + len(inputs) > self.ends_after:
            raise KeyboardInterrupt
        self.seen += len(inputs)
        vectors = [(len(one), 1) if isinstance(one, str) else np.asarray(one).mean(axis=(0, 1)) for one in inputs]
        return np.array(vectors, dtype=np.float32)


@pytest.fixture
def counting() -> type[Counting]:
    """The class of the encoder."""
    return Counting
