# Every command of this checkout; `make` lists them. A stamp file marks each finished step, so a step is done once and
# done again when the requirements change.

PYTHON ?= python3
PORT ?= 8501
TORCH_INDEX ?=
PYTEST_ARGS ?=
WORKERS ?= 2

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet
MADE := $(VENV)/.made
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev

export PYTHONUTF8 := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup setup-dev chromium run demo test lint bench clean

help:  ## list the commands
	@grep -E '^[a-z-]+:.*##' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:.*## /|/' | \
		while IFS='|' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done
	@echo
	@echo '  PYTHON=python3.12    the Python to build the environment with (3.11 or newer)'
	@echo '  PORT=8501            the port of the workbench'
	@echo '  TORCH_INDEX=<url>    a package index to take the torch build from'
	@echo '  PYTEST_ARGS=<args>   more arguments for pytest'
	@echo '  WORKERS=2            how many test processes at once; 0 is one, in the foreground'

$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "simtune needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
		echo "'$(PYTHON) -m venv' failed; on Debian and Ubuntu install the package python3-venv." >&2; exit 1; }
	@touch $@

$(INSTALLED): requirements.txt | $(MADE)
	@echo 'Installing requirements.txt into $(VENV) (some minutes, once)'
	@$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) "$$(grep '^torch==' requirements.txt)"
	@$(PIP) -r requirements.txt
	@touch $@

$(INSTALLED_DEV): requirements-dev.txt $(INSTALLED)
	@echo 'Installing requirements-dev.txt into $(VENV)'
	@$(PIP) -r requirements-dev.txt
	@touch $@

setup: $(INSTALLED)  ## make the environment .venv and install the requirements

setup-dev: $(INSTALLED_DEV)  ## the same, with what tests and linters need

run: $(INSTALLED)  ## load the sample into an empty workspace and open the workbench
	@$(BIN)/python -m simtune_core import --sample --if-empty
	@$(BIN)/python -m streamlit run app.py --server.port $(PORT)

demo: $(INSTALLED)  ## run the whole story on the sample, in the terminal
	@$(BIN)/python -m simtune_core demo

chromium:  # the browser tests use the system's chromium; without it they fail and name the package
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get install -y -qq chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq chromium >/dev/null; }; \
	fi || true; \
	command -v chromium >/dev/null || echo 'No chromium here: the browser tests will fail; install the package chromium.' >&2

# Linters and tests run both, whatever the first says; pytest's closing line is the last but the verdict.
test: $(INSTALLED_DEV) chromium  ## run the linters and every test
	@lint=0; $(MAKE) --no-print-directory lint || lint=1; \
	HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS) || exit 1; \
	[ $$lint = 0 ] || { echo 'The tests passed, the linters above did not.' >&2; exit 1; }

lint: $(INSTALLED_DEV)  ## ruff, its formatter and mypy
	@status=0; \
	$(BIN)/ruff check . || status=1; \
	$(BIN)/ruff format --check . || status=1; \
	$(BIN)/mypy || status=1; \
	exit $$status

bench: $(INSTALLED_DEV)  ## run the scripts of benchmarks/
	@for script in benchmarks/*.py; do \
		[ -e "$$script" ] || { echo 'benchmarks/ holds no script yet.'; exit 0; }; \
		echo "== $$script"; PYTHONPATH=. $(BIN)/python "$$script" || exit 1; \
	done

clean:  ## remove the environment and every cache; never data or models
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis static
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
