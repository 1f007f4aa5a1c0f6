#!/bin/sh
# Lists the tests that stand for a numbered class of attack: the number, the file, the test's name.
# With numbers as arguments, says which of them have no test, and fails if there are any:
#
#     Tests/Support/list-pitfalls.sh
#     Tests/Support/list-pitfalls.sh 79 80 81
set -eu
cd "$(dirname "$0")/../.."

list() {
    # Names of functions, plain or in backticks, and the names that tests show.
    grep -rnoE --include='*.swift' '`[^`]*p[0-9]+_[^`]*`|func p[0-9]+_[A-Za-z0-9_]*|"p[0-9]+_[^"]*"' Tests |
        sed -E 's/^([^:]*):[0-9]+:(func )?[`"]?/\1\t/; s/[`"]$//' |
        while IFS="$(printf '\t')" read -r file name; do
            # One test may stand for several classes.
            for number in $(printf '%s\n' "$name" | sed 's/_/_ /g' | grep -oE '\bp[0-9]+_' | tr -d 'p_'); do
                printf '%s\t%s\t%s\n' "$(printf "%s" "$number" | sed "s/^0*//")" "$file" "$name"
            done
        done | sort -t "$(printf '\t')" -k1,1n -k2,2
}

if [ $# -eq 0 ]; then
    list
    exit 0
fi

tests=$(list)
missing=0
for number in "$@"; do
    if ! printf '%s\n' "$tests" | grep -q "^$number$(printf '\t')"; then
        echo "no test for $number" >&2
        missing=1
    fi
done
exit $missing
