"""Write `customers.csv`: ids, flags, ages and postal codes in the 7 columns of the raw layout."""

import numpy as np
import polars as pl
import pyarrow as pa

from hmgpu.data.synthetic.arrays import Stream, generator
from hmgpu.data.synthetic.customers import Customers

ID_BYTES = 32


def hashes(count: int, seed: int, part: int) -> pl.Series:
    """Sample `count` different texts of 64 hexadecimal digits, sorted."""
    raw = generator(seed, Stream.TEXTS, part).integers(0, 256, (count, ID_BYTES), dtype=np.uint8)
    # Sorting by eight of the bytes is enough: among a few million, no two will share them.
    head = np.ascontiguousarray(raw[:, :8]).view(">u8").ravel()
    ordered = np.ascontiguousarray(raw[np.argsort(head, kind="stable")])
    binary = pa.FixedSizeBinaryArray.from_buffers(pa.binary(ID_BYTES), count, [None, pa.py_buffer(ordered)])
    text = pl.Series(pl.from_arrow(binary.cast(pa.large_binary())))
    return text.bin.encode("hex")


def customers_table(people: Customers, ids: pl.Series, seed: int) -> pl.DataFrame:
    """Return the 7 columns, one row a customer, sorted by id; flags are 1.0 or empty, ages print as 31.0."""
    rng = generator(seed, Stream.TEXTS, 2)
    n = len(people)
    newsletter = rng.random(n) < 0.35
    active = newsletter ^ (rng.random(n) < 0.02)
    status = _sample(rng, n, ("ACTIVE", "PRE-CREATE", "LEFT CLUB", None), (0.925, 0.0685, 0.0005, 0.006))
    frequency = np.where(newsletter, "Regularly", "NONE")
    other = rng.random(n)
    known_age = rng.random(n) >= 0.011
    postcodes = hashes(int(people.postcode.max()) + 1, seed, 3)
    # The hashes are sorted: without a shuffle, neighbouring numbers would get neighbouring hashes.
    shuffled = rng.permutation(len(postcodes))
    return pl.DataFrame(
        {
            "customer_id": ids,
            "FN": pl.Series(np.where(newsletter, "1.0", "")).replace("", None),
            "Active": pl.Series(np.where(active, "1.0", "")).replace("", None),
            "club_member_status": status,
            "fashion_news_frequency": pl.Series(
                np.where(other < 0.01, "", np.where(other > 0.9999, "Monthly", frequency))
            ).replace("", None),
            "age": pl.Series(np.where(known_age, people.age.astype(np.int32).astype(str), "")).replace("", None) + ".0",
            "postal_code": postcodes.gather(shuffled[people.postcode]),
        }
    )


def _sample(rng: np.random.Generator, n: int, words: tuple[str | None, ...], shares: tuple[float, ...]) -> pl.Series:
    return pl.Series(list(words), dtype=pl.String).gather(rng.choice(len(words), n, p=shares))
