#!/usr/bin/env bash
# Tries PenguinDome on this machine: a server on the embedded store, this machine as its first host, one collection,
# one audit. Everything lies in run/; the server stays up until Ctrl-C.
set -euo pipefail
umask 077
cd "$(dirname "$0")/.."

server=$PWD/run/server
agent=$PWD/run/agent
log=$PWD/run/server.log

# True where something accepts connections on that port of this machine.
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The status line that the server's health answers with, or nothing.
health() {
    (
        exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
        printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
        head -n 1 <&3
    ) 2>/dev/null | grep -q ' 200 '
}

echo "Building; the first time takes some minutes."
swift build --product pd-server
swift build --product pd-agent
swift build --product pd-admin
PATH=$(swift build --show-bin-path):$PATH

if [ -f "$server/server.yml" ]; then
    port=$(awk '$1 == "port:" { print $2; exit }' "$server/server.yml")
    if listens "$port"; then
        echo "run: port $port is in use: another 'make run' may be active; stop that first" >&2
        exit 1
    fi
else
    port=${PORT:-8080}
    while listens "$port"; do port=$((port + 1)); done
fi

mkdir -p run
pd-server setup --yes --state "$server" --port "$port"

pd-server serve --state "$server" 2>>"$log" &
pid=$!
stop() {
    trap - INT TERM EXIT
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" || true
}
trap 'stop; echo; echo "The server has stopped. make run starts it again; nothing is lost."; exit 0' INT TERM
trap stop EXIT

for _ in $(seq 100); do
    if health "$port"; then break; fi
    if ! kill -0 "$pid" 2>/dev/null; then
        echo "run: the server did not start; the end of $log:" >&2
        tail -n 5 "$log" >&2
        exit 1
    fi
    sleep 0.1
done

pd-agent join --kit "$server/agent-kit" --state "$agent"
pd-agent cycle --state "$agent"

host=$(pd-agent status --state "$agent" --json | awk -F'"' '$2 == "hostname" { print $4; exit }')
echo
echo "────────────────────────────────────────────────────────────────────────"
pd-admin hosts show --state "$server" "$host"
echo
echo "What the audit found"
pd-admin issues audit --state "$server"
echo "────────────────────────────────────────────────────────────────────────"
bin=$(swift build --show-bin-path)
cat <<END

The data lies in   $server (server: fleet.sqlite, keys, settings, checks)
                   $agent (agent: spool, key, settings)
The server listens on http://127.0.0.1:$port and logs to $log

Try next:
  $bin/pd-admin hosts history --state $server $host
  $bin/pd-agent collect --print --state $agent
  $bin/pd-admin hosts list --state $server --where '{"plugins.firewall.status": "off"}'

The server stays up until Ctrl-C.
END
wait "$pid"
