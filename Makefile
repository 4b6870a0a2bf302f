# Each target makes what it needs, inside this folder, and says so.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check bench crash faults api-fuzz openapi screenshots lock

help: ## show this list
	@echo "Usage: make TARGET"
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 16

# PORT is for `make demo`.
demo: $(VENV)/runtime ## run the bot and a Slack workspace in your browser (PORT=3031 picks a port)
	@$(BIN)/python -m bot demo $(if $(PORT),--port $(PORT))

test: $(VENV)/dev ## run every test; browser tests are skipped without Chromium
	$(BIN)/python -m pytest -n auto --dist worksteal

check: $(VENV)/dev ## check format, lint, types and import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/dev ## measure speed and memory; prints each ratio beside its limit
	$(BIN)/python tests/bench

# KILLS is for `make crash`.
crash: $(VENV)/dev ## run the crash tests with 200 kills instead of 20 (KILLS=1000 picks a number)
	OPTIN_CRASH_RUNS=$(or $(KILLS),200) $(BIN)/python -m pytest -m crash

faults: $(VENV)/dev ## bring about every fault of docs/faults.md: kills, full disks, wrong clocks
	OPTIN_FLOOD_SECONDS=60 $(BIN)/python -m tests.support.fault_page -n auto --dist worksteal

# OPTIN_FUZZ_MINUTES is for `make api-fuzz`.
api-fuzz: $(VENV)/dev ## search the API for faults for 20 minutes with schemathesis
	OPTIN_FUZZ_MINUTES=$${OPTIN_FUZZ_MINUTES:-20} $(BIN)/python -m pytest -s tests/api/test_api_fuzz.py

openapi: $(VENV)/dev ## write docs/openapi.json, the API's document
	$(BIN)/python -m tests.support.published_api

screenshots: $(VENV)/dev ## take the pictures of the documentation from the sandbox
	OPTIN_BROWSER=required $(BIN)/python -m pytest tests/browser/test_browser_demo.py tests/browser/test_browser_cases.py
	mkdir -p docs && cp build/screenshots/card.png build/screenshots/saved.png docs
	cp build/screenshots/card-waiting.png docs/waiting.png

# Pins stay as they are if pyproject.toml allows. `make lock UPGRADE=--upgrade` takes the newest.
lock: ## write the lock files from pyproject.toml
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	$(PYTHON) -m venv "$$folder" && \
	"$$folder/bin/python" -m pip --disable-pip-version-check install --quiet uv && \
	compile="$$folder/bin/uv pip compile --quiet --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-annotate $(UPGRADE) pyproject.toml" && \
	$$compile --output-file requirements.lock && \
	$$compile --group dev --output-file requirements-dev.lock

$(VENV)/runtime: requirements.lock | $(VENV)/made
	@echo "Installing the packages of requirements.lock into $(VENV)"
	@$(PIP) -r requirements.lock
	@touch $@

$(VENV)/dev: requirements-dev.lock | $(VENV)/made
	@echo "Installing the packages of requirements-dev.lock into $(VENV)"
	@$(PIP) -r requirements-dev.lock
	@touch $@ $(VENV)/runtime

$(VENV)/made:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Optin needs Python 3.11 or newer, and there is no $(PYTHON) here."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Optin needs Python 3.11 or newer; this is $$($(PYTHON) --version)."; \
	  echo "If you have a newer one: make PYTHON=python3.13 ..."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) can't make virtual environments. On Debian and Ubuntu, this fixes it:"; \
	  echo "  sudo apt install python3-venv"; exit 1; }
	@echo "Making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@printf '%s\n' '#!/bin/sh' 'root=$$(cd "$$(dirname "$$0")/../.." && pwd)' \
	  'PYTHONPATH="$$root" exec "$$root/$(BIN)/python" -m bot "$$@"' > $(BIN)/optin
	@chmod +x $(BIN)/optin
	@touch $@
