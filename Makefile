# Everything a developer does. Needs Python ≥ 3.11, make and git; the rest is installed here.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
# pip needs no look at dependencies: the lock names them all, with hashes.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-reset test lint format types contracts migrations-check pytest postgres bench lock browser \
  bundle edge-tools deploy-edge instant-push instant-json

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup: $(VENV)/.installed ## Install what the lock names into .venv

$(VENV)/.installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing Python packages into $(VENV) (about a minute, once) …"
	@$(PIP) -r requirements.lock
	@touch $@

# npm's scripts are not run: esbuild and workerd ship their binaries as packages. The demo needs package.json's
# `dependencies` only, a tenth of it all; whoever has it all has that too.
NPM_CI := cd edge_worker && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error

edge_worker/node_modules/.for-the-demo: edge_worker/package-lock.json $(VENV)/.installed
	@echo "Installing what bundles the storefront's JavaScript …"
	@$(NPM_CI) --omit=dev
	@touch $@

edge_worker/node_modules/.all: edge_worker/package-lock.json $(VENV)/.installed
	@echo "Installing what bundles and tests the Worker …"
	@$(NPM_CI)
	@touch edge_worker/node_modules/.for-the-demo $@

edge_worker/src/storefront/bundle.py: edge_worker/build.mjs $(wildcard edge_worker/browser/*) edge_worker/node_modules/.for-the-demo
	@cd edge_worker && node build.mjs

bundle: edge_worker/src/storefront/bundle.py ## Bundle the storefront's JavaScript

# MarkupSafe has no pure wheel: this machine's is taken and its compiled half dropped.
edge_worker/python_modules/.synced: edge_worker/requirements.lock $(VENV)/.installed
	@rm -rf edge_worker/python_modules
	@$(PIP) --no-compile --only-binary=:all: --target edge_worker/python_modules -r edge_worker/requirements.lock
	@find edge_worker/python_modules -name '*.so' -delete
	@touch $@

edge-tools: edge_worker/node_modules/.all bundle edge_worker/python_modules/.synced ## What bundles and tests the Worker

deploy-edge: setup edge-tools ## Deploy the Worker: ENV=staging or ENV=production; DRY_RUN=1 uploads nothing (docs/deploy.md)
	@$(BIN)/python -m controlplane.deploy.edge $(if $(DRY_RUN),--dry-run) "$(ENV)"

demo: setup bundle ## Start the whole platform on loopback with demo shops; Ctrl-C stops it
	@$(BIN)/python manage.py demo

demo-reset: setup bundle ## Delete the demo's data and start afresh
	rm -rf .local
	@$(BIN)/python manage.py demo

test: lint types contracts migrations-check pytest postgres ## Everything a change needs: lint, types, contracts, migrations, tests

lint: setup ## Formatting and lint
	@ruff format --check .
	@ruff check .

format: setup ## Format and fix what can be fixed
	@ruff format . && ruff check --fix .

types: setup ## mypy, strict
	@mypy

contracts: setup ## Who may import whom
	@PYTHONPATH=.:edge_worker/src lint-imports

migrations-check: setup ## Models and migrations agree; production settings pass Django's deployment checks
	@REDIS_URL=memory:// $(BIN)/python manage.py makemigrations --check --dry-run

pytest: setup edge-tools browser
	@$(BIN)/python -m pytest -n auto --dist loadgroup

postgres: setup ## The tests that depend on the database, on an embedded PostgreSQL
	@$(BIN)/python -m tests.postgres -q -n auto --dist loadgroup

# The browser tests drive Debian's Chromium; where it can't be installed they are skipped and say so.
browser:
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	  && echo "Installing Chromium for the browser tests …" && apt-get update -qq && apt-get install -qq -y chromium >/dev/null; } \
	  || echo "No chromium found: the browser tests will be skipped (install your system's chromium to run them)."

bench: setup edge-tools browser ## Measure; figures and how they were run are in docs/performance.md
	@PYTHONPATH=.:edge_worker/src $(BIN)/python -m tests.benchmarks $(ONLY)

lock: setup ## Resolve both pyproject.toml anew into their requirements.lock
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --all-extras pyproject.toml -o requirements.lock
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --constraints requirements.lock pyproject.toml -o controlplane/deploy/requirements.lock
	@cd edge_worker && uv pip compile --quiet --python-version 3.14 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links pyproject.toml -o requirements.lock

instant-push: setup edge-tools ## Push instant.schema.ts and instant.perms.ts to the Instant apps that the settings name
	@$(BIN)/python manage.py push_instant

instant-json: edge-tools ## Write the JSON form of instant.schema.ts and instant.perms.ts that the stand-in begins with
	@cd edge_worker && node --no-warnings instant.json.mjs > ../controlplane/localcloud/instant/storefront.json
