PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run demo test bench thresholds lint fmt

run: $(VENV)/.installed ## everything on this machine, until Ctrl-C; e.g. make run ARGS="--port 8080"
	@$(BIN)/python manage.py up $(ARGS)

demo: $(VENV)/.installed-dev ## a synthetic cascade through the real system, without network
	@$(BIN)/python -m tests.demo $(ARGS)

test: $(VENV)/.installed-dev ## checks, and all tests on SQLite and PostgreSQL; ARGS go to pytest
	@$(BIN)/python -m tests.run $(ARGS)

bench: $(VENV)/.installed-dev ## the numbers of docs/benchmarks.md
	@$(BIN)/python -m tests.bench $(ARGS)

thresholds: $(VENV)/.installed ## docs/thresholds.md from recordings: make thresholds RECORDINGS_DIR=/path/to/recordings
	@$(BIN)/python manage.py fit_thresholds $(RECORDINGS_DIR)

lint: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.run --checks-only

fmt: $(VENV)/.installed-dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

$(VENV)/.installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, this is %d.%d: name another with make PYTHON=python3.12 ..." % sys.version_info[:2])'
	@echo "Installing the requirements in $(VENV) (about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo "Installing the development requirements"
	@$(PIP) -r requirements-dev.txt
	@touch $@
