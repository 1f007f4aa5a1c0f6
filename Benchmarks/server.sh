# To be sourced by the benchmarks that need a server: builds what they run, gives them a temporary directory `work` with a
# GnuPG home, and stops what they started when they end.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

for product in pd-server pd-admin submit-benchmark; do
    swift build -c release --product "$product" >&2
done
PATH=$(swift build -c release --show-bin-path):$PATH
work=$(mktemp -d)
export GNUPGHOME=$work/gnupg
server=
stop_server() {
    [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" || true; }
    server=
}
cleanup() {
    stop_server
    gpgconf --kill gpg-agent || true
    rm -rf "$work"
}
trap cleanup EXIT
mkdir -m 700 "$GNUPGHOME"

# make_server NAME ALGORITHM PORT: a key $work/NAME.asc of gpg's, and a server in $work/NAME that knows it.
make_server() {
    gpg --batch --quiet --passphrase '' --quick-gen-key "$1" "$2" sign never 2>/dev/null
    gpg --armor --export "$1" >"$work/$1.pub.asc"
    gpg --armor --export-secret-keys "$1" >"$work/$1.asc"
    pd-server setup --yes --state "$work/$1" --port "$3" >/dev/null
    pd-admin keys add "$work/$1.pub.asc" --role client --state "$work/$1" >/dev/null
}

# start_server NAME PORT LEVEL: starts it, logging no less than LEVEL, and comes back when it answers.
start_server() {
    sed -i "s/level: info/level: $3/" "$work/$1/server.yml"
    pd-server serve --state "$work/$1" 2>"$work/$1.log" &
    server=$!
    until (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null; do sleep 0.1; done
}

echo "load average $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) processors"
