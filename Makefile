# `make run` starts Readback, `make test` checks everything, `make quick` what needs no other program.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Python compiles a module when it first imports it, and most of what is installed never is. A lock
# file names all that there is to install.
INSTALL := $(PIP) install --no-compile --no-deps
HTMX := static/vendor/htmx.min.js
NODE_CLIENT := node_modules/openai/package.json
SDK_TESTS := .cache/openai-python
NPM_CI := npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error

# Two more than cores: a test that waits for a browser, a process or a deadline leaves its core idle.
WORKERS := $(shell echo $$((2 + $$(nproc))))

# Without its bytecode, each process of the tests compiles the project anew, which takes seconds.
unexport PYTHONDONTWRITEBYTECODE

export HOST ?= 127.0.0.1
export PORT ?= 8000

.PHONY: run test quick lint format docs screenshots dist lock clean
.DELETE_ON_ERROR:

run: $(VENV)/.run $(HTMX)
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec $$(sed -n 's/^web: //p' Procfile)

# While one core checks types, another compiles the tests: each worker would do it for itself. The
# tests do not wait for the rest of the check, unless it has already failed.
test: $(VENV)/.test $(HTMX) $(NODE_CLIENT) $(SDK_TESTS)/PKG-INFO
	@make --no-print-directory lint & lint=$$!; \
	  $(BIN)/python -m pytest --collect-only -qq >/dev/null 2>&1; \
	  kill -0 $$lint 2>/dev/null || { wait $$lint || exit; lint=; }; \
	  . tools/temporary.sh && . tools/chromium.sh && . tools/postgres.sh && . tools/nginx.sh && . tools/redis.sh && . tools/pgbouncer.sh \
	  && PATH="$$PATH:$(CURDIR)/$(BIN)" $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal; \
	  tests=$$?; wait $$lint && exit $$tests

quick: $(VENV)/.test
	@. tools/temporary.sh && $(BIN)/python -m pytest -q -n auto --dist worksteal \
	  -m "not browser and not hostile and not process and not sdk"

lint: $(VENV)/.test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(VENV)/.test
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(VENV)/.run
	@$(BIN)/python tools/reference.py docs/reference.md
	@$(BIN)/python tools/checks_table.py docs/checks.md

screenshots: $(VENV)/.test $(HTMX)
	@. tools/chromium.sh && $(BIN)/python -m tools.screenshots

# A wheel and a source distribution in dist/; both contain htmx.
dist: $(VENV)/.run $(HTMX)
	@rm -rf dist
	@$(BIN)/hatchling build -d dist

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Readback needs Python 3.11 or newer; say which with: make PYTHON=python3.12 run" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { rm -rf $(VENV); echo "On Debian, first: apt-get install python3-venv" >&2; exit 1; }

# Both marks install Readback itself in place; the second adds what only tests need.
$(VENV)/.run: requirements/run.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing Readback's dependencies into $(VENV) (once)"
	@$(INSTALL) --require-hashes -r requirements/run.lock
	@$(INSTALL) --no-build-isolation -e .
	@touch $@

$(VENV)/.test: requirements/dev.lock $(VENV)/.run
	@echo "Installing what the tests need into $(VENV) (once)"
	@$(INSTALL) --require-hashes -r requirements/dev.lock
	@touch $@

# htmx comes from npm, by the hash in package-lock.json; npm itself from the Python package
# index where the machine has none.
$(HTMX): package.json package-lock.json | $(VENV)/bin/python
	@command -v npm >/dev/null || $(INSTALL) --require-hashes -r requirements/node.lock
	@PATH="$$PATH:$(CURDIR)/$(BIN)" $(NPM_CI) --omit=dev
	@mkdir -p $(@D)
	@cp node_modules/htmx.org/dist/htmx.min.js $@

# The official Node client, for tests alone; installing what `make run` needs takes it away again.
$(NODE_CLIENT): $(HTMX)
	@PATH="$$PATH:$(CURDIR)/$(BIN)" $(NPM_CI)
	@touch $@

# The official Python client's own tests, which only its source distribution has.
$(SDK_TESTS)/PKG-INFO: requirements/sdk-tests.lock | $(VENV)/.test
	@rm -rf $(SDK_TESTS)
	@mkdir -p $(SDK_TESTS)
	@$(PIP) download --no-deps --no-build-isolation --no-binary openai --require-hashes \
	  --dest $(SDK_TESTS) -r requirements/sdk-tests.lock
	@tar -xzf $(SDK_TESTS)/openai-*.tar.gz -C $(SDK_TESTS) --strip-components=1
	@touch $@

# Needs uv. The lock files name packages and hashes, never an index.
lock:
	@for set in run image dev fuzz node; do \
	  case $$set in \
	    run) from="pyproject.toml --group pyproject.toml:build" ;; \
	    image) from="pyproject.toml --extra postgres --extra redis" ;; \
	    dev) from="pyproject.toml --extra postgres --extra redis --group pyproject.toml:dev --group pyproject.toml:bench" ;; \
	    fuzz) from="pyproject.toml --group pyproject.toml:fuzz" ;; \
	    node) from="--group pyproject.toml:node" ;; \
	  esac; \
	  uv pip compile $$from --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	    --quiet -o requirements/$$set.lock || exit 1; \
	done
	@npm install --package-lock-only --ignore-scripts --no-audit --no-fund --loglevel=error

clean:
	rm -rf $(VENV) .cache node_modules static/vendor build dist .mypy_cache .pytest_cache .ruff_cache
