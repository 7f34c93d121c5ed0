# make run    set up, ingest the seeds, serve on http://$(HOST):$(PORT)
# make test   set up, and everything that CI runs
# make test-engines    set up, and the tests on DynamoDB Local and SeaweedFS
# make score  how well reports are read, and what each gained and lost (ARGS=--accept takes the figures)
# make package STAGE=dev|prod    the functions' zip and the template for AWS, in build/$(STAGE)
# make deploy STAGE=dev|prod ARTIFACTS=bucket [PARAMETERS="Name=value …"]    packages and deploys it (deploy/README.md)
# make teardown STAGE=dev|prod    deletes the stack; its bucket and table stay
HOST ?= 127.0.0.1
PORT ?= 8000
STAGE ?= dev
VENV := .venv
PYTHON := $(VENV)/bin/python
LOCAL := $(VENV)/.installed-local
DEV := $(VENV)/.installed-dev
PIP := $(PYTHON) -m pip install --quiet --disable-pip-version-check
NEWEST := python3.11 python3 python3.12 python3.13 python3.14

.DELETE_ON_ERROR:
.PHONY: run test test-engines engines check score package deploy teardown clean .venv

run: $(LOCAL)
	@$(PYTHON) -m chalicelib ingest seeds
	@exec $(PYTHON) -m chalicelib serve --host $(HOST) --port $(PORT)

test: check engines
	$(PYTHON) -m pytest -n 2

test-engines: engines
	$(PYTHON) -m pytest -n 2 -m engines

# What cannot be installed is named, and its tests are skipped.
engines: $(DEV)
	@$(PYTHON) -m tests.install_engines

check: $(DEV)
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy --strict

score: $(DEV)
	@$(PYTHON) -m tests.quality.score $(ARGS)

package: $(LOCAL)
	@$(PYTHON) -m deploy.package $(STAGE)

# What is given to make is in the environment too: from there it keeps its quotes and dollar signs.
deploy: $(LOCAL)
	@$(PYTHON) -m deploy.stack deploy $(STAGE) --artifacts "$$ARTIFACTS" --parameters "$$PARAMETERS"

teardown: $(LOCAL)
	@$(PYTHON) -m deploy.stack teardown $(STAGE)

.venv: $(LOCAL)

# The stamps are written last: a set-up that broke off is done again, a changed requirements file is installed again.
$(LOCAL): requirements-local.txt
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { \
	    for python in $(NEWEST); do \
	        $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue; \
	        echo "Making $(VENV) with $$($$python --version)"; \
	        exec $$python -m venv --clear $(VENV); \
	    done; \
	    echo "No Python 3.11 or newer was found (looked for: $(NEWEST)). Install one and run make again." >&2; \
	    exit 1; }
	@echo "Installing $<"
	@$(PIP) -r $<
	@touch $@

$(DEV): requirements-dev.txt $(LOCAL)
	@echo "Installing $<"
	@$(PIP) -r $<
	@touch $@

clean:
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis .chalice/deployments
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
