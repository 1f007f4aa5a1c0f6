#!/usr/bin/env bash
# Judges the keyrings of Debian and Arch here, by gpg and by Sequoia (pysequoia, from PyPI, in a virtual environment under
# .build), and writes the table into docs/security/openpgp.md. Usage: Tests/Support/keyrings.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
Scripts/install-packages.sh test
venv=.build/keyring-venv
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check 'pysequoia==0.1.35'
export PENGUINDOME_KEYRING_VERDICTS=$PWD/.build/keyring-verdicts PENGUINDOME_KEYRING_TABLE=$PWD/.build/keyring-table
keyrings=(/usr/share/keyrings/{debian-archive-keyring,debian-archive-removed-keys,debian-keyring,debian-maintainers}.gpg
    /usr/share/keyrings/{debian-nonupload,debian-role-keys,archlinux}.gpg)
"$venv/bin/python" Tests/Support/keyring-verdicts.py "${keyrings[@]}" > "$PENGUINDOME_KEYRING_VERDICTS"
PENGUINDOME_CORE_ONLY=1 PENGUINDOME_ONLY=CryptoTests swift test --disable-xctest --filter KeyringTests
page=docs/security/openpgp.md
{
    sed '/^<!-- keyrings -->$/q' "$page"
    date -u '+As of %Y-%m-%d, with gpg '"$(gpg --version | sed -n '1s/.* //p')"' and pysequoia 0.1.35:'
    echo
    cat "$PENGUINDOME_KEYRING_TABLE"
    sed -n '/^<!-- end of keyrings -->$/,$p' "$page"
} > "$page.new"
mv "$page.new" "$page"
