#!/usr/bin/env bash
# Packs hmgpu's packages for a GPU machine that has Python 3.12, PyTorch and no network:
#
#     scripts/pack_gpu_site.sh [--without-cuml] [OUT]   OUT/NN, one for each call that carries a folder; or .gpu-site
#
# There:  python3 scripts/gpu_site.py unpack OUT /tmp/site; export PYTHONPATH=/tmp/site PYTHON=python3
#         python3 scripts/gpu_site.py check /tmp/site; scripts/gpu_acceptance.sh --minutes 9
set -euo pipefail
cd "$(dirname "$0")/.."
exec "${PYTHON:-.venv/bin/python}" scripts/gpu_site.py pack "$@"
