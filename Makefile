# The only command surface: what CI runs is what you run.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
SEED ?=
PYTEST := $(BIN)/python -m pytest
# pytest rewrites every test module, and every process of a test imports the project: both from compiled files.
unexport PYTHONDONTWRITEBYTECODE
# Most of the suite waits for something, so two workers run whole systems and two all else: see tests/support/schedule.py.
WORKERS := -n 4

# Kafka's jars and pip's downloads stay in this folder too: nothing outside it is written.
export XERO_STREAM_CACHE_DIR ?= $(CURDIR)/.cache/xero-stream

.PHONY: help install demo test robustness alerts unit lint format bench soak sinks consumers clients generators schemas sbom audit lock clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

$(VENV)/.installed-dev: requirements/dev.lock pyproject.toml scripts/install.sh
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh scripts/install.sh dev

# The demo needs no development tools; `dev` has all of `local`.
$(VENV)/.installed-local: requirements/local.lock pyproject.toml scripts/install.sh
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh scripts/install.sh local

install: $(VENV)/.installed-dev ## a virtual environment with everything, hash-pinned

demo: $(VENV)/.installed-local ## everything on this machine, against the simulator (ARGS="--seconds 30 --chaos")
	@$(BIN)/xero-stream demo $(ARGS)

test: lint ## the whole suite, on a real Kafka and a real PostgreSQL
	$(PYTEST) $(WORKERS) $(ARGS) tests

robustness: install ## failures drawn by seed, under load (SEED=n repeats one; ARGS="-k zombie")
	XERO_STREAM_LONG=1 XERO_STREAM_SEED=$(SEED) $(PYTEST) $(ARGS) tests/robustness

alerts: install ## every alert rule fired and ended by Prometheus itself (Debian's package, installed if missing)
	sh scripts/prometheus.sh
	XERO_STREAM_LONG=1 XERO_STREAM_SEED=$(SEED) $(PYTEST) $(ARGS) tests/alerts

unit: install ## pure parts only, in seconds
	$(PYTEST) -n 2 $(ARGS) tests/unit tests/properties

lint: install ## ruff, mypy strict, import contracts, stale schemas
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m xero_stream.contracts.schemas --check schemas

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schemas: install ## regenerate schemas/, .env.example and the tables of settings, entities and metrics from the code
	$(BIN)/python -m xero_stream.contracts.schemas --write schemas
	$(BIN)/python -m xero_stream.settings.example .env.example docs/configuration.md
	$(BIN)/python -m xero_api.reference docs/entities.md
	$(BIN)/python -m xero_stream.telemetry.page --write docs/metrics.md receiver.metrics:ReceiverMetrics processors.metrics:ProcessorMetrics console.metrics:ConsoleMetrics

bench: install ## the figures, as ratios against peers in the same run
	$(BIN)/python -m benchmarks $(ARGS)

soak: install ## the long forms: crashes, first starts interrupted at every second
	XERO_STREAM_SOAK=1 XERO_STREAM_SEED=$(SEED) $(PYTEST) $(ARGS) tests/properties tests/robustness tests/integration/install $(addprefix tests/commands/test_,canaries.py demo.py first_start.py)

sinks: install ## Flink and Kafka Connect over published topics (needs a JDK; jars out of Maven Central)
	XERO_STREAM_NIGHTLY=1 $(PYTEST) $(ARGS) tests/sinks

consumers: install ## other people's Kafka clients and the CloudEvents SDKs run what docs/consuming.md shows (needs Node.js)
	XERO_STREAM_NIGHTLY=1 $(PYTEST) $(ARGS) tests/consumers

clients: install ## foreign clients of Xero's API, as published, take the simulator for Xero (needs Node.js)
	XERO_STREAM_NIGHTLY=1 $(PYTEST) $(ARGS) tests/clients

generators: install ## code generators and AsyncAPI's parser over schemas/ (needs Node.js and Go)
	XERO_STREAM_NIGHTLY=1 $(PYTEST) $(ARGS) tests/generators

sbom: ## what ships, as CycloneDX with licences, in dist/ (from requirements/runtime.lock)
	PYTHON="$(PYTHON)" sh scripts/sbom.sh

audit: ## known weaknesses of what ships (pip-audit; needs the package index's or OSV's data)
	PYTHON="$(PYTHON)" sh scripts/tools.sh
	.tools/bin/pip-audit --disable-pip --require-hashes --strict --requirement requirements/runtime.lock $(ARGS)

lock: ## re-pin requirements/*.lock (needs uv); ARGS=--upgrade for the newest of everything
	uv pip compile $(ARGS) --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --group dev --extra local pyproject.toml -o requirements/dev.lock
	uv pip compile $(ARGS) --universal --generate-hashes --no-header --no-annotate --python-version 3.11 -c requirements/dev.lock --group build --extra local pyproject.toml -o requirements/local.lock
	uv pip compile $(ARGS) --universal --generate-hashes --no-header --no-annotate --python-version 3.11 -c requirements/dev.lock pyproject.toml -o requirements/runtime.lock
	uv pip compile $(ARGS) --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --group pyproject.toml:tools -o requirements/tools.lock

clean: ## remove the virtual environment and all caches (not .xero-stream, the data of local servers)
	rm -rf $(VENV) .tools .cache .mypy_cache .ruff_cache .hypothesis
