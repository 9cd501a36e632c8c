"""A data set is opened for settings: those that decided its content must be the same, the others may change."""

from pathlib import Path

import pytest

from hmgpu.core.errors import DataError
from hmgpu.data.open_store import open_store
from hmgpu.data.settings import ColumnNames, DataSettings, Files
from hmgpu.data.store import Store


def test_the_setting_that_differs_is_named_with_both_values(data_settings: DataSettings, store: Store) -> None:
    others = {
        "week_starts": ("monday", "data.week_starts is monday, but .* was ingested with wednesday: set it as it was"),
        "price_unit": ("0.01", "data.price_unit is 1/100, but .* ingested with 1/59000"),
        "channels": (("1",), r'data.channels is \["1"\], but .* ingested with \["1", "2"\]'),
        "date_format": ("%d.%m.%Y", "data.date_format is %d.%m.%Y, but .* ingested with %Y-%m-%d"),
        "columns": (
            ColumnNames(transactions={"price": "eur"}),
            "data.columns.transactions.price is eur, but .* ingested with price",
        ),
        "files": (Files(customers=None), "data.* but .* ingested with"),
    }
    for name, (value, message) in others.items():
        with pytest.raises(DataError, match=message):
            open_store(data_settings.model_copy(update={name: value}))


def test_paths_names_of_files_and_limits_may_change(data_settings: DataSettings, store: Store, tmp_path: Path) -> None:
    same = {"price_unit": "2/118000", "raw": tmp_path, "files": Files(articles="products"), "max_bad_rows": 0.5}
    same |= {"article_pattern": r"\S+", "customer_pattern": r"\S+"}
    assert open_store(data_settings.model_copy(update=same)).digest == store.digest


def test_without_data_the_remedy_is_what_is_missing(raw: Path, tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"no data set in .*/data, and no raw file in .*/raw to build it from.*`hmgpu demo`"
    ):
        open_store(DataSettings(raw=tmp_path / "raw", root=tmp_path / "data"))
    with pytest.raises(DataError, match="run `hmgpu ingest` first"):
        open_store(DataSettings(raw=raw, root=tmp_path / "data"))
