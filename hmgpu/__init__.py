"""hmgpu: GPU-accelerated, end-to-end training of weekly fashion recommenders on H&M-shaped data."""

__version__ = "0.1.0"
