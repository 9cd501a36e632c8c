"""The silhouettes of the product types that the synthetic catalogue has."""

from hmgpu.data.synthetic.pictures.clothes import CLOTHES
from hmgpu.data.synthetic.pictures.small_things import SMALL_THINGS

SILHOUETTES = CLOTHES | SMALL_THINGS
"""By the name of the product type."""
