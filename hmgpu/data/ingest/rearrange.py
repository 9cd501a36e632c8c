"""Bring the files of a data set that an older hmgpu ingested into the order in which they are read fastest."""

import hashlib
import time
from pathlib import Path

from hmgpu.core.parquet import read_table
from hmgpu.core.version import VERSION
from hmgpu.core.words import counted
from hmgpu.data.ingest.row_groups import renamed, write_customers, write_week
from hmgpu.data.ingest.staging import publish, remove_strays, staged
from hmgpu.data.manifest import DataFile, Manifest


def rearrange(root: Path) -> str:
    """Write those files of the data set in `root` again whose rows lie otherwise than `ingest` writes them now.

    Their rows stay the same, so lists do too. One file is in memory at a time; the disk needs room for a second copy. A
    kill leaves the data set as it was. Returns what was done, in a sentence. Raises DataError where there is no data
    set, or a file was changed since it was ingested.
    """
    started = time.perf_counter()
    Manifest.read(root)  # raises before a folder is created for the lock
    with staged(root) as staging:
        there = Manifest.read(root)
        there.verify(root)
        identity = hashlib.sha256(VERSION.encode() + there.to_bytes()).hexdigest()[:8]
        changed = dict[str, DataFile | None]()
        customers = there.table("customers")
        for name in sorted(there.files):
            if name.startswith("transactions/"):
                place, entry = write_week(staging, read_table(root / name), renamed(name, identity))
            elif name == customers:
                place, entry = write_customers(staging, read_table(root / name), f"customers-{identity}.parquet")
            else:
                continue
            if entry == there.files[name]:
                (staging / place).unlink()
            else:
                changed |= {name: None, place: entry}
        files = {name: file for name, file in (there.files | changed).items() if file}
        if changed:
            publish(staging, root, there.model_copy(update={"files": files}))
        else:
            remove_strays(root, there)  # of one that was killed before the manifest was swapped
    written = counted(len(changed) // 2, "file")
    return f"{root}: {written} of {len(files)} written again, {time.perf_counter() - started:.1f} s"
