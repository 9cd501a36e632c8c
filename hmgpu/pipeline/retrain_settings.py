"""Settings of the weekly retrain: what it may do on its own."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from hmgpu.parts.part import Count

Share = Annotated[float, Field(ge=0, le=1)]
Ratio = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Limits(BaseModel):
    """How far a new week may be from the usual, the median of the weeks before it; null: any distance.

    Of a week whose last days are still to come, the days so far are compared with the same days of the other weeks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    weeks: Count = 8
    """Number of weeks before the new one that set what is usual."""
    volume: tuple[Ratio, Ratio] | None = (0.5, 2.0)
    """Least and most purchases, as multiples of the usual."""
    missing_days: Annotated[int, Field(ge=0, le=6)] | None = 0
    """Most days without a sale among those weekdays on which most of the weeks before had some."""
    unknown: Share | None = 0.0005
    """Largest share of rows with an article or customer that no table has. Such rows go to quarantine; where more than
    `data.max_bad_rows` of all rows are bad for any reason, nothing is ingested anyway."""
    new_articles: Share | None = 0.2
    """By how much the share of purchases of articles that were never sold before may exceed the usual share."""
    price: Ratio | None = 0.3
    """How far the mean price may be from the usual, as a share of it."""
    channels: Share | None = 0.15
    """Largest share of purchases that would have to change channel to get the usual mix (total variation distance)."""
    repeats: Share | None = 0.5
    """Least share of purchases that repeat one of the customer's from the four weeks before, as a share of the usual.
    Where customer ids were mixed up, volume, prices and channels look as always, and this share falls to nothing."""


class Notify(BaseModel):
    """Who is notified of how a retrain ended. A notification that fails is logged, and changes nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: tuple[str, ...] | None = None
    """A program and its arguments, run without a shell; it reads the record of the retrain as JSON on its input."""
    webhook_variable: str | None = None
    """Environment variable that holds the URL to which the record is posted as JSON. The URL itself is a secret, and
    settings are written into every run."""


class RetrainSettings(BaseModel):
    """When a new run replaces the current one, and what is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tolerance: Share = 0.05
    """How far the new run's MAP@k may be below the current one's in the same week, which neither has seen, as a share
    of it."""
    keep: Count = 8
    """Number of the newest runs that stay on disk; the current one and the one before it always stay."""
    limits: Limits = Limits()
    """What a week of data must look like."""
    notify: Notify = Notify()
    """Who is notified of it."""
