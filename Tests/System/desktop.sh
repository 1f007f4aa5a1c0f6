#!/usr/bin/env bash
# Holds what pd-agent says of screen locks against desktops that run: sway without a screen, Xvfb, GNOME's settings.
#
#     Tests/System/desktop.sh PD-AGENT PD-PLUGIN
#
# Needs root and Debian's sway, swayidle, swaylock, xvfb, xinit, xautolock, xss-lock, light-locker, i3lock, suckless-tools,
# openbox, x11-xserver-utils, dbus, libglib2.0-bin, gsettings-desktop-schemas, dconf-service. All of it is real but for
# logind, which a container has none of: a script says in its place which sessions there are, within a mount namespace of
# this test; gnome-shell, and light-locker, which ends where there is no logind: in their names processes sleep.
set -euo pipefail
if [ -z "${PD_IN_NAMESPACE:-}" ]; then PD_IN_NAMESPACE=1 exec unshare --mount --propagation private "$0" "$@"; fi
agent=$(realpath "$1") plugin=$(realpath "$2")
work=$(mktemp -d)
chmod 755 "$work"
user=pdtest$$
useradd --create-home --home-dir "$work/home" --shell /bin/bash "$user"
uid=$(id -u "$user")
runtime=/run/user/$uid
mkdir -p "$runtime"
chown "$user:" "$runtime"
chmod 700 "$runtime"
end_session() {
    local round
    for round in 1 2 3 4 5 6 7 8 9 10; do
        pgrep -u "$uid" >/dev/null || return 0
        pkill -TERM -u "$uid" || true
        sleep 0.2
    done
    pkill -KILL -u "$uid" || true
}
trap 'end_session; userdel "$user" 2>/dev/null; rm -rf "$work" "$runtime"' EXIT

. "$(dirname "$0")/join.sh"
join_agent

# What logind would say of the one session.
cat >"$work/loginctl" <<'L'
#!/bin/sh
case $1 in
    list-sessions) echo "7 UID USER seat0" ;;
    show-session) cat SESSION ;;
    *) exit 1 ;;
esac
L
sed -i "s|SESSION|$work/session|; s|UID USER|$uid $user|" "$work/loginctl"
chmod 755 "$work/loginctl"
mount --bind "$work/loginctl" /usr/bin/loginctl
session() { # TYPE DESKTOP DISPLAY
    printf 'Id=7\nName=%s\nUser=%s\nType=%s\nClass=user\nDesktop=%s\nDisplay=%s\nLeader=1\nRemote=no\nLockedHint=no\n' \
        "$user" "$uid" "$1" "$2" "$3" >"$work/session"
}

# as_user VARIABLES... -- COMMAND: in the user's session, in the background.
as_user() {
    local variables=()
    while [ "$1" != -- ]; do variables+=("$1"); shift; done
    shift
    setpriv --reuid="$uid" --regid="$(id -g "$user")" --init-groups env -i HOME="$work/home" USER="$user" \
        PATH=/usr/bin:/bin:/usr/games XDG_RUNTIME_DIR="$runtime" \
        DBUS_SESSION_BUS_ADDRESS="unix:path=$runtime/bus" "${variables[@]}" "$@"
}
wait_for() { # WHAT COMMAND...
    local what=$1 round
    shift
    for round in $(seq 100); do "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done
    echo "$what did not come up" >&2
    exit 1
}
runs() { pgrep -u "$uid" -x "$1" >/dev/null; }

