# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Everything a developer runs. Needs GNU make, git and a Python of at least 3.11; the rest is installed below .venv and .cache.

PYTHON ?= python3
VENV    := .venv
LINT    := .cache/venvs/lint
CLIENTS := .cache/venvs/clients
AWX     := .cache/awx
TREE    := .cache/tree/ansible_collections/certops/remediation
CHECKS  := $(VENV)/bin/python tests/tools/run_checks.py

export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.cache/tree
# Without bytecode caches every start of an Ansible tool compiles it anew, which doubles the time of most checks.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup bench demo unit clients lint sanity integration package test test-ee test-matrix clean check-python

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.stamp $(TREE) ## Create .venv and the symlink tree for ansible-playbook, ansible-doc and pytest

demo: setup ## Watch a leaked key being dealt with on four platforms, on the simulator (STORIES="outage compromise reissue offboard", or all)
	@$(VENV)/bin/python tests/demo/run.py $(STORIES)

unit: setup $(AWX)/.stamp ## pytest: tests/unit, tests/contract and tests/system
	@$(CHECKS) unit

clients: setup $(CLIENTS)/.stamp ## Other people's clients of the vendors' APIs against the simulator
	@$(CHECKS) clients

lint: setup $(LINT)/.stamp ## ansible-lint, yamllint, mypy, antsibull-docs, antsibull-changelog, reuse, check-jsonschema
	@$(CHECKS) lint

sanity: setup ## ansible-test sanity, without any ignore file
	@$(CHECKS) sanity

integration: setup ## ansible-test integration against the simulator (TARGETS="name ..." for some of them)
	@$(CHECKS) integration $(TARGETS)

package: setup $(LINT)/.stamp ## Build the tarball, install it elsewhere, read its docs, run galaxy-importer
	@$(CHECKS) package

test: ## All of the above checks; ends with "N passed, N failed"
	@$(MAKE) --jobs=2 setup $(LINT)/.stamp $(CLIENTS)/.stamp $(AWX)/.stamp
	@$(CHECKS) all

test-matrix: setup $(AWX)/.stamp ## Units, sanity and integration on every supported ansible-core and Python found
	@$(VENV)/bin/python tests/tools/matrix.py

test-ee: setup $(LINT)/.stamp ## Build a real execution environment with podman, and run a flow in it as AWX does
	@$(CHECKS) ee

bench: setup ## Measure the speed beside uri loops and a bare script (docs/benchmarks.md); five minutes
	@$(VENV)/bin/python tests/bench/run.py

clean: ## Remove everything the targets made
	rm -rf .venv .cache .ansible .hypothesis tests/output importer_result.json
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

check-python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed, and PYTHON=$(PYTHON) is not that. Name another: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
	  { echo "$(PYTHON) cannot create virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

# A virtual environment is rebuilt when one of its requirements files changed, and only then.
# -qq: pip's errors, but not its warnings about index configuration.
define build-venv
rm -rf $(@D)
$(PYTHON) -m venv $(@D)
$(@D)/bin/python -m pip install -qq --disable-pip-version-check -r $<
touch $@
endef

$(VENV)/.stamp: tests/requirements/dev.txt tests/requirements/simulator.txt requirements.txt | check-python
	$(build-venv)

$(LINT)/.stamp: tests/requirements/lint.txt requirements.txt | check-python
	$(build-venv)

$(CLIENTS)/.stamp: tests/requirements/clients.txt tests/requirements/dev.txt tests/requirements/simulator.txt requirements.txt | check-python
	$(build-venv)

# awx.awx is on the Python package index as a part of a large package only; that part alone is kept.
$(AWX)/.stamp: tests/requirements/awx.txt tests/tools/awx_collection.py | $(VENV)/.stamp
	$(VENV)/bin/python tests/tools/awx_collection.py $(@D) $<
	touch $@

$(TREE):
	mkdir -p $(@D)
	ln -sfn ../../../.. $@
