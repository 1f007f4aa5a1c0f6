# For the scripts beside it: $agent is a pd-agent, $work a directory, which gets the agent's state.
# A joined agent, whose settings and key nobody asks for anything.
join_agent() {
    python3 - "$work" <<'P'
import os, subprocess, sys
work = sys.argv[1]; kit = work + "/kit"; home = work + "/gnupg"
os.makedirs(kit); os.makedirs(home, mode=0o700)
env = dict(os.environ, GNUPGHOME=home)
def gpg(*a): return subprocess.run(["gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "", *a], env=env, check=True, capture_output=True).stdout
for name in ("client", "server"): gpg("--quick-generate-key", name, "ed25519", "sign", "never")
open(kit + "/agent.yml", "w").write("server_url: http://127.0.0.1:1\nhostname: laptop\n")
open(kit + "/client.key.asc", "wb").write(gpg("--armor", "--export-secret-keys", "client"))
open(kit + "/server.pub.asc", "wb").write(gpg("--armor", "--export", "server"))
P
    "$agent" join --kit "$work/kit" --state "$work/state" >/dev/null
}
