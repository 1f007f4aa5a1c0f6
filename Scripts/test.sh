#!/usr/bin/env bash
# Runs all tests. Arguments go to `swift test`, for instance --filter StoreTests.
set -euo pipefail
cd "$(dirname "$0")/.."

# Published test vectors, from the Python registry, into a virtual environment under .build.
Tests/Support/fetch-vectors.sh .build/venv
PENGUINDOME_TEST_VECTORS=$(echo "$PWD"/.build/venv/lib/python3*/site-packages)
export PENGUINDOME_TEST_VECTORS

# The tools first: tests start them as a user would.
swift build --build-tests
swift test --skip-build --disable-xctest "$@"
