# Everything a contributor does. Works from any folder, with nothing installed but Python 3.11 and make:
# the first target that needs it makes .venv from requirements.lock.

ROOT := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))
PATH ?= /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
VENV := $(ROOT).venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
GOVMOMI := $(ROOT)build/govmomi-sim
IN_ROOT := cd '$(ROOT)' &&
TESTS ?= tests
# most tests wait for a simulated host half of their time
WORKERS ?= $(shell echo $$(( $$(nproc 2>/dev/null || echo 2) * 2 )))
BENCH_FLAGS ?=
ROWS ?= $(basename $(notdir $(wildcard $(ROOT)bench/*.py)))
# half of the time of the unit tests, beside the other half
COVERED_APART := tests/unit/images tests/unit/plan

export PATH
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
# nor is a program compiled anew each time it starts, as it would be where the environment forbids keeping bytecode
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check coverage soak bench screenshots lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' '$(ROOT)Makefile'

$(READY): $(ROOT)requirements.lock $(ROOT)pyproject.toml
	@'$(ROOT).ci/debian-packages' python
	$(IN_ROOT) "$$(.ci/find-python)" -m venv .venv
	$(IN_ROOT) .venv/bin/python -m pip install -q --require-hashes -r requirements.lock
	$(IN_ROOT) .venv/bin/python -m pip install -q --no-deps --no-build-isolation --editable .
	@touch '$@'

# the third party of the SDK tests: our program around the library of Debian's package, without the network
$(GOVMOMI): $(wildcard $(ROOT)tests/govmomi/*.go)
	@'$(ROOT).ci/debian-packages' govmomi
	@mkdir -p '$(ROOT)build'
	$(IN_ROOT) env GO111MODULE=off GOFLAGS= GOENV=off CGO_ENABLED=0 GOPATH=/usr/share/gocode \
		GOCACHE='$(ROOT)build/go-cache' go build -o build/govmomi-sim tests/govmomi/*.go

.PHONY: build/govmomi-sim
build/govmomi-sim: $(GOVMOMI)

demo: $(READY) ## simulated hosts with drift: planned, put right, still right after a power loss, and kept so by the loop
	@'$(ROOT).ci/debian-packages' qemu-img git ssh
	@$(IN_ROOT) .venv/bin/python -m demo.run

test: $(READY) $(GOVMOMI) ## all tests, or TESTS="tests/unit -k plan"
	@'$(ROOT).ci/debian-packages' ssh busybox git qemu-img systemd-analyze promtool chromium mariadbd
	$(IN_ROOT) .venv/bin/python -m pytest -n $(WORKERS) --dist worksteal $(TESTS)

check: $(READY) ## format, lint, types, import floors
	$(IN_ROOT) .venv/bin/ruff format --check .
	$(IN_ROOT) .venv/bin/ruff check .
	$(IN_ROOT) .venv/bin/mypy
	$(IN_ROOT) .venv/bin/lint-imports --no-cache

coverage: $(READY) ## branches of the pure parts that no unit test takes
	@'$(ROOT).ci/debian-packages' promtool
	$(IN_ROOT) rm -f .coverage .coverage.*
	$(IN_ROOT) { .venv/bin/coverage run -p -m pytest -q --timeout=300 $(COVERED_APART) & apart=$$!; \
		.venv/bin/coverage run -p -m pytest -q --timeout=300 $(COVERED_APART:%=--ignore=%) tests/unit; rest=$$?; wait $$apart && [ $$rest = 0 ]; }
	$(IN_ROOT) .venv/bin/coverage combine -q
	$(IN_ROOT) .venv/bin/coverage report

soak: $(READY) $(GOVMOMI) ## hundreds of kills, cuts and interrupts, and the properties with many more examples: about 20 minutes
	@'$(ROOT).ci/debian-packages' ssh busybox git qemu-img
	$(IN_ROOT) .venv/bin/python -m pytest -v -n auto --dist worksteal --hypothesis-profile=soak --timeout=900 \
		tests/faults tests/live/passes/test_faults.py
	$(IN_ROOT) .venv/bin/python -m pytest -v -n auto --dist worksteal --hypothesis-profile=soak --timeout=900 -m hypothesis \
		--ignore=tests/faults $(TESTS)

bench: $(READY) ## what it costs: prints, judges nothing; BENCH_FLAGS=--small for a short one, ROWS="start growth" for some
	@'$(ROOT).ci/debian-packages' ssh qemu-img
	@$(IN_ROOT) for row in $(ROWS); do .venv/bin/python -m "bench.$$row" --out "build/bench/$$row.md" $(BENCH_FLAGS) || exit 1; done

screenshots: $(READY) ## the pictures of the pages in docs/images, anew
	@'$(ROOT).ci/debian-packages' chromium
	$(IN_ROOT) RECONCILE_PICTURES=docs/images .venv/bin/python -m pytest -q -k pictures tests/live/web/test_browser.py

lock: ## pin the newest versions that pyproject.toml permits
	@'$(ROOT).ci/debian-packages' python
	$(IN_ROOT) "$$(.ci/find-python)" -m venv build/lock
	$(IN_ROOT) build/lock/bin/python -m pip install -q 'pip-tools>=7.4,<8'
	$(IN_ROOT) .ci/lock build/lock/bin/pip-compile

clean: ## what the targets above made
	$(IN_ROOT) rm -rf .venv build dist reconciler.egg-info .coverage .hypothesis .pytest_cache .mypy_cache .ruff_cache
	$(IN_ROOT) find reconciler tests demo -name __pycache__ -type d -prune -exec rm -rf {} +
