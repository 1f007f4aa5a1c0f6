# The two commands of this project: `make run` tries it out on this machine, `make test` tests everything.
# Both install what they need through apt, and both work again when run again.

.PHONY: run test build release sizes format lint audit mutate clean

run:
	@Scripts/install-packages.sh build
	@Scripts/run.sh

test: lint
	@Scripts/install-packages.sh build test
	@Scripts/test.sh

build:
	@Scripts/install-packages.sh build
	swift build

# What --version says: the commit and its day, so that two builds of one commit are the same.
release: export PENGUINDOME_COMMIT ?= $(shell git rev-parse HEAD 2>/dev/null)
release: export PENGUINDOME_DATE ?= $(shell date -u +%F -d @$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null)} 2>/dev/null)
release:
	@Scripts/install-packages.sh build
	@Scripts/release.sh

sizes:
	@Benchmarks/sizes.sh --check

audit:
	@Scripts/install-packages.sh build audit
	@Scripts/audit.sh

# Takes every check of the core away, one at a time, and expects a test to fail each time: two to three hours.
mutate:
	@Scripts/install-packages.sh build audit
	@PENGUINDOME_TEST_VECTORS="$$(Tests/Support/fetch-vectors.sh "$$PWD/.build-audit/venv")" \
		Tests/Support/mutate_guards.py

format:
	swift format -i -r Package.swift Sources Tests Fuzz Benchmarks

lint:
	swift format lint -s -r Package.swift Sources Tests Fuzz Benchmarks
	Tests/Support/check-reading.py

clean:
	rm -rf .build .build-* run
