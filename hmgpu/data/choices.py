"""What settings and options that are about data choose from; it loads nothing, as hmgpu/core/choices.py."""

from typing import Literal

VectorsOf = Literal["pictures", "text"]
"""What of an article a data set may hold a vector of: its picture, or its name and description."""
