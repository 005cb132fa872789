# What can be done here; each needs nothing but python3 (3.11 or later) and make. `make help` lists it.
PYTHON ?= python3
BIN := .venv/bin
EXPLORER := $(shell find explorer -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/__pycache__/*' 2>/dev/null)

.PHONY: help setup explorer demo serve check test test-browser test-npm soak load bench docs lock wheel clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: .venv/.stamp-setup explorer ## .venv/ with the locked packages and .venv/bin/hub

.venv/.stamp-setup: requirements-dev.lock pyproject.toml hub/__init__.py
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed; set PYTHON=" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps -e . && touch $@

explorer: .venv/.stamp-explorer ## the query page, built into hub/serve/static/

.venv/.stamp-explorer: .venv/.stamp-setup $(EXPLORER)
	$(BIN)/python explorer/build.py && touch $@

demo: setup ## departments and hub on this machine, one question answered, then serving (ARGS="--once")
	$(BIN)/hub demo $(ARGS)

serve: setup ## the hub alone, as hub.toml says (ARGS="--config FILE")
	$(BIN)/hub serve $(ARGS)

check: setup ## style, types, import rules, names in the lock
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/house/test_imports.py tests/house/test_names.py tests/house/test_prose.py

test: setup ## all tests but browser and npm, on all cores up to eight (ARGS="tests/plan -x", "-n 0" in one process)
	$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal $(ARGS)

test-browser: setup ## the query page in headless Chromium
	$(BIN)/python -m pytest -m browser $(ARGS)

test-npm: setup ## the estates of tests/federation by the libraries from npm: composed anew, behind the reference gateway, asked by a client
	$(BIN)/python -m pytest -m npm $(ARGS)

soak: setup ## random cases against the oracle (ARGS="--minutes 5", "--cases 20000 --seed 7", "--planted")
	$(BIN)/python -m tests.properties.soak $(ARGS)

load: setup ## the demo under steady load (ARGS="--seconds 600")
	$(BIN)/python -m bench.load $(ARGS)

bench: setup ## planning and composing time by number of systems; flat and nested answers, and many clients, against ordinary ways
	$(BIN)/python -m bench.planning && $(BIN)/python -m bench.composing
	$(BIN)/python -m bench.leaves $(ARGS)
	$(BIN)/python -m bench.nested $(ARGS)
	$(BIN)/python -m bench.clients $(ARGS)

docs: setup ## the pages generated from code: docs/errors.md
	$(BIN)/python -m hub.docs

LOCK := pip compile pyproject.toml -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra postgres --extra mysql --extra oracle --extra soap --extra grpc --extra files --extra sftp --extra s3 --extra nats --extra mqtt --extra amqp --extra kafka
lock: setup ## the lock files, from pyproject.toml (ARGS="--upgrade")
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv $(LOCK) $(ARGS) -o requirements.lock
	$(BIN)/uv $(LOCK) $(ARGS) -c requirements.lock --extra demo --extra dev -o requirements-dev.lock

wheel: setup ## dist/yiwang_hub-*.whl
	$(BIN)/python -m build --wheel --no-isolation

clean: ## all that was built, .venv/ included
	rm -rf .venv dist build hub/serve/static explorer/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
