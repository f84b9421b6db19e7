# `make help` lists what there is. Nothing needs to be installed first but Python 3.11 or newer, and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
# uv needs a fifth of pip's time. pip steps in where uv can't: no build of it for this machine, an index only pip.conf names.
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes
install = $(UV) $(2) -r $(1) 2>/dev/null || $(PIP) -r $(1)

# Side by side: most of their time, tests wait. TEST_WORKERS=0 runs one after the other, in one process.
TEST_WORKERS ?= auto
PYTEST = $(BIN)/python -m pytest --numprocesses $(TEST_WORKERS)

# Many processes start here: without what another one compiled, each compiles all of it.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help run test test-programs check check-imports check-django bench lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' Makefile

run: $(VENV)/runs ## set up and run everything here; honours PORT, DATA_DIR, ADMIN_PASSWORD, DATABASE_URL, REDIS_URL
	@exec $(BIN)/python -m dashboard_project.run

# On a machine that is busy with thousands of other tests, one may wait too long. A test that fails has one more try, alone.
AGAIN = --last-failed --last-failed-no-failures none --maxfail 1

test: $(VENV)/checks test-programs ## set up and run every test: on PostgreSQL, and those of the database on SQLite as well
	$(PYTEST) --sqlite-as-well --coverage || { [ $$? = 1 ] && $(BIN)/python -m pytest $(AGAIN); }

test-programs: $(VENV)/checks
	$(BIN)/python -m tests.debian
	$(BIN)/python -m tests.browser.chromium

# On a busy machine mypy's workers may come too late for it: it ends with 2, and then checks without them.
check: $(VENV)/checks ## format, lint, types, import contracts, migrations, Django's own checks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy || { [ $$? = 2 ] && $(BIN)/mypy --num-workers 0; }
	@$(MAKE) --no-print-directory -j2 check-imports check-django

check-imports:
	$(BIN)/lint-imports

check-django:
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --fail-level WARNING

bench: $(VENV)/checks ## measure, and print ratios
	$(BIN)/python -m benchmarks

lock: $(VENV)/runs ## resolve requirements*.in anew: versions and hashes, no index addresses
	@$(PIP) -r requirements-uv.txt
	for name in requirements-uv requirements requirements-dev; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header $$name.in -o $$name.txt || exit 1; done

clean: ## remove what was built; your data in DATA_DIR stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis tests/output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Watchfloor needs Python 3.11 or newer; say which with: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "Making $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --only-binary :all: -r requirements-uv.txt || true

# A stamp is newer than the lock file it was installed from. What runs is compiled, as four processes start at once and
# each would; most of what checks is never imported.
$(VENV)/runs: requirements.txt | $(BIN)/python
	@echo "Installing what runs …"
	@$(call install,requirements.txt,--compile-bytecode)
	@touch $@

$(VENV)/checks: requirements-dev.txt $(VENV)/runs
	@echo "Installing what checks …"
	@$(call install,requirements-dev.txt)
	@touch $@
