#!/usr/bin/env bash
# Signed submissions per second, load generator and server on the same machine. Usage: Benchmarks/submit.sh [COUNT]
# Makes a server in a temporary directory and a key of each kind with gpg, and stops what it started.
. "$(dirname "$0")/server.sh"
count=${1:-6000}

port=18080
for algorithm in rsa3072 ed25519; do
    port=$((port + 1))
    make_server "$algorithm" "$algorithm" $port
    start_server "$algorithm" $port warning
    printf '%s: ' "$algorithm"
    submit-benchmark "$work/$algorithm.asc" $port 32 "$count"
    ticks=$(awk '{ print $14 + $15 }' "/proc/$server/stat")
    echo "  server: $((ticks * 1000000 / $(getconf CLK_TCK) / count)) µs of processor time a report," \
        "peak memory $(awk '/VmHWM/ { print int($2 / 1024) }' "/proc/$server/status") MiB"
    stop_server
done
