# Slipway: one obvious command for everything. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
RERUNS ?= 0
WORKERS ?= 2
PYTEST := $(BIN)/pytest --numprocesses $(WORKERS) --dist loadscope --no-loadscope-reorder --reruns $(RERUNS)
UV_VERSION := 0.13.9
CODE := operator model-server/slipway_runtime tests examples
export PYTHONPATH := $(CURDIR)
export SLIPWAY_TEST_KUBECONFIG ?= $(CURDIR)/.cluster/kubeconfig

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}'

# ---- what users run first

.PHONY: demo
demo: install ## Set everything up and run the main job end to end on a real cluster
	$(BIN)/python examples/quickstart/demo.py

.PHONY: test
test: lint types verify ## Set everything up and run every test (unit, cluster, integration, e2e)
	$(BIN)/python -m tests.cluster down
	$(PYTEST) tests -m "not full"

.PHONY: test-full
test-full: lint types verify ## All tests, with the longer proofs
	$(BIN)/python -m tests.cluster down
	$(PYTEST) tests

# ---- parts of the tests

.PHONY: unit
unit: $(READY) ## Tests without a cluster
	$(PYTEST) tests/unit

.PHONY: integration
integration: $(READY) tools ## Tests on a real apiserver without a node
	$(PYTEST) tests/integration -m "not full"

.PHONY: e2e
e2e: install ## Tests on the whole cluster, with real pods
	$(BIN)/pytest tests/e2e -m "not full"

.PHONY: faults
faults: $(READY) tools ## Kill the operator at every write it makes; the crash matrix, sampled
	$(PYTEST) tests/faults -m "not full"

.PHONY: bench
bench: $(READY) tools ## Measure, and print the tables of docs/benchmarks.md
	$(BIN)/python -m tests.bench

.PHONY: lint
lint: $(READY) ## Style, format and import contracts
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/lint-imports

.PHONY: types
types: $(READY) ## Strict type checks
	$(BIN)/mypy operator/slipway model-server/slipway_runtime tests

# ---- what is generated

.PHONY: crds
crds: $(READY) ## Generate CRDs, the chart's copies and the spec pages from the types
	$(BIN)/python -m slipway.api.generate .

.PHONY: verify
verify: $(READY) ## Fail when something generated is not up to date
	$(BIN)/python -m slipway.api.generate . --check

.PHONY: lock
lock: $(READY) ## Resolve the one lock for Python 3.11 and 3.12 anew
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 \
	  pyproject.toml model-server/pyproject.toml --all-extras --no-emit-package slipway-runtime -o requirements.lock

# ---- the cluster

.PHONY: tools
tools: $(READY) ## Build the cluster's programs (once; kept in the cache)
	$(BIN)/python -m tests.cluster.tools

.PHONY: cluster
cluster: $(READY) ## Bring up a Kubernetes for this machine: kind where Docker answers, else bare processes (root)
	$(BIN)/python -m tests.cluster up

.PHONY: images
images: cluster ## Build the images and load them into the cluster
	$(BIN)/python -m tests.cluster images

.PHONY: install
install: images ## Install the chart into the cluster
	$(BIN)/python -m tests.cluster install

.PHONY: cluster-down
cluster-down: $(READY) ## End the cluster and remove all that it left on this machine
	$(BIN)/python -m tests.cluster down

# ---- the Python environment

$(READY): requirements.lock pyproject.toml model-server/pyproject.toml
	@echo "  … setting up $(VENV)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip sync -q --require-hashes requirements.lock
	$(BIN)/uv pip install -q --no-deps -e . -e model-server
	@touch $@
