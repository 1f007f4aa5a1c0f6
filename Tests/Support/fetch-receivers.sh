#!/bin/sh
# Installs what receives alerts in tests into the virtual environment VENVDIR, and prints its Python: a mail server
# (aiosmtpd), and the reference implementation of Standard Webhooks.
#
#     PENGUINDOME_TEST_RECEIVERS=$(Tests/Support/fetch-receivers.sh .build-venv) swift test
#
# Without that variable the tests that need them are skipped.
set -eu
venv=${1:?usage: fetch-receivers.sh VENVDIR}
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check 'aiosmtpd==1.4.6' 'standardwebhooks==1.1.0' >&2
echo "$venv/bin/python"
