# make run | test | check | bench | hostile. Each sets up what it needs; a second run skips what is there.
PYTHON ?= python3
VENV   ?= .venv
PORT   ?= 8501
BIN    := $(VENV)/bin
GPU    ?=

RUN_REQUIREMENTS := $(if $(GPU),requirements-gpu.txt,requirements.txt)
RUN_STAMP  := $(VENV)/.installed-$(if $(GPU),gpu,cpu)
TEST_STAMP := $(VENV)/.installed-dev

.PHONY: run setup test check bench hostile browser

setup: $(RUN_STAMP)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Rightsize needs Python 3.11 or newer: try 'make PYTHON=python3.11 $(MAKECMDGOALS)'."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv package is missing: install python3-venv."; exit 1; }

$(RUN_STAMP): $(RUN_REQUIREMENTS) requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(RUN_REQUIREMENTS)
	@touch $@

$(TEST_STAMP): requirements-dev.txt requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/.installed-cpu

run: $(RUN_STAMP)
	@$(BIN)/python -c 'import socket, sys; sys.exit(socket.socket().connect_ex(("127.0.0.1", $(PORT))) == 0)' \
	  || { echo "Port $(PORT) is in use: stop what uses it, or choose another one with 'make run PORT=8600'."; exit 1; }
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
