#!/bin/sh
# Measures whether time depends on secrets, beside the proof of run.sh: see Timing.swift. Takes about a minute, and is
# best run on a machine that does nothing else. Exit code 0 where nothing of ours shows and the table look-up does.
#
# Usage: Tests/ConstantTime/timing.sh [MEASUREMENTS]      needs swiftc, clang and valgrind's headers
set -eu
cd "$(dirname "$0")/../.."
here=Tests/ConstantTime
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

clang -c -O1 -o "$work/shim.o" $here/shim.c
: >"$work/empty.swift"
swiftc -parse-as-library -emit-module -module-name PDSecrets "$work/empty.swift" -o "$work/PDSecrets.swiftmodule"
sources=$(sed -n '1s|^// Sources: ||p' $here/Timing.swift)
# shellcheck disable=SC2086 # a list of patterns
swiftc -swift-version 6 -O -wmo -parse-as-library -package-name penguindome -module-name Timing \
    -I "$work" -import-objc-header $here/shim.h $sources $here/Timing.swift "$work/shim.o" \
    -emit-executable -emit-module-path "$work/Timing.swiftmodule" -o "$work/timing"
SWIFT_BACKTRACE=enable=no "$work/timing" "${1:-200000}"
