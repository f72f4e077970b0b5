# zhongshu 中枢: everything a checkout can do. Needs only python3 (3.11 or newer) and make; the rest it brings itself.

PYTHON ?= python3
BIN    := .venv/bin
DEMO   := $(if $(SPEED),--speed $(SPEED)) $(if $(PORT),--port $(PORT)) $(if $(DATA),--data $(DATA)) $(ARGS)

.DEFAULT_GOAL := help
.PHONY: help demo test check-long bench bench-plant gain lint format lock clean ready ready-dev ready-tests

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

demo: ready ## Twin plant, brain and control room on this machine (SPEED=10 PORT=8080 DATA=dir ARGS="…")
	@$(BIN)/zhongshu demo $(DEMO)

test: lint ready-tests ## The laws, the types, then every test that is not long (ARGS="-k …" for pytest)
	$(BIN)/python -m pytest $(ARGS)

check-long: ready-tests ## The tests that take minutes
	$(BIN)/python -m pytest -m long $(ARGS)

bench: ready-dev ## Measure, side by side, and write docs/benchmarks.md
	$(BIN)/python -m bench $(ARGS)

bench-plant: ready-dev ## Only plan the kitchen's days: rules, ours, CP-SAT; write that section
	$(BIN)/python -m bench.plant_schedule $(ARGS)

gain: ready-dev ## Rehearse a two-shift day by every policy and write what the brain gains (ARGS="--seeds 20 --ablate"); goes on where it stopped
	$(BIN)/python -m bench.gain $(ARGS)

lint: ready-dev ## Style, types and the arrows of the house, without running anything
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: ready-dev ## Let ruff put the code into shape
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

lock: ## Rewrite the lock files from pyproject.toml (ARGS=--upgrade for the newest of everything)
	@$(PYTHON) -m tools.lock $(ARGS)

clean: ## Remove what make made: environment, tools, caches (never the data of a plant)
	rm -rf .venv .tools .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist
	rm -rf tests/connectors/foreign/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- set-up: each does nothing when there is nothing to do ----------------------------------------------

ready:
	@$(PYTHON) -m tools.bootstrap run

ready-dev:
	@$(PYTHON) -m tools.bootstrap dev

ready-tests: ready-dev
	@$(PYTHON) -m tools.foreign
