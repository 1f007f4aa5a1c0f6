#!/usr/bin/env bash
# Holds what pd-agent says of firewalls against what a peer reaches: real rules in network namespaces.
#
#     Tests/System/firewall.sh PD-AGENT
#
# Needs root, iproute2, nftables, iptables and python3; ufw, firewalld and dbus where they are to be tried. Each set of rules is loaded into a namespace of its own, a peer
# in another one knocks at ports, and the two answers are compared: "on" where the peer reaches next to nothing that it
# was not let in to, "off" where it reaches all of it.
set -euo pipefail
# What ufw and firewalld keep in /etc is a copy, in a mount namespace of this test.
if [ -z "${PD_IN_NAMESPACE:-}" ]; then PD_IN_NAMESPACE=1 exec unshare --mount --propagation private "$0" "$@"; fi
agent=$(realpath "$1")
work=$(mktemp -d)
laptop=pdlap$$ peer=pdpeer$$
cleanup() {
    [ -n "${listener:-}" ] && kill "$listener" 2>/dev/null || true
    ip netns del "$laptop" 2>/dev/null || true
    ip netns del "$peer" 2>/dev/null || true
}
trap 'cleanup; rm -rf "$work"' EXIT

cat >"$work/listen.py" <<'P'
import select, socket
sockets = []
for family, any_address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
    for port in (22, 80, 4444, 40000):
        s = socket.socket(family, socket.SOCK_STREAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind((any_address, port)); s.listen(20); sockets.append(s)
print("ready", flush=True)
while True:
    for s in select.select(sockets, [], [])[0]: s.accept()[0].close()
P
cat >"$work/probe.py" <<'P'
import socket
for family, address in ((socket.AF_INET, "10.99.0.1"), (socket.AF_INET6, "fd99::1")):
    reached = 0
    for port in (22, 80, 4444, 40000):
        s = socket.socket(family, socket.SOCK_STREAM); s.settimeout(0.4)
        try: s.connect((address, port)); reached += 1
        except OSError: pass
        s.close()
    print("off" if reached == 4 else "on")
P

. "$(dirname "$0")/join.sh"

failures=0
check() { # NAME RULES
    cleanup
    listener=
    ip netns add "$laptop"; ip netns add "$peer"
    ip -n "$laptop" link add wlan0 type veth peer name eth0 netns "$peer"
    ip -n "$laptop" addr add 10.99.0.1/24 dev wlan0; ip -n "$peer" addr add 10.99.0.2/24 dev eth0
    ip -n "$laptop" addr add fd99::1/64 dev wlan0 nodad; ip -n "$peer" addr add fd99::2/64 dev eth0 nodad
    for n in "$laptop lo" "$laptop wlan0" "$peer eth0" "$peer lo"; do ip -n ${n% *} link set "${n#* }" up; done
    # Neighbours are known beforehand: rules that drop all would drop the questions for them as well.
    local ml mp
    ml=$(ip -n "$laptop" -j link show wlan0 | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["address"])')
    mp=$(ip -n "$peer" -j link show eth0 | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["address"])')
    for a in 10.99.0.2 fd99::2; do ip -n "$laptop" neigh replace $a lladdr "$mp" dev wlan0 nud permanent; done
    for a in 10.99.0.1 fd99::1; do ip -n "$peer" neigh replace $a lladdr "$ml" dev eth0 nud permanent; done
    exec 8< <(exec ip netns exec "$laptop" python3 "$work/listen.py")
    listener=$!
    read -r <&8
    ip netns exec "$laptop" bash -c "$2"
    local said reached
    said=$(ip netns exec "$laptop" "$agent" collect --print --state "$work/state" |
        python3 -c 'import json,sys; f=json.load(sys.stdin)["plugins"]["firewall"]; print(f["ipv4"], f["ipv6"])')
    reached=$(ip netns exec "$peer" python3 "$work/probe.py" | tr '\n' ' ')
    if [ "$said" = "${reached% }" ]; then
        echo "ok       $1: $said"
    else
        echo "NOT OK   $1: the agent says $said, the peer finds ${reached% }"
        failures=$((failures + 1))
    fi
}

input() { # POLICY RULES: a chain of nftables
    printf "nft -f - <<'N'\ntable inet filter { chain input { type filter hook input priority 0; policy %s; ct state established,related accept; iif lo accept; %s }\n}\nN\n" "$1" "$2"
}
both() { # COMMAND-SUFFIX RULES...: iptables and ip6tables
    local suffix=$1; shift
    for t in iptables ip6tables; do for r in "$@"; do echo "$t$suffix $r"; done; done
}

join_agent
check "no rules" true
check "nft: drop, but SSH" "$(input drop 'tcp dport 22 accept;')"
check "nft: the whole interface" "$(input drop 'iifname "wlan0" accept;')"
check "nft: all but loopback" "$(input drop 'iifname != "lo" accept;')"
check "nft: TCP and UDP" "$(input drop 'meta l4proto { tcp, udp } accept;')"
check "nft: all ports" "$(input drop 'tcp dport 1-65535 accept; udp dport 1-65535 accept;')"
check "nft: to ourselves" "$(input drop 'fib daddr type local accept;')"
check "nft: our own address" "$(input drop 'ip daddr 10.99.0.1 accept; ip6 daddr fd99::1 accept;')"
check "nft: packets for this host" "$(input drop 'meta pkttype host accept;')"
check "nft: a limit" "$(input drop 'limit rate 1000/second burst 1000 packets accept;')"
check "nft: over no quota" "$(input drop 'quota over 0 bytes accept;')"
check "nft: SYN" "$(input drop 'tcp flags & (fin|syn|rst|ack) == syn accept;')"
check "nft: from anywhere" "$(input drop 'ip saddr 0.0.0.0/0 accept; ip6 saddr ::/0 accept;')"
check "nft: a map for the rest" "$(input drop 'iifname vmap { "lo" : accept, * : accept };')"
check "nft: reject at the end" "$(input accept 'meta l4proto tcp reject with tcp reset; reject;')"
check "nft: a dormant table" "nft -f - <<'N'
table inet filter { flags dormant; chain input { type filter hook input priority 0; policy drop; }
}
N"
check "nft: before routing" "nft -f - <<'N'
table inet f { chain pre { type filter hook prerouting priority 0; policy drop; ct state established,related accept; iif lo accept; }
}
N"
check "nft: at the device" "nft -f - <<'N'
table netdev f { chain ing { type filter hook ingress device wlan0 priority 0; policy drop; }
}
N"
check "nft: a named map" "nft -f - <<'N'
table inet filter { map zones { type ifname : verdict; elements = { \"wlan0\" : accept }; }
chain input { type filter hook input priority 0; policy drop; iif lo accept; iifname vmap @zones; }
}
N"
check "nft: IPv4 alone" "nft -f - <<'N'
table ip filter { chain input { type filter hook input priority 0; policy drop; ct state established,related accept; }
}
N"
for kind in -nft -legacy; do
    command -v "iptables$kind" >/dev/null || continue
    check "iptables$kind: drop, but SSH" "$(both $kind '-P INPUT DROP' '-A INPUT -i lo -j ACCEPT' '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT' '-A INPUT -p tcp --dport 22 -j ACCEPT')"
    check "iptables$kind: reject at the end" "$(both $kind '-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT' '-A INPUT -i lo -j ACCEPT' '-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT' '-A INPUT -j REJECT')"
    check "iptables$kind: new connections" "$(both $kind '-P INPUT DROP' '-A INPUT -m conntrack --ctstate NEW,RELATED,ESTABLISHED -j ACCEPT')"
    check "iptables$kind: TCP and UDP" "$(both $kind '-P INPUT DROP' '-A INPUT -p tcp -j ACCEPT' '-A INPUT -p udp -j ACCEPT')"
    check "iptables$kind: the whole interface" "$(both $kind '-P INPUT DROP' '-A INPUT -i wlan0 -j ACCEPT')"
    check "iptables$kind: a quotation mark" "$(both $kind '-P INPUT DROP' "-A INPUT -m comment --comment 'all (15\" laptop)' -j ACCEPT")"
    check "iptables$kind: new ones dropped" "$(both $kind '-A INPUT -i lo -j ACCEPT' '-A INPUT -m conntrack --ctstate NEW,INVALID -j DROP')"
    check "iptables$kind: to ourselves" "$(both $kind '-P INPUT DROP' '-A INPUT -m addrtype --dst-type LOCAL -j ACCEPT')"
    check "iptables$kind: all ports" "$(both $kind '-P INPUT DROP' '-A INPUT -p tcp -m multiport --dports 1:65535 -j ACCEPT')"
done
private_copy() { # DIRECTORY
    mkdir -p "$work/copy$1"
    cp -a "$1/." "$work/copy$1"
    mount --bind "$work/copy$1" "$1"
}
if command -v ufw >/dev/null; then
    private_copy /etc/ufw
    with_ufw() { echo "ufw --force reset; $1; ufw --force enable"; }
    quiet() { echo "{ $1; } >/dev/null 2>&1"; }
    check "ufw: nothing allowed" "$(quiet "$(with_ufw true)")"
    check "ufw: SSH" "$(quiet "$(with_ufw 'ufw allow 22/tcp')")"
    check "ufw: the whole interface" "$(quiet "$(with_ufw 'ufw allow in on wlan0')")"
    check "ufw: everybody" "$(quiet "$(with_ufw 'ufw allow from any to any')")"
    check "ufw: all by default" "$(quiet "$(with_ufw 'ufw default allow incoming')")"
    check "ufw: limited SSH" "$(quiet "$(with_ufw 'ufw limit 22/tcp')")"
    check "ufw: switched off" "$(quiet "$(with_ufw true); ufw --force disable")"
fi
if command -v firewalld >/dev/null; then
    private_copy /etc/firewalld
    # A bus of its own stands for the system's.
    export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$work/bus
    dbus-daemon --session --address="$DBUS_SYSTEM_BUS_ADDRESS" --fork --print-pid >"$work/bus.pid"
    with_firewalld() { # COMMANDS
        echo "exec 8<&-; firewalld --nofork --nopid >/dev/null 2>&1 & echo \$! >'$work/firewalld.pid'
            for i in \$(seq 100); do firewall-cmd --state >/dev/null 2>&1 && break; sleep 0.2; done; { $1; } >/dev/null"
    }
    end_firewalld() {
        kill "$(cat "$work/firewalld.pid")" 2>/dev/null || true
        while [ -d "/proc/$(cat "$work/firewalld.pid")" ]; do sleep 0.1; done
    }
    for rules in "firewalld: zone public|true" \
        "firewalld: the interface in trusted|firewall-cmd --zone=trusted --change-interface=wlan0" \
        "firewalld: trusted by default|firewall-cmd --set-default-zone=trusted" \
        "firewalld: zone drop|firewall-cmd --set-default-zone=drop" \
        "firewalld: sources in trusted|firewall-cmd --set-default-zone=public; firewall-cmd --zone=trusted --add-source=0.0.0.0/0 --add-source=::/0"; do
        check "${rules%%|*}" "$(with_firewalld "${rules#*|}")"
        end_firewalld
    done
    kill "$(cat "$work/bus.pid")"
fi
[ "$failures" -eq 0 ] || { echo "$failures sets of rules are judged wrongly" >&2; exit 1; }
