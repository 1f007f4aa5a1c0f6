#!/bin/sh
# Installs SecantusDB, a server that speaks MongoDB's protocol, into the virtual environment VENVDIR, and prints the
# path of its program:
#
#     PENGUINDOME_TEST_SECANTUSD=$(Tests/Support/fetch-secantusdb.sh .build/secantusdb) swift test
#
# Without that variable the tests that need it are skipped, unless PENGUINDOME_TEST_MONGODB_URI names a server.
set -eu
venv=${1:?usage: fetch-secantusdb.sh VENVDIR}
package='secantusdb==0.7.0b3'

[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
[ -x "$venv/bin/secantusd-py" ] ||
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$package" >&2
echo "$venv/bin/secantusd-py"
