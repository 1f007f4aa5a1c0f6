# The two commands of this project: `make run` tries it out on this machine, `make test` tests everything.
# Both install what they need through apt, and both work again when run again.

.PHONY: run test build release sizes format lint audit clean

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

format:
	swift format -i -r Package.swift Sources Tests Fuzz Benchmarks

lint:
	swift format lint -s -r Package.swift Sources Tests Fuzz Benchmarks

clean:
	rm -rf .build .build-* run
