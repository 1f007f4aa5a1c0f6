#!/usr/bin/env bash
# Holds `pd-agent run` against what a machine goes through: a network that comes back, settings that change, a second
# start, a shutdown that begins, an end.
#
#     Tests/System/life.sh PD-AGENT
#
# Needs root, iproute2 and python3. The agent runs in a network namespace without a way out until one is made.
set -euo pipefail
if [ -z "${PD_IN_NAMESPACE:-}" ]; then PD_IN_NAMESPACE=1 exec unshare --mount --propagation private "$0" "$@"; fi
agent=$(realpath "$1")
work=$(mktemp -d)
laptop=pdlap$$ office=pdoff$$
pid= server=
cleanup() {
    umount /run 2>/dev/null || true
    for p in $pid $server; do kill "$p" 2>/dev/null || true; done
    wait 2>/dev/null || true
    ip netns del "$laptop" 2>/dev/null || true
    ip netns del "$office" 2>/dev/null || true
}
trap 'cleanup; rm -rf "$work"' EXIT
. "$(dirname "$0")/join.sh"
join_agent
settings() { # COLLECT
    printf 'server_url: http://10.98.0.2:8080\nhostname: laptop\nschedule: {collect_interval: %s, submit_interval: 60}\ncollectors: {firewall: off}\n' \
        "$1" >"$work/state/agent.yml"
}
settings 60
cat >"$work/server.py" <<'P'
import http.server, sys
class Sink(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        if self.path.endswith("/submit"):
            with open(sys.argv[1], "a") as file: file.write("x\n")
        self.send_response(200); self.send_header("content-length", "2"); self.end_headers(); self.wfile.write(b"ok")
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("10.98.0.2", 8080), Sink).serve_forever()
P
ip netns add "$laptop"; ip netns add "$office"
ip -n "$laptop" link add wlan0 type veth peer name eth0 netns "$office"
ip -n "$office" addr add 10.98.0.2/24 dev eth0
for n in "$laptop lo" "$office lo" "$office eth0"; do ip -n ${n% *} link set "${n#* }" up; done
touch "$work/received"
ip netns exec "$office" python3 "$work/server.py" "$work/received" & server=$!

failures=0
verdict() { # NAME COMMAND...
    local name=$1
    shift
    if "$@"; then echo "ok       $name"; else echo "NOT OK   $name"; failures=$((failures + 1)); fi
}
within() { # SECONDS COMMAND...
    local seconds=$1 round
    shift
    for round in $(seq $((seconds * 5))); do "$@" >/dev/null 2>&1 && return 0; sleep 0.2; done
    return 1
}
waiting() { ls "$work/state/spool"/*.report >/dev/null 2>&1; }
received() { [ "$(wc -l <"$work/received")" -ge "$1" ]; }
idle() { [ -z "$(cat /proc/$pid/task/$pid/children)" ]; }
start() { ip netns exec "$laptop" "$agent" run --state "$work/state" 2>>"$work/run.log" & pid=$!; sleep 0.5; }

start
verdict "without a network, a report is kept" within 120 waiting
verdict "and the attempts end" within 120 idle
ip -n "$laptop" addr add 10.98.0.1/24 dev wlan0
ip -n "$laptop" link set wlan0 up
ip -n "$laptop" route add default via 10.98.0.2
verdict "when there is one, it is delivered within 20 s, long before its time" within 20 received 1
verdict "a second one ends with 1" sh -c "'$agent' run --state '$work/state' 2>/dev/null; [ \$? -eq 1 ]"
settings 61
kill -HUP "$pid"
verdict "SIGHUP: the settings are read anew" within 5 grep -q "read anew" "$work/state/log/agent.log"
echo nonsense >>"$work/state/agent.yml"
kill -HUP "$pid"
verdict "SIGHUP: wrong ones are told, and the old ones hold" within 5 grep -q "stay as they were" "$work/state/log/agent.log"
settings 60
kill "$pid"
verdict "SIGTERM: it ends with 0" wait "$pid"

before=$(wc -l <"$work/received")
mkdir -p "$work/run"
mount --bind "$work/run" /run
echo "System is going down. Unprivileged users are not permitted to log in anymore." >/run/nologin
"$agent" run --state "$work/state" 2>>"$work/run.log" & pid=$!
sleep 4
verdict "while the machine goes down, nothing is started" idle
kill "$pid"
wait "$pid" || true
rm /run/nologin
"$agent" run --state "$work/state" 2>>"$work/run.log" & pid=$!
verdict "SIGTERM: what it has started ends with it" sh -c "
    while [ -z \"\$(cat /proc/$pid/task/$pid/children)\" ]; do sleep 0.1; done
    child=\$(cat /proc/$pid/task/$pid/children); kill $pid
    for i in \$(seq 50); do [ -d /proc/\$(echo \$child) ] || exit 0; sleep 0.2; done; exit 1"
[ "$failures" -eq 0 ] || { echo "$failures things went wrong" >&2; exit 1; }
