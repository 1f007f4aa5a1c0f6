#!/usr/bin/env bash
# Weighs what `make release` has built, and looks at how it is linked.
#
# Usage: Benchmarks/sizes.sh [--check]
#
# Prints the table of sizes.md. With --check, ends with exit code 1 where a program is heavier than its limit, links
# what it must not, or is not hardened: limits are a tenth above the goals of sizes.md, for other toolchains; those of the
# static program are little above what it weighs, and no higher than its goal.
set -euo pipefail
cd "$(dirname "$0")/.."
check=${1:-}
failures=()

# What a program may weigh, in bytes, and as xz; 0 for no limit.
limits() {
    case $1 in
        static/pd-shares) echo 17900000 5000000 ;;
        pd-agent) echo 22000000 7700000 ;;
        pd-release | pd-shares | pd-plugin) echo 22000000 0 ;;
        *) echo 0 0 ;;
    esac
}

# Libraries that a program must not need.
forbidden() {
    case $1 in
        # One file for a day on which little else works.
        static/*) echo '.' ;;
        # What is read and tested alone needs libgcrypt and libgpg-error only.
        pd-shares) echo 'libcurl|libyaml|libpcre2|libssl|libgpgme|libmongoc' ;;
        pd-agent) echo 'libssl|libcrypto|libgpgme|libmongoc|libsqlite3' ;;
        pd-release) echo 'libcurl|libmongoc|libsqlite3' ;;
        *) echo '^$' ;;
    esac
}

echo "| program | bytes | as xz | libraries |"
echo "| --- | ---: | ---: | --- |"
for program in .build/release/pd-* .build-static/release/pd-shares; do
    case $program in *.*.debug | *.build | *.swiftmodule | *.product | *.resources) continue ;; esac
    [ -f "$program" ] && [ -x "$program" ] || continue
    name=$(basename "$program")
    size=$(stat -c %s "$program")
    packed=$(xz -c -T0 "$program" | wc -c)
    libraries=$(readelf -dW "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
    label=$name
    case $program in .build-static/*) label="$name, static" name=static/$name ;; esac
    echo "| \`$label\` | $size | $packed | $(echo $libraries | sed 's/ /, /g') |"
    read -r limit packed_limit < <(limits "$name")
    [ "$limit" = 0 ] || [ "$size" -le "$limit" ] || failures+=("$program has $size bytes, more than $limit")
    [ "$packed_limit" = 0 ] || [ "$packed" -le "$packed_limit" ] ||
        failures+=("$program has $packed bytes as xz, more than $packed_limit")
    ! grep -Eq "$(forbidden "$name")" <<<"$libraries" ||
        failures+=("$program needs a library that it must not: $(echo $libraries)")
    ! readelf -SW "$program" | grep -q ' \.symtab ' || failures+=("$program has its symbols in it")
    case $program in .build-static/*) continue ;; esac
    readelf -dW "$program" | grep -Eq 'BIND_NOW|FLAGS_1.*NOW' ||
        failures+=("$program binds symbols while it runs")
    readelf -lW "$program" | grep -q GNU_RELRO || failures+=("$program has writable tables of addresses")
done
# Symbols are in the files beside the programs. pd-admin and pd-release speak to no network.
for name in pd-agent pd-admin pd-release; do
    symbols=.build/release/$name.debug
    [ -f "$symbols" ] || continue
    ! nm "$symbols" 2>/dev/null | grep -Eq ' \$s(7NIOCore|11Hummingbird|6NIOSSL)' ||
        failures+=("$name has an HTTP server in it")
done
[ "$check" = --check ] || exit 0
for failure in "${failures[@]}"; do echo "sizes: $failure" >&2; done
[ ${#failures[@]} = 0 ]
