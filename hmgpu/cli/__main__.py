"""`python -m hmgpu.cli`: the command line where no script `hmgpu` is installed, as on a `PYTHONPATH`."""

from hmgpu.cli import main

main()
