# Every target makes what it needs; Python 3.11 or newer, git and make are all that must be there.
PYTHON ?= python3
VENV   := .venv
AUDIT  := .venv-audit
PY     := $(VENV)/bin/python
PIP    := $(PY) -m pip --disable-pip-version-check --quiet

.PHONY: demo test check bench soak packages image audit lock clean

demo: $(VENV)/demo.stamp  ## two phones ring, two agents answer; out/ has what was heard
	$(PY) -m simulator demo

test: check  ## everything: style, types, import contracts, tests
	$(PY) -m pytest -n logical --dist loadfile

check: $(VENV)/dev.stamp  ## the quick half of `test`
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	$(PY) -m switchboard check agents.toml

bench: $(VENV)/dev.stamp  ## measured speed, beside plain reference bridges, in one interleaved run
	$(PY) -m bench

soak: $(VENV)/dev.stamp  ## 1,000 real calls on each bridge: nothing may be left
	$(PY) -m bench.soak

packages: $(VENV)/dev.stamp  ## what would be uploaded, with sizes
	$(PY) -m tests.packages

image: $(VENV)/dev.stamp  ## the worker's image, built and tried out; as root on Debian or Ubuntu
	$(PY) -m tests.image

audit: $(AUDIT)/audit.stamp  ## azure-functions-doctor and checkov, every finding with its reason
	$(AUDIT)/bin/python -m tests.audit

lock: $(VENV)/venv.stamp  ## resolve the requirements anew
	$(PIP) install uv
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" requirements/lock.sh

clean:
	rm -rf $(VENV) $(AUDIT) out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/venv.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Switchboard needs Python 3.11 or newer; this is %d.%d. Try: make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(AUDIT)/audit.stamp: requirements/audit.txt
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/audit.txt
	@touch $@

$(VENV)/demo.stamp: requirements/demo.txt requirements/runtime.txt $(VENV)/venv.stamp
	$(PIP) install --require-hashes -r requirements/demo.txt
	$(PIP) install --require-hashes --no-deps --ignore-requires-python -r requirements/runtime.txt
	@touch $@

$(VENV)/dev.stamp: requirements/lock.txt requirements/infra.txt requirements/pesq.txt $(VENV)/demo.stamp
	$(PIP) install --require-hashes -r requirements/lock.txt
	$(PIP) install --require-hashes -r requirements/infra.txt
	@$(PIP) install --require-hashes --no-deps -r requirements/pesq.txt >$(VENV)/pesq.log 2>&1 || \
		echo "pesq could not be compiled ($(VENV)/pesq.log): the test that needs it is skipped"
	@touch $@
