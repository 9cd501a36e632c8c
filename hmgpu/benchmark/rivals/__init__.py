"""The ordinary way: what a data scientist would write with pandas and torch alone. Only benchmarks use it."""

from hmgpu.core.extras import needed_by

with needed_by("A benchmark against pandas"):
    import pandas  # noqa: F401  (checked here, once for all rivals)
