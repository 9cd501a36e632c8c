"""Open the data set that a config describes, and refuse one that was ingested with other settings."""

import json

from hmgpu.core.differing import differing
from hmgpu.core.errors import DataError
from hmgpu.core.files import is_vacant
from hmgpu.data.ingest.build import content_settings
from hmgpu.data.manifest import NAME
from hmgpu.data.settings import DataSettings
from hmgpu.data.store import Store

CHECKS = ("article_pattern", "customer_pattern")  # of rows that are read: nothing in a data set tells which they were


def open_store(settings: DataSettings, gap: int = 0) -> Store:
    """Return the data set in `settings.root`, of which the last `gap` days before each week are not known yet.

    Settings that decided its content must be the same now: otherwise nothing would come of them, and a run would
    record them as if they held. Folders, names of files, patterns of ids and `max_bad_rows` may have changed. Raises
    DataError for others, with the one that differs, and where there is no data set.
    """
    if not (settings.root / NAME).exists() and is_vacant(settings.raw):
        raise DataError(
            f"There is no data set in {settings.root}, and no raw file in {settings.raw} to build it from: put your "
            "files there, or try synthetic ones (`hmgpu demo`, `hmgpu synth`)."
        )
    store = Store(settings.root, gap)
    for key, (asked, held) in differing(content_settings(settings), store.manifest.settings).items():
        if key in CHECKS:
            continue
        if key.startswith("files."):
            asked, held = ("named" if given else None for given in (asked, held))
        raise DataError(
            f"data.{key} is {_shown(asked)}, but the data set in {settings.root} was ingested with {_shown(held)}: set "
            "it as it was, or ingest again with `hmgpu ingest --replace`."
        )
    return store


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
