# Two commands are enough on a machine with Python 3.11, pip and make: `make demo` and `make test`.

.DEFAULT_GOAL := help

PYTHON ?= python3.11
BIN := .venv/bin
UV := $(BIN)/uv pip
# RAPIDS has wheels for Linux alone, and imports without a GPU: there the tests check every plan for cuDF.
GPU_STACK := $(if $(filter Linux-x86_64,$(shell uname -sm | tr ' ' '-')),gpu,cpu)
# What pyproject.toml overrides out has no place in a lock that is installed with --no-deps.
COMPILE := $(UV) compile -q --upgrade --python-version 3.11 --no-header --no-annotate --no-emit-index-url --no-emit-find-links
PROJECT := pyproject.toml --group dev --group docs \
	--extra app --extra automl --extra cluster --extra encoders --extra feast --extra kaggle --extra merlin --extra models --extra peers \
	--extra plot --extra relbench --extra serve --extra tune \
	--no-emit-package nvidia-nccl-cu12 --no-emit-package dask-cuda --no-emit-package pynvml --no-emit-package rapids-dask-dependency

.PHONY: help demo test docs gpu-acceptance lint audit format lock setup setup-gpu clean

help:  ## Print the targets
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / {printf "make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/cpu.stamp  ## Generate data, run the whole pipeline on it, show the result
	$(BIN)/hmgpu demo

test: .venv/$(GPU_STACK).stamp lint  ## Lint, then all tests, two processes of them
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

# Material announces MkDocs 2.0 on every build; pyproject.toml keeps to MkDocs 1.
docs: .venv/cpu.stamp  ## Write the generated pages, then build the site into site/
	$(BIN)/python scripts/generate_docs.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

gpu-acceptance: .venv/gpu.stamp  ## All that only an NVIDIA GPU can show, into docs/results/gpu-MODEL-DATE
	scripts/gpu_acceptance.sh

lint: .venv/$(GPU_STACK).stamp  ## Formatting, lint rules, types, and whether what is installed is what is locked
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python scripts/check_lock.py

# NVTabular's own loading of pickles, which nothing here calls: see docs/faults.md.
KNOWN := --ignore-vuln CVE-2025-33214 --ignore-vuln CVE-2026-24221 --ignore-vuln CVE-2026-24237

audit: .venv/cpu.stamp  ## Known vulnerabilities of what both locks hold; asks PyPI, so it needs a network
	$(BIN)/uv tool run pip-audit --strict --no-deps --disable-pip $(KNOWN) -r requirements.lock
	$(BIN)/uv tool run pip-audit --strict --no-deps --disable-pip $(KNOWN) -r requirements-gpu.lock

format: .venv/cpu.stamp  ## Format the code in place
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

setup: .venv/cpu.stamp  ## What runs on a CPU

setup-gpu: .venv/gpu.stamp  ## RAPIDS too (Linux x86-64, CUDA 13)

# The locks are complete, so nothing is resolved here (--no-deps): what was tested is what gets installed.
.venv/cpu.stamp: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check uv
	$(UV) install -q --no-deps -r requirements.lock
	$(UV) install -q --no-deps -e .
	touch $@

.venv/gpu.stamp: .venv/cpu.stamp requirements-gpu.lock
	$(UV) install -q --no-deps -r requirements-gpu.lock
	touch $@

lock: .venv/cpu.stamp  ## Resolve the locks again; the GPU one first, since RAPIDS is the pickiest
	$(COMPILE) $(PROJECT) --extra gpu --python-platform x86_64-manylinux_2_28 -o requirements-gpu.lock
	$(COMPILE) $(PROJECT) --universal -c requirements-gpu.lock -o requirements.lock
	$(COMPILE) pyproject.toml --extra cluster --extra kaggle --extra plot --extra serve --extra tune \
		--no-emit-package nvidia-nccl-cu12 --universal -c requirements.lock -o docker/cpu.lock
	$(COMPILE) --group image --universal -o docker/tools.lock

clean:  ## Remove what the demo wrote
	rm -rf demo
