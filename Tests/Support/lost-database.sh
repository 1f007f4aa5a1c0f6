#!/usr/bin/env bash
# A server loses its MongoDB database while it serves: reports get 503, and are taken again once the database is back,
# without a restart of the server. Also: a database that cannot be reached at start, and pd-admin on MongoDB.
# Usage: Tests/Support/lost-database.sh [PATH-OF-SECANTUSD]
# Starts everything in a temporary directory, stops what it started, and exits with 0 where all was as it should be.
set -euo pipefail
cd "$(dirname "$0")/../.."
secantusd=${1:-$(Tests/Support/fetch-secantusdb.sh "$PWD/.build/secantusdb")}
for product in pd-server pd-admin; do [ -n "${SKIP_BUILD:-}" ] || swift build --product "$product" >&2; done
PATH=$(swift build --show-bin-path):$PATH
work=$(mktemp -d)
export GNUPGHOME=$work/gnupg
server= database=
cleanup() {
    for process in $server $database; do kill -9 "$process" 2>/dev/null || true; done
    gpgconf --kill gpg-agent || true
    rm -rf "$work"
}
trap cleanup EXIT
fail() { echo "FAILED: $*" >&2; tail -5 "$work"/*.log >&2; exit 1; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
mkdir -m 700 "$GNUPGHOME"

port=$(free_port) database_port=$(free_port) state=$work/server
uri=mongodb://127.0.0.1:$database_port/fleet
start_database() {
    "$secantusd" --port "$database_port" --storage-path "$work/data" --sync-on-commit >>"$work/database.log" 2>&1 &
    database=$!
    until (exec 3<>"/dev/tcp/127.0.0.1/$database_port") 2>/dev/null; do sleep 0.1; done
}
gpg --batch --quiet --passphrase '' --quick-gen-key agents rsa3072 sign never 2>/dev/null
gpg --armor --export agents >"$work/agents.asc"
pd-server setup --yes --state "$state" --port "$port" >/dev/null
pd-admin keys add "$work/agents.asc" --role client --state "$state" >/dev/null

# report NUMBER: the status of its answer.
report() {
    printf '{"hostname": "laptop", "collected_at": "2024-06-01T12:00:%02dZ", "plugins": {"firewall": {"status": "off"}, "n": %d}}' \
        "$1" "$1" >"$work/data.json"
    gpg --batch --yes --quiet --armor --detach-sign --output "$work/data.asc" "$work/data.json"
    curl -s -o /dev/null -w '%{http_code}' --max-time 60 --data-urlencode "data@$work/data.json" \
        --data-urlencode "signature@$work/data.asc" "http://127.0.0.1:$port/penguindome/v1/submit"
}

echo "1. The database cannot be reached at start"
status=0
pd-server serve --state "$state" --database "$uri" 2>"$work/first.log" || status=$?
[ "$status" = 3 ] || fail "exit code $status instead of 3"
# Where a killed process had the same number, libmongoc complains while it is loaded, before main.
[ "$(grep -vc 'mongoc: Falling back' "$work/first.log")" = 1 ] || fail "not one line"
cat "$work/first.log"

echo "2. With --wait the server starts once the database is there"
pd-server serve --state "$state" --database "$uri" --wait 2>"$work/server.log" &
server=$!
sleep 2
start_database
for _ in $(seq 300); do curl -sf "http://127.0.0.1:$port/healthz" >/dev/null && break; sleep 0.1; done
answer=$(report 1)
[ "$answer" = 200 ] || fail "a report got $answer"

echo "3. The database is killed: a report gets 503"
kill -9 "$database" && wait "$database" 2>/dev/null || true
begin=$SECONDS
answer=$(report 2)
[ "$answer" = 503 ] || fail "a report got $answer instead of 503"
echo "   after $((SECONDS - begin)) s"

echo "4. The database is back: the same server takes the report"
start_database
begin=$SECONDS
for _ in $(seq 60); do answer=$(report 2); [ "$answer" = 200 ] && break; sleep 0.5; done
[ "$answer" = 200 ] || fail "a report got $answer"
kill -0 "$server" || fail "the server ended"
echo "   after $((SECONDS - begin)) s"

echo "5. pd-admin on MongoDB, and a copy to SQLite and back"
python3 - "$state/server.yml" "$uri" <<'EOF'
import re, sys
text = re.sub(r"(?m)^database:.*\n(?:[ \t].*\n)*", "", open(sys.argv[1]).read())
open(sys.argv[1], "w").write(text + f"\ndatabase: {{host: '{sys.argv[2]}'}}\n")
EOF
hosts=$(pd-admin hosts list --state "$state" --where '{"plugins.firewall.status": "off"}' --json)
echo "$hosts" | python3 -c 'import json, sys; assert [h["hostname"] for h in json.load(sys.stdin)] == ["laptop"]' || fail "$hosts"
pd-admin hosts history laptop --state "$state" | grep -q plugins.n || fail "no history"
pd-admin store copy --from "$uri" --to "sqlite:$work/copy.sqlite"
pd-admin store copy --from "sqlite:$work/copy.sqlite" --to "mongodb://127.0.0.1:$database_port/second"
pd-admin backup "$work/backup" --state "$state"
pd-admin store check --state "$state"
pd-admin store prune --audit-trail 1d --state "$state"

echo "6. The same on SQLite: backup, change, restore"
cp -r "$state" "$work/embedded"
sed -i '/^database:/d' "$work/embedded/server.yml"
pd-admin restore "$work/backup" --sqlite --yes --state "$work/embedded"
pd-admin hosts list --state "$work/embedded" --where '{"plugins.firewall.status": "off"}' --json |
    python3 -c 'import json, sys; assert len(json.load(sys.stdin)) == 1'
head -c 20000 /dev/urandom >"$work/broken"
if pd-admin restore "$work/broken" --yes --state "$work/embedded"; then fail "a broken backup was restored"; fi
pd-admin store check --state "$work/embedded"
kill "$server" && wait "$server" || fail "the server did not end well"
server=
echo "All was as it should be."
