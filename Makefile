# Needs nothing but make and a Python of 3.11 or later; everything else goes into .venv.
# PYTHON=... chooses the interpreter that .venv is made with.

PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$name; break; fi; done)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint docs docs-pages gallery bench-scan bench-confirm bench-racebench bench-racebench-confirm bench-noise bench-ux bench-rules bench-fix bench-speed clean

demo: $(VENV)/.installed
	@echo '$$ racelint scan examples --confirm'
	@$(BIN)/racelint scan examples --confirm; code=$$?; test $$code -le 1 || exit $$code

test: lint
	$(BIN)/pytest -n 2
	$(BIN)/racelint scan src

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench-scan bench-confirm bench-racebench bench-noise bench-rules bench-fix bench-speed bench-ux: bench-%: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/$*_bench.py

bench-racebench-confirm: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/racebench_confirm_bench.py

# The pages made from the code, which are committed; a test holds them to it.
docs-pages: $(VENV)/.installed
	$(BIN)/python docs/generate.py

# Reports on the examples and on released packages, which are downloaded.
gallery: $(VENV)/.installed-docs
	$(BIN)/python docs/gallery.py

docs: $(VENV)/.installed-docs gallery
	$(BIN)/python docs/generate.py --all
	$(BIN)/sphinx-build --nitpicky --fail-on-warning --keep-going docs docs/_build
	@echo 'docs/_build/index.html'

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo 'racelint needs Python 3.11 or later; name it with PYTHON=...' >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) docs/_build docs/_pages docs/_generated/commands.md docs/_generated/gallery.md build dist *.egg-info src/*.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
