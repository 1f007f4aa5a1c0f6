#!/usr/bin/env bash
# Signed submissions per second, load generator and server on the same machine. Usage: Benchmarks/submit.sh [COUNT]
# Makes a server in a temporary directory and a key of each kind with gpg, and stops what it started.
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-6000}

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

echo "load average $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) processors"
port=18080
for algorithm in rsa3072 ed25519; do
    state=$work/$algorithm
    port=$((port + 1))
    gpg --batch --quiet --passphrase '' --quick-gen-key "$algorithm" "$algorithm" sign never 2>/dev/null
    gpg --armor --export "$algorithm" >"$work/$algorithm.pub.asc"
    gpg --armor --export-secret-keys "$algorithm" >"$work/$algorithm.asc"
    pd-server setup --yes --state "$state" --port $port >/dev/null
    pd-admin keys add "$work/$algorithm.pub.asc" --role client --state "$state" >/dev/null
    sed -i 's/level: info/level: warning/' "$state/server.yml"
    pd-server serve --state "$state" 2>"$work/$algorithm.log" &
    server=$!
    until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.1; done
    printf '%s: ' "$algorithm"
    submit-benchmark "$work/$algorithm.asc" $port 32 "$count"
    ticks=$(awk '{ print $14 + $15 }' "/proc/$server/stat")
    echo "  server: $((ticks * 1000000 / $(getconf CLK_TCK) / count)) µs of processor time a report," \
        "peak memory $(awk '/VmHWM/ { print int($2 / 1024) }' "/proc/$server/status") MiB"
    kill "$server" && wait "$server" || true
    server=
done
