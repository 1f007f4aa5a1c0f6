#!/bin/sh
# Compares Sources/Shamir with libgfshare in memory, in one run. Needs libgfshare-dev, or GFSHARE_INCLUDE and
# GFSHARE_LIB naming where its header and library are. Other flags for the compiler may follow, for example
#     Benchmarks/Shamir/run.sh -Xcc -march=haswell
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$work/empty.swift"
swiftc -parse-as-library -emit-module -module-name PDSecrets "$work/empty.swift" -o "$work/PDSecrets.swiftmodule"
swiftc -swift-version 6 -O -wmo -parse-as-library -package-name penguindome -I "$work" "$@" \
    -import-objc-header Benchmarks/Shamir/gfshare.h -Xcc "-I${GFSHARE_INCLUDE:-/usr/include}" \
    Sources/Secrets/*.swift Sources/Shamir/*.swift Sources/Shamir/ShareFile/*.swift Benchmarks/Shamir/Benchmark.swift \
    -L"${GFSHARE_LIB:-/usr/lib}" -lgfshare -o "$work/benchmark"
"$work/benchmark"
