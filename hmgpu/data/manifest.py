"""The manifest of a data set lists what belongs to it; it is written last, so a data set is complete or not there."""

import json
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator, model_validator

from hmgpu.core.errors import DataError
from hmgpu.core.files import sha256
from hmgpu.core.validation import in_words
from hmgpu.data.choices import VectorsOf
from hmgpu.data.tables import TableName

FORMAT: Literal[1] = 1
NAME = "manifest.json"
HM_PRICE_UNIT = Fraction(1, 59000)

Hash = str


class DataFile(BaseModel):
    """A Parquet file of the data set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: Hash
    rows: int


class Source(BaseModel):
    """A raw file that was ingested."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: TableName
    name: str
    """The file's name, with its ending."""
    sha256: Hash
    """Hash of the file's bytes, packed as they were on disk."""
    rows: int
    """Rows that were kept."""
    bad_rows: int
    """Rows that went to quarantine."""
    first_day: int | None
    """First day of the kept transactions, in days since 1970-01-01; null for articles and customers."""
    last_day: int | None
    """Last day of the kept transactions; null for articles and customers."""
    beyond: int | None = None
    """First day of rows that went to quarantine because they lay after `data.last_day`; left out if there are none."""
    quarantine: str | None
    """The report of the bad rows, relative to the data set's folder; null if there were none."""


class Vectors(BaseModel):
    """One table of vectors of the articles."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    """The Parquet file, one of the manifest's `files`."""
    made_by: str
    """The model that computed the vectors, or the file that they came from."""
    dimensions: int
    """Length of a vector."""
    articles: int
    """Number of articles with a vector."""


class Manifest(BaseModel):
    """The contents of an ingested data set; only files that it lists belong to the data set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = FORMAT
    """Version of the format, raised when today's code could misread the files."""
    settings: dict[str, JsonValue]
    """The settings that determine the contents of the files."""
    present: dict[TableName, list[str]]
    """The contract's columns that each table has."""
    first_day: int
    """First day with a transaction, in days since 1970-01-01."""
    last_day: int
    """Last day with a transaction."""
    rows: int = Field(ge=1)
    """Number of transactions."""
    articles: int
    customers: int
    images: str | None
    """Folder of the pictures, relative to the data set's folder, whether or not it exists. Pictures are not copied."""
    files: dict[str, DataFile]
    """The Parquet files, by their path relative to the data set's folder."""
    sources: list[Source]
    """The raw files, in the order in which they were ingested."""
    vectors: dict[VectorsOf, Vectors] = {}
    """The tables of vectors, by what they describe; left out of the file if there are none."""

    @property
    def price_unit(self) -> Fraction:
        """What a price of 1 in the data set is in the retailer's own files."""
        return Fraction(str(self.settings["price_unit"]))

    @property
    def currency(self) -> str | None:
        """What prices are in; None where the config does not say it."""
        named = self.settings.get("currency")
        return str(named) if named else None

    @property
    def is_hm(self) -> bool:
        """Whether the data are H&M's, or shaped like them, by the unit of their prices, which no other shop's have."""
        return "price" in self.present["transactions"] and self.price_unit == HM_PRICE_UNIT

    @field_validator("files")
    @classmethod
    def _inside(cls, files: dict[str, DataFile]) -> dict[str, DataFile]:
        for name in files:
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts:
                raise ValueError(f"'{name}' lies outside of the data set")
        return files

    @model_validator(mode="after")
    def _lists_its_vectors(self) -> Self:
        for of, vectors in self.vectors.items():
            if vectors.file not in self.files:
                raise ValueError(f"'{vectors.file}' with the vectors of {of} is not among the files")
        return self

    @classmethod
    def read(cls, root: Path) -> "Manifest":
        """Read the manifest of the data set in `root`.

        Raises DataError where there is none or it can't be trusted.
        """
        path = root / NAME
        again = "ingest again with `hmgpu ingest --replace`"
        try:
            content = json.loads(path.read_bytes())
        except FileNotFoundError:
            raise DataError(f"There is no data set in {root}: run `hmgpu ingest` first.") from None
        except NotADirectoryError:
            raise DataError(f"{root} is a file, not a data set: `data.root` must name a folder.") from None
        except OSError as error:
            raise DataError(f"{path} can't be read: {error.strerror}.") from None
        except ValueError:
            raise DataError(f"{path} is damaged: it is not JSON; {again}.") from None
        version = content.get("format") if isinstance(content, dict) else None
        if version != FORMAT:
            raise DataError(f"{path} has format {version!r} and this hmgpu reads format {FORMAT}: {again}.")
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise DataError(f"{path} is damaged at {place} ({in_words(first)}): {again}.") from None

    def to_bytes(self) -> bytes:
        """Return the file's content; the same data set always gives the same bytes."""
        content = self.model_dump(mode="json", exclude=None if self.vectors else {"vectors"})
        for source in content["sources"]:
            if source["beyond"] is None:
                del source["beyond"]
        return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()

    def table(self, name: Literal["articles", "customers", "codes"]) -> str:
        """Return the path of a table that is one file, relative to the data set's folder."""
        return next(path for path in self.files if path.startswith(f"{name}-"))

    def verify(self, root: Path) -> None:
        """Raise DataError where a file of the data set is missing or was changed."""
        for name, file in sorted(self.files.items()):
            try:
                same = sha256(root / name) == file.sha256
            except OSError as error:
                raise DataError(f"{root / name} of the data set can't be read: {error.strerror}.") from None
            if not same:
                raise DataError(
                    f"{root / name} is not the file that was ingested: put it back from a backup, or run "
                    "`hmgpu ingest --replace` and append the later files again."
                )
