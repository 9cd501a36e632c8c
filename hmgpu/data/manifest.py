"""The manifest of a data set: what belongs to it. It is written last, so a data set is whole or isn't there."""

import json
from pathlib import Path, PurePosixPath
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator, model_validator

from hmgpu.core.errors import DataError
from hmgpu.core.files import sha256
from hmgpu.data.choices import VectorsOf
from hmgpu.data.tables import TableName

FORMAT: Literal[1] = 1
NAME = "manifest.json"

Hash = str


class DataFile(BaseModel):
    """One Parquet file of the data set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: Hash
    rows: int


class Source(BaseModel):
    """One raw file that was absorbed."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    table: TableName
    name: str
    """The file's name, with its ending."""
    sha256: Hash
    """Of the file's bytes as they lay on disk."""
    rows: int
    """Rows that were kept."""
    bad_rows: int
    """Rows that went to quarantine."""
    first_day: int | None
    """First day of the kept transactions, in days since 1970-01-01; null for articles and customers."""
    last_day: int | None
    """Last day of the kept transactions; null for articles and customers."""
    quarantine: str | None
    """The report of the bad rows, relative to the data set's folder; null where there were none."""


class Vectors(BaseModel):
    """Vectors of the articles, one table."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    file: str
    """The table among the manifest's `files`."""
    made_by: str
    """The model that made them, or the file that they were taken from."""
    dimensions: int
    """Numbers in a vector."""
    articles: int
    """Articles that have one."""


class Manifest(BaseModel):
    """What an ingested data set holds. Only files that it lists belong to the data set."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    format: Literal[1] = FORMAT
    """Changes when a reader of today could misread the files."""
    settings: dict[str, JsonValue]
    """The settings that decide what is in the files."""
    present: dict[TableName, list[str]]
    """Columns of the contract that each table has."""
    first_day: int
    """First day with a transaction, in days since 1970-01-01."""
    last_day: int
    """Last day with a transaction."""
    rows: int = Field(ge=1)
    """Transactions."""
    articles: int
    customers: int
    images: str | None
    """Folder of the pictures relative to the data set's folder, null where there is none. They are not copied."""
    files: dict[str, DataFile]
    """The Parquet files by their path relative to the data set's folder."""
    sources: list[Source]
    """The raw files in the order in which they were absorbed."""
    vectors: dict[VectorsOf, Vectors] = {}
    """What of the articles there are vectors of; left out of the file where there are none."""

    @field_validator("files")
    @classmethod
    def _inside(cls, files: dict[str, DataFile]) -> dict[str, DataFile]:
        for name in files:
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts:
                raise ValueError(f"'{name}' lies outside of the data set")
        return files

    @model_validator(mode="after")
    def _listed(self) -> Self:
        for of, vectors in self.vectors.items():
            if vectors.file not in self.files:
                raise ValueError(f"'{vectors.file}' with the vectors of {of} is not among the files")
        return self

    @classmethod
    def read(cls, root: Path) -> "Manifest":
        """The manifest of the data set in `root`. Raises DataError where there is none or it can't be trusted."""
        path = root / NAME
        again = "ingest it anew with `hmgpu ingest --replace`"
        try:
            content = json.loads(path.read_bytes())
        except FileNotFoundError:
            raise DataError(f"There is no data set in {root}: run `hmgpu ingest` first.") from None
        except NotADirectoryError:
            raise DataError(f"{root} is a file, no data set: `data.root` must name a folder.") from None
        except OSError as error:
            raise DataError(f"{path} can't be read: {error.strerror}.") from None
        except ValueError:
            raise DataError(f"{path} is damaged, it is no JSON: {again}.") from None
        version = content.get("format") if isinstance(content, dict) else None
        if version != FORMAT:
            raise DataError(f"{path} has format {version!r} and this hmgpu reads format {FORMAT}: {again}.")
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise DataError(f"{path} is damaged at {place} ({first['msg']}): {again}.") from None

    def to_bytes(self) -> bytes:
        """The file's content: the same data set always gives the same bytes."""
        content = self.model_dump(mode="json", exclude=None if self.vectors else {"vectors"})
        return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()

    def table(self, name: Literal["articles", "customers", "codes"]) -> str:
        """Path of a table that is one file, relative to the data set's folder."""
        return next(path for path in self.files if path.startswith(f"{name}-"))

    def verify(self, root: Path) -> None:
        """Raise DataError where a file of the data set is missing or is not the one that was written."""
        for name, file in sorted(self.files.items()):
            try:
                same = sha256(root / name) == file.sha256
            except OSError as error:
                raise DataError(f"{root / name} of the data set can't be read: {error.strerror}.") from None
            if not same:
                raise DataError(
                    f"{root / name} is not the file that was ingested: put it back from a backup, or run "
                    "`hmgpu ingest --replace` and append again what was appended since."
                )
