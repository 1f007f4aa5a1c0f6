#!/usr/bin/env bash
# What a reviewer of the security core runs: builds and tests Crypto and Shamir alone, with AddressSanitizer; runs each
# fuzz target for FUZZ_SECONDS (60); runs the check for constant time; and counts what there is to read. Ends at the first
# thing that fails, with its exit code.
#
# Usage: audit.sh [fuzz]      fuzz: the fuzz targets alone, as continuous integration runs them after the tests
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${FUZZ_SECONDS:-60}
work=.build-audit
mkdir -p "$work"
trap 'code=$?; [ $code = 0 ] || echo "audit: FAILED (exit code $code)" >&2' EXIT

section() { printf '\n== %s\n' "$1"; }

# run LOG COMMAND...: shows the end of the log where the command fails.
run() {
    local log=$work/$1 code=0
    shift
    "$@" >"$log" 2>&1 || code=$?
    [ $code = 0 ] || { grep -v "^/usr/bin/ld.gold: warning: Cannot export" "$log" | tail -n 60; }
    return $code
}

if [ "${1:-}" != fuzz ]; then
    # The core resolves no dependency and needs no network; the published vectors come from the Python registry.
    export PENGUINDOME_CORE_ONLY=1
    PENGUINDOME_TEST_VECTORS=$(Tests/Support/fetch-vectors.sh "$work/venv")
    export PENGUINDOME_TEST_VECTORS

    section "Build and tests with AddressSanitizer"
    run build.log swift build --build-tests --scratch-path "$work" --sanitize=address
    # The memory that a test process ends with is not a leak.
    ASAN_OPTIONS=detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS} run test.log \
        swift test --skip-build --disable-xctest --scratch-path "$work" --sanitize=address
    summary=$(grep -oE 'Test run with [0-9]+ tests?.* passed after .*' "$work/test.log" | tail -n 1)
    [ -n "$summary" ] || { echo "audit: the tests said nothing" >&2; exit 1; }
    echo "$summary"
fi

section "Fuzz targets, $seconds s each"
for main in Fuzz/*/main.swift; do
    target=$(basename "$(dirname "$main")")
    run "fuzz-$target.log" Fuzz/run.sh "$target" "$seconds"
    awk -v target="$target" '
        /number_of_executed_units/ { runs = $2 }
        / cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") last = $(i + 1) }
        END { if (!runs) exit 1; printf "%-16s %10d inputs, %d edges, nothing found\n", target, runs, last }
    ' "$work/fuzz-$target.log"
done
if [ "${1:-}" = fuzz ]; then exit; fi

section "Constant time under valgrind"
Tests/ConstantTime/run.sh

section "Figures"
code_lines() { find "$@" -type f -name "*.$suffix" -exec cat {} + | grep -cvE '^[[:space:]]*(//|/\*|\*|$)' || true; }
all_lines() { find "$@" -type f -name "*.$suffix" -exec cat {} + | wc -l; }
printf '%-28s %8s %8s\n' "" "lines" "of code"
for row in "swift Sources/Secrets" "swift Sources/Crypto" "swift Sources/Shamir" "h Sources/CShims/CGcrypt" \
    "swift Tests/SecretsTests Tests/CryptoTests Tests/ShamirTests" "swift Fuzz"; do
    read -r suffix folders <<<"$row"
    # shellcheck disable=SC2086 # several folders
    printf '%-28s %8d %8d\n' "${folders##* }" "$(all_lines $folders)" "$(code_lines $folders)"
done
echo "$(grep -oE '[0-9]+ tests' <<<"$summary"), $(grep -c ' Test case passing .* started' "$work/test.log") sets of arguments."
python3 Tests/Support/count-vectors.py vectors "$PENGUINDOME_TEST_VECTORS" "$work/test.log"

section "Classes of attack, their tests (docs/security/pitfalls.md)"
Tests/Support/list-pitfalls.sh >"$work/pitfalls.txt"
cat "$work/pitfalls.txt"
# Those of shares, signatures, pipes, sealing and memory; the others belong to other rooms.
# shellcheck disable=SC2046 # a list of numbers
Tests/Support/list-pitfalls.sh $(seq 1 60) $(seq 79 105)
echo "$(cut -f1 "$work/pitfalls.txt" | sort -u | wc -l) classes, $(wc -l <"$work/pitfalls.txt") entries."

echo
echo "audit: passed"
