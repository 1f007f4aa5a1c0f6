#!/usr/bin/env bash
# Ten thousand idle connections, slow heads, slow bodies and noise against a server on this machine, while healthy hosts
# report. Usage: Benchmarks/abuse.sh [SECONDS]
# Fails where a healthy host was not served. Needs 10,500 descriptors for the server and as many for the attackers.
ulimit -n "$(ulimit -Hn)"
. "$(dirname "$0")/server.sh"
seconds=${1:-60}

port=18090
tls_port=18091
make_server fleet rsa3072 $port
pd-admin ports add $tls_port --self-signed localhost --state "$work/fleet" >/dev/null
start_server fleet $port error
python3 Benchmarks/abuse.py --pid "$server" --port $port --tls-port $tls_port --seconds "$seconds" \
    submit-benchmark "$work/fleet.asc" $port 8
kill -0 "$server"
