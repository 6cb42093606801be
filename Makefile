# make run     the default study, or that of a folder:  make run BOOKS="/path/to/my books"
#              with what others share in a folder (docs/cache.md):  make run CACHE=/shared/nextchapter
# make test    all tests                make check   format, lint, types, tests: what CI runs
# make ui      the runs in MLflow       make report  Snakemake's report of a finished study, anew (BOOKS as for run)
# make test-cluster     the tests on a real SLURM of one node, which it installs (root, Debian or Ubuntu)
# make test-faults      a hundred accidents that a small study must survive (docs/faults.md); 20 minutes
# make test-mlflow      the tests of MLflow for a team, with a PostgreSQL, which it installs (root, Debian or Ubuntu)
# make bench   races and figures        make clean   removes what can be made again, never the books
# make audit   known weaknesses of the packages, and risky calls in the source (needs a network; SECURITY.md)

PYTHON ?= python3
TORCH  ?= torch==2.13.0
CORES  ?= all
BOOKS  ?=
CACHE  ?=
ARGS   ?=
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/ready

# A folder may be called anything: `value` keeps make from reading a `$` in its name, the quotes keep the shell from it.
unexport BOOKS
export BOOKS_FOLDER := $(value BOOKS)
BOOKS_GIVEN := $${BOOKS_FOLDER:+--books="$$BOOKS_FOLDER"}
unexport CACHE
export CACHE_FOLDER := $(value CACHE)
CACHE_GIVEN := $${CACHE_FOLDER:+--cache="$$CACHE_FOLDER"}

export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := 1

.PHONY: run test test-cluster test-faults test-mlflow check ui report fmt bench audit clean lock
.DEFAULT_GOAL := run

run: $(READY)
	@$(BIN)/python -m nextchapter.launch --cores $(CORES) $(BOOKS_GIVEN) $(CACHE_GIVEN) -- $(ARGS)

report: $(READY)
	@$(BIN)/python -m nextchapter.launch --cores $(CORES) --report-only $(BOOKS_GIVEN) -- $(ARGS)

test: $(READY)
	$(BIN)/python -m pytest -n auto --dist loadfile

test-cluster: $(READY)
	@tests/cluster/run $(BIN)/python

test-faults: $(READY)
	@PYTHONPATH=. $(BIN)/python -m tests.faults.campaign $(ARGS)

test-mlflow: $(READY)
	@tests/team/run $(BIN)/python

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

# The tools stand apart, so that what they need is neither installed beside nextchapter nor audited with it.
AUDIT := .venv-audit
audit: $(READY)
	@test -x $(AUDIT)/bin/pip-audit || { $(PYTHON) -m venv $(AUDIT) && $(AUDIT)/bin/python -m pip install --quiet \
	  --disable-pip-version-check 'bandit>=1.9,<2' 'pip-audit>=2.9,<3'; }
	$(AUDIT)/bin/bandit --quiet --configfile pyproject.toml --recursive src
	$(AUDIT)/bin/pip-audit --skip-editable --path "$$($(BIN)/python -c 'import site; print(site.getsitepackages()[0])')"

clean:
	@$(PYTHON) src/nextchapter/clean.py

# constraints.txt pins every package but torch, whose build depends on the machine, and what comes with its CUDA build.
lock: $(READY)
	$(BIN)/uv pip compile --quiet --extra dev --extra cluster --extra team --extra s3 --extra team-tests --universal --python-version 3.11 --no-emit-index-url \
	  --no-emit-find-links --no-emit-package torch --no-header --no-annotate pyproject.toml \
	  | grep -vE '^(nvidia-|cuda-|triton)' > constraints.txt

$(READY): pyproject.toml constraints.txt
	@echo "nextchapter: setting up $(VENV), once; a few minutes"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; found $$($(PYTHON) --version). Set PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH) -c constraints.txt -e '.[dev]'
	@touch $@
