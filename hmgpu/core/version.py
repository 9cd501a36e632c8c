"""The version of hmgpu and the folder of its source."""

from pathlib import Path

VERSION = "0.1.0"
PACKAGE = Path(__file__).parents[1]
"""The folder of the package."""
