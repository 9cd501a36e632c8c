"""Feature maps of pictures on disk: what the frozen blocks of a network say of each picture, computed once.

They lie in a folder that is named by all that decides them but the pictures. A picture is known by its file's name,
size and time; a new state of it is a new picture.
"""

import itertools
import logging
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import prod
from pathlib import Path

import numpy as np
import polars as pl
import torch

from hmgpu.core.engine import Engine
from hmgpu.core.errors import DiskError
from hmgpu.core.files import UNFINISHED, needing_room
from hmgpu.core.lock import held
from hmgpu.core.parquet import read_table
from hmgpu.core.progress import tracked
from hmgpu.core.threads import threads
from hmgpu.data.pictures import Unread, read_picture, state_of
from hmgpu.parts.models.images.backbone import Backbone

log = logging.getLogger(__name__)

PART = 256  # pictures in a file, which is renamed into place when it is finished
AT_ONCE = 32  # pictures that the network sees at once, always as many: other shapes have other last bits
LOCK = ".lock"
BYTES = 2  # of a number
Picture = tuple[str, int, int]
"""Name, size and time of a file."""


class FeatureMaps:
    """The feature maps in a folder; they are read row by row, so that memory doesn't grow with their number."""

    def __init__(self, folder: Path, shape: tuple[int, ...]) -> None:
        self.folder, self.shape = folder, shape
        self.files: list[Path] = []
        self.places: dict[Picture, tuple[int, int]] = {}
        """File and row of each picture."""
        for index in sorted(folder.glob("[0-9]*.parquet")):
            self._add(index)

    @property
    def bytes(self) -> int:
        """How many bytes the maps of one picture take."""
        return BYTES * prod(self.shape)

    def read(self, pictures: Sequence[Picture]) -> torch.Tensor:
        """Return the maps of `pictures`, in their order: (pictures, …) in half precision."""
        found = np.empty((len(pictures), prod(self.shape)), np.float16)
        places = [(*self.places[picture], row) for row, picture in enumerate(pictures)]
        for file, some in itertools.groupby(sorted(places), key=lambda place: place[0]):
            with self.files[file].open("rb", buffering=0) as stream:
                for _, start, row in some:
                    stream.seek(start * self.bytes)
                    stream.readinto(found[row].data.cast("B"))
        return torch.from_numpy(found).view(len(pictures), *self.shape)

    def write(self, parts: Iterable[tuple[Sequence[Picture], torch.Tensor]]) -> None:
        """Add the maps of a part's pictures, whole or not at all."""
        name = f"{len(self.files):06}"
        drafts = [self.folder / f"{UNFINISHED}{name}{ending}" for ending in (".maps", ".parquet")]
        written = list[Picture]()
        with drafts[0].open("wb") as stream:
            for pictures, maps in parts:
                stream.write(maps.contiguous().numpy().data)
                written += pictures
        if not written:  # none could be read
            drafts[0].unlink()
            return
        pl.DataFrame(written, INDEX, orient="row").write_parquet(drafts[1])
        for draft in drafts:  # the index last: a part counts when it is there
            os.replace(draft, draft.with_name(draft.name.removeprefix(UNFINISHED)))
        self._add(self.folder / f"{name}.parquet")

    def _add(self, index: Path) -> None:
        pictures = read_table(index).iter_rows()
        self.places |= {(name, size, time): (len(self.files), row) for row, (name, size, time) in enumerate(pictures)}
        self.files.append(index.with_suffix(".maps"))


INDEX = {"name": pl.String, "size": pl.Int64, "time": pl.Int64}


def feature_maps(files: Sequence[Path], backbone: Backbone, cache: Path, engine: Engine) -> FeatureMaps:
    """Return the feature maps of the pictures in `files`, of those that can be read; compute what `cache` lacks.

    A kill loses no finished part. Raises DiskError where the disk has no room for them.
    """
    folder = cache / f"feature-maps-{backbone.digest(engine)[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder / LOCK, lambda: "", keep=True, wait=True), needing_room(folder):
        for draft in folder.glob(f"{UNFINISHED}*"):  # of a process that was killed
            draft.unlink()
        maps = FeatureMaps(folder, backbone.shape)
        lacking = [file for file in files if picture(file) not in maps.places]
        if lacking:
            _say_size(len(lacking), maps)
            unread = dict[str, str]()
            parts = range(0, len(lacking), PART)
            for start in tracked(parts, "feature maps of pictures", len(parts)):
                maps.write(_computed(lacking[start : start + PART], backbone, engine, unread))
            if unread:
                name, why = next(iter(unread.items()))
                log.warning("%d of %d pictures are left out; %s is %s", len(unread), len(lacking), name, why)
    return maps


def picture(file: Path) -> Picture:
    """Return what a picture is known by."""
    size, time = state_of(file)
    return file.name, size, time


def _say_size(count: int, maps: FeatureMaps) -> None:
    needed, free = count * maps.bytes, shutil.disk_usage(maps.folder).free
    size = f"{needed / 1e9:.2f} GB" if needed >= 1e9 else f"{needed / 1e6:.1f} MB"
    said = f"feature maps of {count:,} pictures take {size} in {maps.folder}"
    if needed > free:
        raise DiskError(
            f"The {said}, and its disk has {free / 1e9:.2f} GB left: make room, set `pixels` lower or `trained` to "
            "fewer blocks, or point `runs` to another disk."
        )
    log.info("%s", said)


def _computed(
    files: Sequence[Path], backbone: Backbone, engine: Engine, unread: dict[str, str]
) -> Iterator[tuple[list[Picture], torch.Tensor]]:
    """Yield pictures and their maps, some at a time; add those that can't be read to `unread`."""
    with ThreadPoolExecutor(threads()) as pool:  # decoding and scaling release Python's lock
        for start in range(0, len(files), AT_ONCE):
            some = files[start : start + AT_ONCE]
            known, pixels = list[Picture](), list[torch.Tensor]()
            for file, found in zip(some, pool.map(lambda file: _pixels(file, backbone), some), strict=True):
                if isinstance(found, Unread):
                    unread[str(file)] = found.why
                else:
                    known.append(picture(file))
                    pixels.append(found)
            if pixels:
                blank = [torch.zeros_like(pixels[0])] * (AT_ONCE - len(pixels))
                yield known, backbone.maps_of(torch.stack(pixels + blank), engine)[: len(pixels)]


def _pixels(file: Path, backbone: Backbone) -> torch.Tensor | Unread:
    read = read_picture(file, backbone.side)
    return read if isinstance(read, Unread) else backbone.pixels_of(read)
