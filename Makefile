# `make` alone lists what there is.

ifneq ($(origin PYTHON),undefined)
export POLLARD_PYTHON_NAMED := 1
endif
PYTHON ?= python3
ARGS ?=

VENV := .venv/bin
PYTHON_FITS = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "Pollard needs Python 3.11 or newer, and “$(PYTHON)” is none: name one, as in make $@ PYTHON=/usr/bin/python3.12" >&2; exit 1; }
TOOL = @$(PYTHON_FITS); $(PYTHON) tools

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

.PHONY: help
help: ## List these targets
	@echo "Usage: make TARGET [NAME=value …]"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '  %-14s%s\n' "$$name" "$$text"; done
	@echo
	@echo "POLLARD_ENGINE=dolt chooses the server engine, PORT= the port, PYTHON= the Python."

.PHONY: run
run: ## Run the site with demo data on http://127.0.0.1:8000 (PORT=)
	$(TOOL)/run.py

.PHONY: reset
reset: ## Delete the data that `make run` made
	$(TOOL)/datafolder.py

.PHONY: test
test: ## Run the tests, on each engine that is here (ARGS="-k name")
	$(TOOL)/test.py $(ARGS)

.PHONY: bench
bench: ## Measure, beside the raw engines (ARGS="votes" measures that alone)
	$(TOOL)/bench.py $(ARGS)

.PHONY: dolt
dolt: ## Build a Dolt server with Go, into the user's cache
	$(TOOL)/build_dolt.py

.PHONY: screenshot
screenshot: ## Take the README's picture anew
	$(TOOL)/screenshot.py

.PHONY: dev-environment
dev-environment:
	$(TOOL)/environment.py dev

.PHONY: format
format: dev-environment ## Format Python and templates
	@$(VENV)/ruff format -q .
	@$(VENV)/ruff check -q --fix .
	@git ls-files -z -- '*.html' | xargs -0r $(VENV)/djade --target-version 5.2

.PHONY: lint lint-python lint-layout lint-templates
lint: lint-python lint-layout lint-templates ## Check style: Python and templates
lint-python: dev-environment
	@$(VENV)/ruff check .
lint-layout: dev-environment
	@$(VENV)/ruff format --check .
	@git ls-files -z -- '*.html' | xargs -0r $(VENV)/djade --check --target-version 5.2
lint-templates: dev-environment
	@$(VENV)/djlint --lint --quiet templates versioning/templates

# The types need the settings, and those the embedded engine, which must be
# loaded before sqlite3, which mypy uses itself.
.PHONY: types
types: dev-environment ## Check types
	@$(VENV)/python -c 'from versioning.backends.doltlite import boot; boot.load(); from mypy.__main__ import console_entry as mypy; mypy()'

.PHONY: check
check: ## Check the settings as deployed, and that no migration is missing
	$(TOOL)/check.py

.PHONY: requirements
requirements: dev-environment ## Pin versions anew from pyproject.toml (UPGRADE=1: newest)
	$(TOOL)/requirements.py
