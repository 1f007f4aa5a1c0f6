#!/bin/sh
# Proves that no branch and no memory address depends on secret bytes: builds each program of this folder without and
# with optimisation, runs it under valgrind with the secret bytes marked undefined, and fails on any report. Then it
# counts what libgcrypt does with a tag that is wrong in different places, and proves that the harness sees: TableLookup must
# be reported.
#
# Usage: Tests/ConstantTime/run.sh [PROGRAM...]      needs swiftc, clang and valgrind
set -eu
cd "$(dirname "$0")/../.."
here=Tests/ConstantTime
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

clang -c -O1 -o "$work/shim.o" $here/shim.c
# All sources are one module here; what they import is empty.
: >"$work/empty.swift"
for module in PDSecrets PDCrypto; do
    swiftc -parse-as-library -emit-module -module-name $module "$work/empty.swift" -o "$work/$module.swiftmodule"
done

# build PROGRAM LEVEL: the sources stand in the program's first line.
build() {
    sources=$(sed -n '1s|^// Sources: ||p' "$here/$1.swift")
    # shellcheck disable=SC2086 # a list of patterns
    swiftc -swift-version 6 "$2" -wmo -g -parse-as-library -package-name penguindome -module-name "$1$3" \
        -I "$work" -import-objc-header $here/shim.h $sources "$here/$1.swift" "$work/shim.o" -lgcrypt -lgpg-error -emit-executable -emit-module-path "$work/$1$3.swiftmodule" -o "$work/$1$3"
}

# check PROGRAM: runs it; memcheck's reports go to a log. Exit code 9 where there are any.
check() {
    valgrind --quiet --error-exitcode=9 --log-file="$work/log" --undef-value-errors=yes "$work/$1" >"$work/output"
}

failed=0
for program in ${@:-ShamirSecrets CryptoSecrets}; do
    for level in -Onone -O; do
        name=$(echo "$level" | tr -d -)
        build "$program" "$level" "$name"
        if check "$program$name" && ! grep -q "WRONG" "$work/output"; then
            echo "clean: $program $level ($(grep -c '^ok' "$work/output") checks)"
        else
            echo "FAILED: $program $level"
            cat "$work/output" "$work/log"
            failed=1
        fi
    done
done

# What the library compares: it may branch on the outcome, and as often for every tag.
for level in -Onone -O; do
    name=$(echo "$level" | tr -d -)
    build TagCheck "$level" "$name"
    check "TagCheck$name" || [ $? = 9 ]
    if grep -q "^ok" "$work/output" && ! grep -q "WRONG" "$work/output"; then
        echo "steady: TagCheck $level ($(grep -c '^ok' "$work/output") ciphers)"
    else
        echo "FAILED: TagCheck $level"
        cat "$work/output"
        failed=1
    fi
done

for level in -Onone -O; do
    name=$(echo "$level" | tr -d -)
    build TableLookup "$level" "$name"
    if check "TableLookup$name"; then
        echo "FAILED: the table look-up was not reported at $level: this harness sees nothing"
        failed=1
    else
        echo "seen: TableLookup $level"
    fi
done
exit $failed
