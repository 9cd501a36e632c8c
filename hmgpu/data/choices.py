"""Values that settings and options about data choose from; imports nothing heavy, like hmgpu/core/choices.py."""

from typing import Literal

VectorsOf = Literal["pictures", "text"]
"""What an article's vector describes: its picture, or its name and description."""
