#!/bin/sh
# Builds a fuzz target with AddressSanitizer and libFuzzer and runs it.
#
# Usage: Fuzz/run.sh TARGET SECONDS [libFuzzer options]
#
# A target is Fuzz/TARGET/main.swift, which defines LLVMFuzzerTestOneInput. Its first line names the sources that are
# built with it, and, where it needs a C library, flags after them:
#     // Sources: Sources/Shamir/*.swift -I Sources/CShims/CGcrypt
# All of it is one module here. Where the sources import modules that are among them, the second line names those, so that
# there is something to import:
#     // Modules: PDDocument PDCrypto
# Inputs to start from are the files in Fuzz/TARGET/seeds, or are written by the target itself, from the vectors, when it
# starts, to the folder $FUZZ_SEEDS; what is found grows in .build-fuzz/TARGET. Exit code 0 means that nothing was found;
# otherwise the input is in .build-fuzz/TARGET-findings.
set -eu
[ $# -ge 2 ] || { sed -n '4p' "$0" >&2; exit 2; }
target=$1
seconds=$2
shift 2
cd "$(dirname "$0")/.."
main=Fuzz/$target/main.swift
[ -f "$main" ] || { echo "no such target: $main" >&2; exit 2; }
sources=$(sed -n '1s|^// Sources: ||p' "$main")
out=.build-fuzz
mkdir -p "$out/$target" "$out/$target-findings"
for module in $(sed -n '2s|^// Modules: ||p' "$main"); do
    : > "$out/$module.swift"
    swiftc -swift-version 6 -parse-as-library -emit-module -module-name "$module" "$out/$module.swift" \
        -o "$out/$module.swiftmodule"
done
# shellcheck disable=SC2086 # a list of patterns and flags
swiftc -swift-version 6 -O -wmo -g -parse-as-library -sanitize=fuzzer,address -module-name FuzzTarget \
    -package-name penguindome -I "$out" -emit-executable -emit-module-path "$out/$target.swiftmodule" $sources "$main" -o "$out/$target-fuzzer"
FUZZ_SEEDS=$out/$target
# A trap is reported by libFuzzer, which saves the input; Swift's own report would come in its way.
SWIFT_BACKTRACE=enable=no
export FUZZ_SEEDS SWIFT_BACKTRACE
seeds=
[ -d "Fuzz/$target/seeds" ] && seeds=Fuzz/$target/seeds
# shellcheck disable=SC2086 # nothing where there are no seeds
"$out/$target-fuzzer" -max_total_time="$seconds" -timeout=10 -max_len=65536 -print_final_stats=1 \
    -artifact_prefix="$out/$target-findings/" "$@" "$out/$target" $seeds
