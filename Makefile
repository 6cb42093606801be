# make run     the default study, or that of a folder:  make run BOOKS="/path/to/my books"
#              with what others share in a folder (docs/cache.md):  make run CACHE=/shared/nextchapter
# make test    all tests                make check   format, lint, types, tests: what CI runs
# make ui      the runs in MLflow       make report  the report of the last study, anew
# make test-cluster     the tests on a real SLURM of one node, which it installs (root, Debian or Ubuntu)
# make bench   races and figures        make clean   removes what can be made again, never the books

PYTHON ?= python3
TORCH  ?= torch==2.13.0
CORES  ?= all
BOOKS  ?=
CACHE  ?=
ARGS   ?=
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/ready

export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := 1

.PHONY: run test test-cluster check ui report fmt bench clean lock
.DEFAULT_GOAL := run

run: $(READY)
	@$(BIN)/python -m nextchapter.launch --cores $(CORES) $(if $(BOOKS),--books "$(BOOKS)") $(if $(CACHE),--cache "$(CACHE)") -- $(ARGS)

report: $(READY)
	@$(BIN)/python -m nextchapter.launch --cores $(CORES) --report-only $(if $(BOOKS),--books "$(BOOKS)") -- $(ARGS)

test: $(READY)
	$(BIN)/python -m pytest -n auto --dist loadfile

test-cluster: $(READY)
	@tests/cluster/run $(BIN)/python

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint
	$(BIN)/mypy
	$(MAKE) test

fmt: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/snakefmt Snakefile workflow
	$(BIN)/python -m nextchapter.spec.document

ui: $(READY)
	@$(BIN)/python -m nextchapter.tracking.ui

bench: $(READY)
	$(BIN)/python benchmarks/run_all.py

clean:
	@$(PYTHON) src/nextchapter/clean.py

# constraints.txt pins every package but torch, whose build depends on the machine, and what comes with its CUDA build.
lock: $(READY)
	$(BIN)/uv pip compile --quiet --extra dev --extra cluster --universal --python-version 3.11 --no-emit-index-url \
	  --no-emit-find-links --no-emit-package torch --no-header --no-annotate pyproject.toml \
	  | grep -vE '^(nvidia-|cuda-|triton)' > constraints.txt

$(READY): pyproject.toml constraints.txt
	@echo "nextchapter: setting up $(VENV), once; a few minutes"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; found $$($(PYTHON) --version). Set PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH) -c constraints.txt -e '.[dev]'
	@touch $@
