# Every target sets up its own environment; nothing else need be run first.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.hwgen-setup
BENCH  := $(VENV)/.hwgen-bench
DOCS   := $(VENV)/.hwgen-docs
JOBS   ?= 2
# Versions to install; CONSTRAINTS=.ci/lowest.txt for the oldest, /dev/null for the newest.
CONSTRAINTS ?= .ci/constraints.txt
PIP := $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off -c $(CONSTRAINTS)

# cocotb and Verilator start `python` by name.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Tests run in JOBS processes, so each has one thread: two would wait for each other.
ifeq ($(origin OMP_NUM_THREADS),undefined)
test test-slow mutation: export OMP_NUM_THREADS := 1
endif
export OMP_NUM_THREADS ?= 2

.PHONY: help setup demo test test-slow mutation lint docs benchmarks wheel-check clean

help:
	@echo "make setup       create $(VENV) with everything that hwgen needs"
	@echo "make demo        the whole line on scikit-learn's digits, in a few minutes"
	@echo "make test        lint, format, types and the tests; TURN=0 to 9 or all chooses random cases"
	@echo "make test-slow   the tests that take minutes, and the random cases of all turns"
	@echo "make mutation    break the code in many places and see whether the tests notice"
	@echo "make docs        the documentation site, in out/docs"
	@echo "make benchmarks  every benchmark's table (needs HWGEN_DATA)"
	@echo "make wheel-check the demo with a built wheel, outside of the checkout; PYTHON=... chooses"
	@echo "make clean       remove build products, keep $(VENV)"

setup: $(STAMP)

$(STAMP): pyproject.toml .ci/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "hwgen: error: $(PYTHON) is older than Python 3.11; use make PYTHON=python3.11" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -e '.[dev]'
	touch $@

$(BENCH): $(STAMP)
	$(PIP) -e '.[bench]'
	touch $@

$(DOCS): $(STAMP)
	$(PIP) -e '.[docs]'
	touch $@

demo: $(STAMP)
	$(BIN)/hwgen demo

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

test: lint
	$(BIN)/pytest -n $(JOBS) --dist worksteal $(addprefix --turn ,$(TURN))

test-slow: $(STAMP)
	$(BIN)/pytest -n $(JOBS) --dist worksteal -m "slow or turn" --turn all

# -E reads every page and docstring again: a warning must not vanish with the page's cache.
docs: $(DOCS)
	$(BIN)/sphinx-build -E -W --keep-going -q -d out/doctrees docs out/docs

mutation: $(STAMP)
	$(BIN)/python -m tests.mutation --jobs $(JOBS) --json out/mutation.json

benchmarks: $(BENCH)
	@set -e; for script in $$(grep -l __main__ benchmarks/*.py); do \
	    name=$$(basename $$script .py); echo "== $$name"; \
	    $(BIN)/python -m benchmarks.$$name --json out/$$name.json; \
	done

wheel-check:
	PYTHON='$(PYTHON)' .ci/wheel

clean:
	rm -rf out dist build .pytest_cache .mypy_cache .ruff_cache
