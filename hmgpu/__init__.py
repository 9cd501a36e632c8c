"""hmgpu: GPU-accelerated, end-to-end training of weekly fashion recommenders on H&M-shaped data."""

import os

__version__ = "0.1.0"

# Before Polars is loaded: else its allocator keeps what was freed (a group-by of 40 M rows left 2.7 GiB behind), and
# the memory that is planned with would be gone. For a second it may keep it, large pieces too, and in huge pages: what
# is given back at once is asked for again at once, page by page (a fifth of the page faults; docs/results/profiles.md).
os.environ.setdefault("_RJEM_MALLOC_CONF", "oversize_threshold:0,dirty_decay_ms:1000,muzzy_decay_ms:0,thp:always")
