#!/usr/bin/env bash
# Ten thousand idle connections, slow heads, slow bodies and noise against a server on this machine, while healthy hosts
# report. Usage: Benchmarks/abuse.sh [SECONDS]
# Fails where a healthy host was not served. Needs 10,500 descriptors for the server and as many for the attackers.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
ulimit -n "$(ulimit -Hn)"

for product in pd-server pd-admin submit-benchmark; do
    swift build -c release --product "$product" >&2
done
PATH=$(swift build -c release --show-bin-path):$PATH
work=$(mktemp -d)
export GNUPGHOME=$work/gnupg
server=
cleanup() {
    [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" || true; }
    gpgconf --kill gpg-agent || true
    rm -rf "$work"
}
trap cleanup EXIT
mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-gen-key fleet rsa3072 sign never 2>/dev/null
gpg --armor --export fleet >"$work/fleet.pub.asc"
gpg --armor --export-secret-keys fleet >"$work/fleet.asc"

port=18090
pd-server setup --yes --state "$work/state" --port $port >/dev/null
pd-admin keys add "$work/fleet.pub.asc" --role client --state "$work/state" >/dev/null
tls_port=18091
pd-admin ports add $tls_port --self-signed localhost --state "$work/state" >/dev/null
sed -i 's/level: info/level: error/' "$work/state/server.yml"
pd-server serve --state "$work/state" 2>"$work/server.log" &
server=$!
until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.1; done

echo "load average $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) processors, $seconds s a phase"
python3 Benchmarks/abuse.py --pid "$server" --port $port --tls-port $tls_port --seconds "$seconds" \
    submit-benchmark "$work/fleet.asc" $port 8 4000
kill -0 "$server"