failures=0
check() { # NAME EXPECTED: enabled delay on_suspend locker
    local said
    said=$("$agent" collect --print --state "$work/state" | python3 -c '
import json, sys
found = json.load(sys.stdin)["plugins"]["screenlock"]
users = found["users"]
u = users[0] if users else found
print(json.dumps(u.get("enabled")), u.get("delay"), json.dumps(u.get("on_suspend")), u.get("locker"))')
    if [ "$said" = "$2" ]; then
        echo "ok       $1: $said"
    else
        echo "NOT OK   $1: the agent says $said, and it is $2"
        failures=$((failures + 1))
    fi
}

bus() {
    as_user -- dbus-daemon --session --address="unix:path=$runtime/bus" --nofork --nopidfile >/dev/null 2>&1 &
    wait_for "the bus" test -S "$runtime/bus"
}

# --- sway ---
sway() { # CONFIG-LINES
    end_session
    rm -f "$runtime"/wayland-* "$runtime"/sway-ipc*
    mkdir -p "$work/home/.config/sway"
    printf '%s\n' "$1" >"$work/home/.config/sway/config"
    chown -R "$user:" "$work/home"
    session wayland sway ""
    bus
    as_user WLR_BACKENDS=headless WLR_LIBINPUT_NO_DEVICES=1 WLR_RENDERER=pixman -- sway >"$work/sway.log" 2>&1 &
    wait_for sway sh -c "ls $runtime/wayland-*"
}
sway "exec swayidle -w timeout 300 'swaylock -f' timeout 600 'swaymsg \"output * dpms off\"' before-sleep 'swaylock -f'"
wait_for swayidle runs swayidle
check "sway: swayidle on its command line" "true 300 true swayidle"
sway "exec swayidle -w timeout 120 'swaymsg \"output * dpms off\"'"
wait_for swayidle runs swayidle
check "sway: swayidle that only switches the screen off" "false None false swayidle"
sway "# nothing"
check "sway: nothing that locks" "false None null None"
mkdir -p "$work/home/.config/swayidle"
printf "timeout 240 'swaylock -f -c 000000'\nbefore-sleep 'swaylock -f'\n" >"$work/home/.config/swayidle/config"
sway "exec swayidle"
wait_for swayidle runs swayidle
check "sway: swayidle by its file" "true 240 true swayidle"
"$plugin" session-run "$user" -- swaymsg -t get_version >/dev/null &&
    echo "ok       pd-plugin: a command reaches sway" ||
    { echo "NOT OK   pd-plugin: a command does not reach sway"; failures=$((failures + 1)); }

# --- X ---
x() { # COMMAND: starts it in a session of X
    end_session
    rm -f /tmp/.X97-lock
    session x11 openbox :97
    bus
    # By xinit, so that pd-plugin has something to find.
    printf '#!/bin/sh\n%s &\nexec openbox\n' "$1" >"$work/home/.xinitrc"
    chmod 755 "$work/home/.xinitrc"
    chown "$user:" "$work/home/.xinitrc"
    as_user DISPLAY=:97 -- xinit "$work/home/.xinitrc" -- /usr/bin/Xvfb :97 -screen 0 640x480x24 -nolisten tcp \
        >"$work/x.log" 2>&1 &
    wait_for X as_user DISPLAY=:97 -- xset q
    wait_for openbox runs openbox
}
x "xautolock -time 5 -locker slock"
wait_for xautolock runs xautolock
check "X: xautolock" "true 300 null xautolock"
[ "$("$plugin" x-users --by xinit)" = "$user :97 x11 -" ] && echo "ok       pd-plugin: finds who used xinit" ||
    { echo "NOT OK   pd-plugin x-users: $("$plugin" x-users --by xinit)"; failures=$((failures + 1)); }
[ "$("$plugin" session-run "$user" --display :97 -- /bin/sh -c 'id -un; echo $DISPLAY' | tr '\n' ' ')" = "$user :97 " ] &&
    echo "ok       pd-plugin: a command runs as that user" ||
    { echo "NOT OK   pd-plugin session-run"; failures=$((failures + 1)); }
x "xautolock -time 5 -locker 'xset dpms force off'"
wait_for xautolock runs xautolock
check "X: xautolock that locks what nobody knows" "\"unknown\" None null xautolock"
x "xset s 420 420; xss-lock -- i3lock -n"
wait_for xss-lock runs xss-lock
check "X: xss-lock, blank after seven minutes" "true 420 true xss-lock"
x "xset s off; xss-lock -- i3lock -n"
wait_for xss-lock runs xss-lock
check "X: xss-lock, never blank" "false None true xss-lock"
x "xset s 600; bash -c 'exec -a light-locker sh -c \"sleep 10000\" --lock-after-screensaver=5'"
wait_for light-locker pgrep -u "$uid" -f '^light-locker'
check "X: light-locker" "true 605 null light-locker"
x ":"
check "X: nothing that locks" "false None null None"

# --- GNOME's settings ---
end_session
session wayland gnome ""
rm -rf "$work/home/.config/dconf"
bus
as_user -- bash -c 'exec -a gnome-shell sleep 10000' &
set_key() { as_user -- gsettings set "$@"; }
set_key org.gnome.desktop.session idle-delay 300
check "GNOME: five minutes" "true 300 null gnome-shell"
set_key org.gnome.desktop.screensaver lock-delay 30
check "GNOME: and half of one" "true 330 null gnome-shell"
set_key org.gnome.desktop.screensaver lock-enabled false
check "GNOME: no lock" "false None null gnome-shell"
set_key org.gnome.desktop.screensaver lock-enabled true
set_key org.gnome.desktop.session idle-delay 0
check "GNOME: never" "false None null gnome-shell"

[ "$failures" -eq 0 ] || { echo "$failures desktops are judged wrongly" >&2; exit 1; }
