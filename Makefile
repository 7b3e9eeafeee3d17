# The one definition of every check. `make` alone lists the targets.
#
# Needs python3.11 or newer with pip, and make; sets everything else up itself, in $(VENV).
#   make test PYTHON=python3.13 VENV=.venv313     another interpreter, beside the first
#   make test ARGS="tests/engine -k lease"        some of the tests

VENV   ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3 || echo python3)
ARGS   ?=

BIN    := $(VENV)/bin
STAMP  := $(VENV)/.set-up
# Debian's python3 without python3-venv makes an environment without pip: then the pip outside installs into it.
PIP     = $$( if $(BIN)/python -c 'import pip' 2>/dev/null; then echo $(BIN)/python -m pip; \
              else echo $(PYTHON) -m pip --python $(BIN)/python; fi )
PIP_INSTALL = $(PIP) --disable-pip-version-check --no-input install --quiet --root-user-action ignore

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup test soak check lint types imports format docs lock bench demo clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(STAMP) ## a virtual environment with the locked dependencies and both distributions, editable
	@:

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "error: python-not-found: '$(PYTHON)' is not Python 3.11 or newer" >&2; \
	    echo "  hint: install python3.11, or name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 3; }
	@$(PYTHON) -c 'from ensurepip import bootstrap' 2>/dev/null || $(PYTHON) -c 'import pip' 2>/dev/null || { \
	    echo "error: pip-not-found: '$(PYTHON)' has neither pip nor ensurepip" >&2; \
	    echo "  hint: on Debian: apt-get install python3-pip" >&2; exit 3; }
	@if $(PYTHON) -c 'from ensurepip import bootstrap' 2>/dev/null; then $(PYTHON) -m venv $(VENV); \
	 else $(PYTHON) -m venv --without-pip $(VENV); fi

$(STAMP): requirements/dev.txt pyproject.toml sdk/pyproject.toml sdk/trigger_sdk/protocol/version.py | $(BIN)/python
	@echo "setting up $(VENV)"
	@$(PIP_INSTALL) --require-hashes --requirement requirements/dev.txt
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable sdk --editable .
	@touch $@

test: setup ## every test but the soak tests; ARGS="..." goes to pytest
	@$(BIN)/python -m pytest -m "not soak" $(ARGS)

soak: setup ## the long tests under load
	@$(BIN)/python -m pytest -m soak --timeout 1800 $(ARGS)

check: lint types imports ## lint, format, types and import contracts

lint: setup ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup ## mypy, strict
	@$(BIN)/mypy

imports: setup ## which package may import which
	@$(BIN)/lint-imports

format: setup ## rewrite what ruff can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: setup ## generate the reference pages
	@$(BIN)/python docs/reference/generate.py

bench: setup ## the figures, as JSON lines
	@$(BIN)/python -m benchmarks $(ARGS)

demo: setup ## the ticket job through purchase, time-out and failure, with a worker killed on the way
	@$(BIN)/trigger demo $(ARGS)

lock: setup ## resolve the dependencies anew into requirements/
	@$(PIP_INSTALL) --require-hashes --requirement requirements/lock.txt
	@VENV=$(VENV) requirements/lock

clean: ## remove the virtual environment and all caches
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
