# `make` lists the targets. Every path here is relative and the recipes quote, so a folder with spaces in its name is fine.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -n 3 --dist loadgroup --no-loadscope-reorder
CHART_FILES := compile --format operator --only rules --only dashboards --out helm/sereno/files
ALERTMANAGER_YML := alerting/alertmanager/alertmanager.yml

.PHONY: help setup tools test-tools demo demo-once story stories servers test test-all test-fast check check-artefacts fmt compile docs site helm otel-collector lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

demo: setup tools $(if $(SYSTEMS),servers) ## run everything here, on real Prometheus and Alertmanager; Ctrl-C ends it; SYSTEMS=all
	@$(BIN)/sereno demo $(if $(SYSTEMS),--systems $(SYSTEMS))

demo-once: setup tools ## the whole story by itself: fault, page, postmortem draft in var/demo/postmortems (up to 10 minutes)
	@$(BIN)/sereno demo --once

story: setup tools servers ## a fault's story in real time: SYSTEM=transactions-api FAULT=errors (up to 10 minutes)
	@$(BIN)/sereno demo --once --state var/story $(if $(SYSTEM),--systems $(SYSTEM)) $(if $(FAULT),--fault $(FAULT))

stories: setup tools servers ## every fault of every system: fast ones in real time, slow ones in simulated time (an hour); SYSTEM= chooses
	@$(BIN)/python -m benchmarks.stories $(SYSTEM)
	@$(BIN)/python scripts/stories.py $(SYSTEM)

test test-fast: RULE_TESTS = sereno transactions-api # scripts/check-rules says why
test: setup tools test-tools check-artefacts ## the whole test suite; ARGS="-k name" chooses
	@$(PYTEST) $(ARGS)

test-all: RULE_TESTS =
test-all: export SERENO_TESTS = all
test-all: setup tools test-tools check-artefacts ## what takes long, too: behaviour at every interval, a slow fault (an hour)
	@$(PYTEST) $(ARGS)

test-fast: setup tools check-artefacts ## the tests that take seconds: no Elasticsearch, no end-to-end story
	@$(PYTEST) -m "not elasticsearch and not story" $(ARGS)

check: setup tools check-artefacts ## format, lint, types, import contracts, rules, Alertmanager configuration; no network
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

check-artefacts: setup tools # are the generated files up to date, do the rules and the routing hold?
	@$(BIN)/sereno compile --check
	@$(BIN)/sereno $(CHART_FILES) --check
	@scripts/check-rules $(RULE_TESTS)
	@$(BIN)/sereno alertmanager generate --check
	@$(BIN)/sereno dashboards provision --check
	@$(BIN)/sereno dashboards lint
	@amtool check-config $(ALERTMANAGER_YML)
	@$(BIN)/sereno alerting test

fmt: setup ## format the code and mend what ruff can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

compile: setup ## compile slo/specs into rules, tests, dashboards, runbooks, and the chart's files; Alertmanager's configuration; dashboards of exporters and systems
	@$(BIN)/sereno compile
	@$(BIN)/sereno $(CHART_FILES)
	@$(BIN)/sereno alertmanager generate
	@$(BIN)/python scripts/written-dashboards.py
	@$(BIN)/sereno dashboards provision

docs: setup ## write docs/cli.md from what --help prints, docs/telemetry/exported.md from what the package registers, docs/reference from rules and parts
	@$(BIN)/python scripts/cli-docs.py
	@$(BIN)/python scripts/telemetry-docs.py
	@$(BIN)/python scripts/reference-docs.py

site: setup ## the documentation as a site in var/site, to be opened in a browser
	@$(BIN)/mkdocs build --strict --quiet
	@echo "var/site/index.html"

setup: ## Python packages into .venv, once per change of pyproject.toml or constraints.txt; PYTHON=… chooses the Python
	@PYTHON="$(PYTHON)" scripts/setup

tools: ## Prometheus, promtool, Alertmanager, amtool: from PATH, else by apt, else the command for your system
	@scripts/install-tools

servers: # what the reference systems stand on: PostgreSQL, RabbitMQ, Redis, nginx, and their exporters
	@scripts/install-servers

test-tools: tools servers ## what only the tests need: Java 17, Maven, Elasticsearch, RabbitMQ, Redis
	@scripts/install-test-tools
	@scripts/elasticsearch fetch >/dev/null

helm: ## build the real Helm, which the chart's tests run where it is there (needs Go, two minutes, once)
	@scripts/fetch-helm

otel-collector: ## build the real OpenTelemetry Collector, which tests of collectors/otel run where it is there (needs Go)
	@scripts/fetch-otel-collector

lock: setup ## resolve pyproject.toml's dependencies anew into constraints.txt
	@$(BIN)/python scripts/lock.py

clean: ## remove what make made, except downloads outside this folder
	@rm -rf .venv .sereno_cache var dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
