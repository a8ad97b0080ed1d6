# The two commands of the README are `make up` and `make test`. Each does its own set-up, from Python 3.11 and make alone.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
RUN_READY := $(VENV)/.run-ready
DEV_READY := $(VENV)/.dev-ready
BENCH_READY := $(VENV)/.bench-ready
STATIC := cockpit/ui/static/plotly.min.js

.PHONY: up test check bench bench-alerts bench-experiments bench-reads calibrate incidents oracle quiet-month replay demo lock screenshots browser clean

up: $(RUN_READY) $(STATIC)
	@$(BIN)/python -m ingest up $(ARGS)

test: $(DEV_READY) $(STATIC) browser
	@$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder $(ARGS)

check: $(DEV_READY)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

# Speed and memory are measured here and never in `make test`.
bench: $(DEV_READY) $(STATIC) browser
	@$(BIN)/python -m ingest bench $(ARGS)
	@$(BIN)/python -m pytest -q tests/integration/test_live.py --measure

# Three experiments of a million profiles each, read and judged, beside tea-tasting on the same rows.
bench-experiments: $(BENCH_READY)
	@$(BIN)/python -m tests.experiments.bench_experiments $(ARGS)

# make bench-reads DIR=/disk/bench ARGS="--events 20000000": loads DIR once (minutes), then times reads there, in DuckDB and in chdb.
bench-reads: $(BENCH_READY)
	@$(BIN)/python -m ingest bench --reads $(DIR) $(ARGS)
	@$(BIN)/python -m tests.oracle.raw_questions $(DIR)

# One round of 500 alert rules of 20 label sets each: quiet, and with everything beyond its limit.
bench-alerts: $(DEV_READY)
	@$(BIN)/python -m tests.alerts.bench_rules $(ARGS)

# The second implementation against a million events: about ten minutes, the same test as in `make test` with 20,000.
oracle: $(DEV_READY)
	@COCKPIT_ORACLE_EVENTS=1000000 $(BIN)/python -m pytest -q -s --measure --timeout 3600 tests/integration/test_oracle.py tests/integration/test_experiments_oracle.py $(ARGS)

# The demo's incidents by the rules that come with Cockpit, in real time: who is told, and how soon. About half an hour.
incidents: $(DEV_READY)
	@$(BIN)/python -m tests.integration.incidents

# Simulated experiments, looked at a hundred times each: minutes. The last figures are in docs/statistics.md.
calibrate: $(DEV_READY)
	@$(BIN)/python -m tests.calibration $(ARGS)

# How many pages a simulated month without an incident brings, and whether incidents are told: about half an hour a shop.
quiet-month: $(DEV_READY)
	@$(BIN)/python -m tests.alerts.quiet_month $(ARGS)

# make replay FILE=events.csv.gz ARGS="--mapping data/reference/replay_rees46.toml --dates now"
replay: $(RUN_READY)
	@$(BIN)/python -m ingest replay $(FILE) $(ARGS)

screenshots: $(DEV_READY) $(STATIC) browser
	@$(BIN)/python -m tests.browser.screenshots docs/img

lock: $(DEV_READY)
	@$(BIN)/pip install -q uv
	@for part in requirements requirements-dev requirements-bench; do \
	  $(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.11 $$part.in -o $$part.txt; done

clean:
	rm -rf $(VENV) data/run $(STATIC)

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Cockpit needs Python 3.11 or newer: none found on PATH"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Cockpit needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Say which: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Making the virtual environment (once)"
	@$(PYTHON) -m venv $(VENV)

$(RUN_READY): requirements.txt | $(BIN)/python
	@echo "Installing what Cockpit runs on (once, about a minute)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(DEV_READY): requirements-dev.txt | $(BIN)/python
	@echo "Installing what checks Cockpit (once, about a minute)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ $(RUN_READY)

$(BENCH_READY): requirements-bench.txt | $(DEV_READY)
	@echo "Installing what Cockpit is compared with (once, 200 MB)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-bench.txt
	@touch $@

# plotly.js comes from the plotly package and is served by us, never by a CDN
$(STATIC): | $(RUN_READY)
	@mkdir -p $(dir $@)
	@cp "$$($(BIN)/python -c 'import plotly, pathlib; print(pathlib.Path(plotly.__file__).parent / "package_data/plotly.min.js")')" $@

# The screens are tested in a real Chromium. As root on Debian it is installed here; elsewhere its tests say why they skip.
browser:
	@command -v chromium chromium-browser google-chrome >/dev/null 2>&1 || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing chromium (once)"; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y chromium >/dev/null; \
	  else echo "No Chromium on this machine: the tests of the screens will be skipped. Install the package chromium to run them."; fi; }
