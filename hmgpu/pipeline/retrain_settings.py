"""What the weekly retrain may do on its own."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from hmgpu.parts.part import Count

Share = Annotated[float, Field(ge=0, le=1)]
Ratio = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Limits(BaseModel):
    """How far a new week may be from the usual, which is the median of the complete weeks before it; null: any way."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    weeks: Count = 8
    """Complete weeks before that say what is usual."""
    volume: tuple[Ratio, Ratio] | None = (0.5, 2.0)
    """Purchases, as a multiple of the usual: at least and at most."""
    missing_days: Annotated[int, Field(ge=0, le=6)] | None = 0
    """Days of the week on which nothing was sold, at most."""
    unknown: Share | None = 0.0005
    """Share of rows that name an article or customer that no table has, at most. They are in quarantine; above
    `data.max_bad_rows` of rows that are bad for any reason nothing is ingested anyway."""
    new_articles: Share | None = 0.2
    """Share of purchases of articles that were never sold before, above the usual share."""
    price: Ratio | None = 0.3
    """How far the mean price may be from the usual, as a share of it."""
    channels: Share | None = 0.15
    """Share of purchases that would have to change channel to get the usual mix (total variation distance)."""
    repeats: Share | None = 0.5
    """Share of purchases of what the customer had bought in the four weeks before, at least, as a share of the usual.
    Where ids of customers were mixed up, volume, prices and channels look as always, and this falls to nothing."""


class Notify(BaseModel):
    """Who hears how a retrain ended. What goes wrong in telling is logged, and changes nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    command: tuple[str, ...] | None = None
    """A program and its arguments, run without a shell; it reads the record of the retrain as JSON."""
    webhook_variable: str | None = None
    """Environment variable that holds the URL to which the record is posted as JSON. The URL itself is a secret, and
    settings are written down with every run."""


class RetrainSettings(BaseModel):
    """When a new run takes the place of the current one, and what is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    tolerance: Share = 0.05
    """How far the new run's MAP@12 may be below what the current one achieved in the same week, as a share of it."""
    keep: Count = 8
    """Runs that stay on disk, the newest; the current one and the one before it stay in any case."""
    limits: Limits = Limits()
    """What a week of data must look like."""
    notify: Notify = Notify()
    """Who hears about it."""
    tracking: Literal["none", "mlflow", "wandb"] = "none"
    """Experiment tracking that gets settings and figures of every retrain, through its own library and its own
    environment variables (MLFLOW_TRACKING_URI, WANDB_API_KEY, …)."""
