# make run | test | check | bench | hostile. Each sets up what it needs; a second run skips what is there.
PYTHON ?= python3
VENV   ?= .venv
PORT   ?= 8501
BIN    := $(VENV)/bin
GPU    ?=

RUN_REQUIREMENTS := $(if $(GPU),requirements-gpu.txt,requirements.txt)
RUN_STAMP  := $(VENV)/.installed-$(if $(GPU),gpu,cpu)
TEST_STAMP := $(VENV)/.installed-dev

# What make itself cannot say: why pip stopped, and that a second try goes on where the first one ended.
UNFINISHED = { echo "The packages could not all be installed; pip says why above. With a network and 3 GB of disk, run make again."; exit 1; }

.PHONY: run setup test check bench hostile browser port

setup: $(RUN_STAMP)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Rightsize needs Python 3.11 or newer: try 'make PYTHON=python3.11 $(MAKECMDGOALS)'."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -f $(BIN)/python*; echo "Python's venv package is missing: install python3-venv."; exit 1; }

$(RUN_STAMP): $(RUN_REQUIREMENTS) requirements.txt | $(BIN)/python
	@echo "Installing the packages into $(VENV): 2.4 GB, a minute with a fast network, once."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(RUN_REQUIREMENTS) || $(UNFINISHED)
	@touch $@

$(TEST_STAMP): requirements-dev.txt requirements.txt | $(BIN)/python
	@echo "Installing the packages and what tests need into $(VENV): 2.5 GB, a minute with a fast network, once."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt || $(UNFINISHED)
	@touch $@ $(VENV)/.installed-cpu

port:
	@$(PYTHON) -c 'import sys; sys.exit(not (sys.argv[1].isdecimal() and 0 < int(sys.argv[1]) < 65536))' "$(PORT)" \
	  || { echo "'$(PORT)' is no port: choose a number up to 65535, as in 'make run PORT=8600'."; exit 1; }
	@$(PYTHON) -c 'import socket, sys; sys.exit(socket.socket().connect_ex(("127.0.0.1", int(sys.argv[1]))) == 0)' $(PORT) \
	  || { echo "Port $(PORT) is in use: stop what uses it, or choose another one with 'make run PORT=8600'."; exit 1; }

run: port $(RUN_STAMP)
	@echo "Rightsize opens on http://127.0.0.1:$(PORT)"
	@$(BIN)/python -m streamlit run app.py --server.port $(PORT)

browser:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || command -v chromium-browser >/dev/null || \
	  { if [ "$$(id -u)" = 0 ]; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-liberation libpango-1.0-0 libpangoft2-1.0-0 >/dev/null; \
	    else echo "The browser tests need Chromium: install the package 'chromium' and run 'make test' again."; exit 1; fi; }

test: $(TEST_STAMP) browser
	$(BIN)/python -m pytest

check: $(TEST_STAMP)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python -m pytest tests/test_architecture.py

bench: $(RUN_STAMP)
	$(BIN)/python -m benchmarks

hostile: $(TEST_STAMP)
	$(BIN)/python -m pytest tests/hostile -m "hostile or not hostile"
