"""How many bad rows are allowed, of all reasons together or by reason."""

from typing import Any

import pytest
from pydantic import ValidationError
from small_world import SmallShop

from hmgpu.core.errors import DataError
from hmgpu.data.ingest import ingest


def spoiled(shop: SmallShop) -> None:
    """Two rows without a customer and one of an unknown channel, of 40."""
    rows = shop.read("transactions")
    rows[5][1] = rows[6][1] = ""
    rows[7][4] = "9"
    shop.write("transactions", rows)


@pytest.mark.parametrize(
    ("allowed", "said"),
    [
        (0.08, None),
        (0.07, r"3 of the 40 rows.*allows 7\.00%, so"),
        ({"missing customer id": 0.05, "other": 0.03}, None),
        ({"missing customer id": 1, "unknown channel": 0.025}, None),
        ({"missing customer id": 0.05}, r"1 of the 40 rows.*allows 0\.10%, so.*'unknown channel'.*`data\.channels`"),
        ({"missing customer id": 0.04, "other": 1}, r"2 of the 40.*allows 4\.00% for 'missing customer id'"),
        ({"other": 0.07}, r"3 of the 40 rows"),
    ],
)
def test_bad_rows_by_reason(shop: SmallShop, allowed: Any, said: str | None) -> None:
    spoiled(shop)
    if said is None:
        assert ingest(shop.settings(max_bad_rows=allowed)).rows == 37
    else:
        with pytest.raises(DataError, match=said):
            ingest(shop.settings(max_bad_rows=allowed))
        assert not shop.root.exists()


def test_an_unknown_reason_is_refused_with_the_known_ones(shop: SmallShop) -> None:
    with pytest.raises(ValidationError, match=r"'bad day' is not a reason: there are .*bad date.*other"):
        shop.settings(max_bad_rows={"bad day": 0.1})
    with pytest.raises(ValidationError, match="max_bad_rows"):
        shop.settings(max_bad_rows={"bad date": 2})
