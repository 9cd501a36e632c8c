"""The values that settings and options choose from; imports nothing heavy, so `hmgpu --help` needn't load Polars."""

from typing import Literal

Choice = Literal["auto", "cpu", "gpu"]
"""The engine to ask for: `auto` takes the GPU where it works, else the CPU."""
