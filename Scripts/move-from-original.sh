#!/bin/sh
# Moves a laptop from the agent of the original PenguinDome to pd-agent: run there as root, for instance as a one-time
# command of the original (docs/migrating.md). It can be run again, and takes the old agent out of use only after the
# new one has reported.
#
#     AGENT      where pd-agent is fetched from, an https or file URL
#     SHA256     its digest
#     SERVER     the server's URL; standard: the one in the old agent's settings
#     ORIGINAL   the directory of the old agent (/opt/penguindome)
#     ROOT       below which files are put, for tests (/)
set -eu
original=${ORIGINAL:-/opt/penguindome}
root=${ROOT:-}
: "${AGENT:?where is pd-agent to be fetched from?}" "${SHA256:?which digest has it?}"
server=${SERVER:-$(sed -n 's/^server_url: *//p' "$original/client/settings.yml" | tr -d "'\"")}
: "${server:?no server_url in $original/client/settings.yml: set SERVER}"
umask 077
work=$(mktemp -d)
export GNUPGHOME="$work/keyring"
trap 'gpgconf --kill all; rm -rf "$work"' EXIT

curl -fsS --retry 3 -o "$work/pd-agent" "$AGENT"
echo "$SHA256  $work/pd-agent" | sha256sum --check --quiet
install -D -m 755 "$work/pd-agent" "$root/usr/local/bin/pd-agent"

# The kit: the keys that this machine has already. gpg works on a copy, and changes nothing of the old agent.
cp -r "$original/client/keyring" "$GNUPGHOME"
mkdir "$work/kit"
gpg --batch --quiet --armor --export penguindome-server >"$work/kit/server.pub.asc"
gpg --batch --quiet --armor --pinentry-mode loopback --passphrase '' --export-secret-keys penguindome-client \
    >"$work/kit/client.key.asc"
echo "server_url: ${server%/}" >"$work/kit/agent.yml"
ca=$(sed -n 's/^ *ca_path: *//p' "$original/client/settings.yml" | tr -d "'\"")
if [ -n "$ca" ]; then
    (cd "$original" && cat "$ca") >"$work/kit/server.crt"
    echo 'ssl: {ca_path: server.crt}' >>"$work/kit/agent.yml"
fi

agent="$root/usr/local/bin/pd-agent"
state="$root/var/lib/penguindome/agent"
mkdir -p "${state%/*}"
"$agent" join --kit "$work/kit" --state "$state"
"$agent" cycle --state "$state"

# Only now: the old agent is started by a line that names it.
if [ -d "$root/etc/cron.d" ]; then
    for file in "$root"/etc/cron.d/*; do
        if grep -qsF "$original/bin/client-cron" "$file"; then rm "$file"; fi
    done
fi
if [ -n "$root" ]; then exit 0; fi
"$agent" install-units
systemctl disable --now penguindome-client.timer 2>/dev/null || true
systemctl enable --now penguindome-agent.timer
