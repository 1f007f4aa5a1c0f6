#!/usr/bin/env bash
# Shows that the core is of use to others: a package that knows nothing but its products compiles the examples of the
# documentation as they stand there, and runs them. Works without network: the core resolves no dependency.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$PWD/.build/outsider
mkdir -p "$work"
rm -rf "$work/package"
cp -r Tests/Outsider "$work/package"
ln -s "$PWD" "$work/package/core"
for article in Sources/*/*.docc/*.md; do
    sed -n '/^```swift$/,/^```$/p' "$article" | sed '/^```/d' \
        >"$work/package/Sources/outsider/$(basename "$article" .md)Example.swift"
done
swift build --package-path "$work/package" --scratch-path "$work/build" --disable-automatic-resolution
"$work/build/debug/outsider" "$PWD/vectors"
