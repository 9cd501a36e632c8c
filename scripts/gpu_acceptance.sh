#!/usr/bin/env bash
# All that only an NVIDIA GPU can show, in one call; gpu_acceptance.py says what, and how it is called.
# PYTHON: the interpreter; .venv's where there is one. With the packages of pack_gpu_site.sh: PYTHONPATH=SITE PYTHON=python3
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ -z ${PYTHON:-} ]]; then
  PYTHON=$([[ -x .venv/bin/python ]] && echo .venv/bin/python || echo python3)
fi
export PYTHON
exec "$PYTHON" scripts/gpu_acceptance.py "$@"
