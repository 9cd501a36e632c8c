"""What settings and options choose from; it loads nothing, so that `hmgpu --help` need not wait for Polars."""

from typing import Literal

Choice = Literal["auto", "cpu", "gpu"]
"""An engine to ask for: `auto` takes the GPU where it can run, else the CPU."""
