# Every target prepares what it needs in .venv; `make` alone lists the targets.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
BROWSER := .venv/browser
INSTALL = [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get -q update && \
	DEBIAN_FRONTEND=noninteractive apt-get -qy install
PIP := $(BIN)/pip --disable-pip-version-check
COMPILE := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header pyproject.toml

# Without the compiled files each of pytest's processes would compile every test anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast check format bench crash docs lock

help:
	@awk -F ' *## ' '/^[a-z-]+:.* ## / { split($$1, name, ":"); printf "make %-10s %s\n", name[1], $$2 }' Makefile

demo: $(READY) ## Show the ledger at work, start to end [LOG=file]
	$(BIN)/hoso demo $(if $(LOG),--log "$(LOG)")

test: $(READY) $(BROWSER) ## Run every test
	$(BIN)/pytest --hypothesis-profile=ci

test-fast: $(READY) ## Run the tests that need no service, and few examples of each property
	$(BIN)/pytest --hypothesis-profile=dev -m "not postgres and not system and not slow" \
		--ignore=tests/api/test_schemathesis.py # its import takes long, and all of it needs a service

check: $(READY) ## Check format, lint, types, imports and the OpenAPI document
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.valid_openapi

format: $(READY) ## Format the code, and fix what lint can fix
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: $(READY) ## Measure; a table and build/bench.json [ONLY=name]
	$(BIN)/python -m tests.benchmarks $(ONLY)

crash: $(READY) ## Kill processes at random and count losses; build/crash.json [SEED=n] [KILLS=n]
	$(BIN)/python -m tests.system.crash --kills $(or $(KILLS),500) $(if $(SEED),--seed $(SEED))

docs: $(READY) ## Write the pages of docs/ that follow from the code
	$(BIN)/python -m tests.documents

lock: $(READY) ## Lock the dependencies of pyproject.toml again, at their newest
	$(COMPILE) --upgrade -o requirements.txt
	$(COMPILE) --upgrade --extra dev -c requirements.txt -o requirements-dev.txt

$(READY): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one with PYTHON=" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		{ $(INSTALL) python3-venv; } || \
		{ echo "Python's venv is missing; install it (Debian: apt-get install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(PIP) install -q --require-hashes -r requirements-dev.txt
	$(PIP) install -q --no-deps --no-build-isolation -e .
	@touch $@

$(BROWSER): $(READY)
	@command -v chromium >/dev/null || { $(INSTALL) --no-install-recommends chromium; } || \
		{ echo "chromium is missing; the pages are tested in it (Debian: apt-get install chromium)" >&2; exit 1; }
	@touch $@
