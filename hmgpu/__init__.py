"""hmgpu: GPU-accelerated, end-to-end training of weekly fashion recommenders on H&M-shaped data."""

import os

__version__ = "0.1.0"

# Before Polars is loaded: else its allocator keeps what was freed (a group-by of 40 M rows left 2.7 GiB behind), and
# the memory that is planned with would be gone.
os.environ.setdefault("_RJEM_MALLOC_CONF", "muzzy_decay_ms:0")
