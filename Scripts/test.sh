#!/usr/bin/env bash
# Runs all tests. Arguments go to `swift test`, for instance --filter StoreTests.
set -euo pipefail
cd "$(dirname "$0")/.."

# Published test vectors, from the Python registry, into a virtual environment under .build.
PENGUINDOME_TEST_VECTORS=$(Tests/Support/fetch-vectors.sh "$PWD/.build/venv")
export PENGUINDOME_TEST_VECTORS

# A server that speaks MongoDB's protocol, from the same place. PENGUINDOME_TEST_MONGODB_URI names another one.
PENGUINDOME_TEST_SECANTUSD=$(Tests/Support/fetch-secantusdb.sh "$PWD/.build/secantusdb")
export PENGUINDOME_TEST_SECANTUSD

# A mail server and a receiver of webhooks, for alerts.
PENGUINDOME_TEST_RECEIVERS=$(Tests/Support/fetch-receivers.sh "$PWD/.build/receivers")
export PENGUINDOME_TEST_RECEIVERS

# The tools first: tests start them as a user would.
swift build --build-tests
# Somebody else's package, with the core's public names alone.
if [ $# -eq 0 ]; then Tests/Outsider/run.sh; fi
# One after the other: many of them start programs and wait, which starves those beside them on a small machine.
swift test --skip-build --disable-xctest --no-parallel "$@"
