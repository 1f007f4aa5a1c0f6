#!/usr/bin/env bash
# Builds what is shipped: the programs of Sources/Tools in .build/release, with the Swift runtime inside, and pd-shares
# once more without any library in .build-static/release; python/ beside the programs is the package for plugins. Debugging
# symbols go to PROGRAM.debug beside each program.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=()
for folder in Sources/Tools/pd-*; do tools+=("$(basename "$folder")"); done

# The optimiser's choices are the standard ones. Each function has a section of its own, so that the linker leaves out what
# nothing calls; all symbols are bound when the program starts, after which the tables of addresses are read-only.
flags=(-c release -Xswiftc -Xfrontend -Xswiftc -function-sections
    -Xlinker --gc-sections -Xlinker -z -Xlinker relro -Xlinker -z -Xlinker now)

# strip_symbols PROGRAM: moves debugging symbols out of a program, where they have not been moved yet.
strip_symbols() {
    if ! readelf -SW "$1" | grep -q ' \.symtab '; then return; fi
    objcopy --only-keep-debug "$1" "$1.debug"
    chmod 644 "$1.debug"
    strip --strip-all "$1"
    objcopy --add-gnu-debuglink="$1.debug" "$1"
}

# Only these targets and what they need: no tests, no benchmarks.
PENGUINDOME_ONLY="${tools[*]}" swift build "${flags[@]}" --static-swift-stdlib
# pd-shares is for a day on which little else works: one file without any library. Functions that are the same, and whose
# addresses nothing compares, are one: 170 kB less.
PENGUINDOME_ONLY=pd-shares swift build "${flags[@]}" --product pd-shares --scratch-path .build-static \
    -Xlinker --icf=safe -Xswiftc -static-executable

# The tools of plugins in Python; pd-agent looks for them beside itself.
rm -rf .build/release/python
mkdir -p .build/release/python/penguindome
cp plugins/python/penguindome/*.py .build/release/python/penguindome/

for tool in "${tools[@]}"; do strip_symbols ".build/release/$tool"; done
strip_symbols .build-static/release/pd-shares
