# `make` alone lists the targets. Paths are relative, so the folder's name may hold a space.

PYTHON ?= python3
BIN := .venv/bin
CPP_SOURCES := $(wildcard cpp/*/*.h cpp/*/*.cpp)
NATIVE := pyproject.toml CMakeLists.txt $(CPP_SOURCES)
ARGS ?=
PART ?=

.DEFAULT_GOAL := help
.PHONY: help demo test lint format docs dist bench clean
.DELETE_ON_ERROR:

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' Makefile | while IFS='	' read -r name does; do printf 'make %-8s %s\n' "$$name" "$$does"; done

demo: .venv/demo.stamp ## train on movielens-small and recommend films for a visitor who likes Iron Man
	@"$(BIN)/alsatian" demo $(ARGS)

test: .venv/dev.stamp ## run the tests; ARGS="-k laws" selects some, ARGS="-m slow" those that take minutes
	@"$(BIN)/python" -m pytest -q -n auto --dist loadgroup -m "not slow" $(ARGS)

lint: .venv/dev.stamp ## check style, format and types
	@"$(BIN)/python" -m ruff check .
	@"$(BIN)/python" -m ruff format --check .
	@"$(BIN)/python" -m mypy
	@"$(BIN)/clang-format" --dry-run --Werror $(CPP_SOURCES)
	@"$(BIN)/codespell"

format: .venv/dev.stamp ## format the Python and C++ code
	@"$(BIN)/python" -m ruff check --fix .
	@"$(BIN)/python" -m ruff format .
	@"$(BIN)/clang-format" -i $(CPP_SOURCES)

docs: .venv/docs.stamp ## build the documentation into site/, notebooks included; open site/index.html
	@NO_MKDOCS_2_WARNING=1 "$(BIN)/python" -m mkdocs build --strict --quiet $(ARGS)

dist: .venv/dev.stamp ## build the source archive, and the wheel from it, into dist/
	@"$(BIN)/python" -m build --outdir dist .

bench: .venv/bench.stamp ## compare with other libraries (hours) and write docs/benchmarks.md; PART=solvers runs one suite
	@"$(BIN)/python" -m bench $(or $(PART),benchmarks) $(ARGS)

clean: ## remove the environment and everything built
	@rm -rf .venv build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# The package is installed in editable mode: only a change of the native core or of the build settings reinstalls it.
# The extra `dev` includes `demo`.
.venv/%.stamp: $(NATIVE) | $(BIN)/python
	@echo "Installing alsatian[$*] into .venv; the native core takes about a minute the first time ..."
	@"$(BIN)/python" -m pip install --quiet --disable-pip-version-check --editable ".[$*]"
	@touch "$@" .venv/demo.stamp

$(BIN)/python:
	@"$(PYTHON)" -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Alsatian needs Python 3.11 or later, and $(PYTHON) is %d.%d; pass PYTHON=python3.x" % sys.version_info[:2])'
	@"$(PYTHON)" -m venv .venv
