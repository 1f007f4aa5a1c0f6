"""Users who are logged in to X, and commands in their sessions. Needs nothing but Python."""

import os
import pwd
import re
import subprocess

__all__ = ["find_who_x_users", "find_xinit_users", "find_x_users", "DBusUser"]


def _who_x_users(text):
    users = []
    for line in text.splitlines():
        words = line.split()
        display = re.search(r"\((:\d[^)]*)\)\s*$", line)
        if words and display:
            users.append((words[0], display.group(1)))
        elif len(words) > 1 and re.match(r":\d", words[1]):
            users.append((words[0], words[1]))
    return users


def find_who_x_users():
    """(user, $DISPLAY) of those whom who(1) shows to be logged in to X."""
    return _who_x_users(subprocess.check_output(("who",)).decode("utf-8", "replace"))


class _Process:
    """A process by /proc. What cannot be read is empty."""

    def __init__(self, number):
        self.number = number

    def _bytes(self, name):
        try:
            with open("/proc/%d/%s" % (self.number, name), "rb") as file:
                return file.read()
        except OSError:
            return b""

    def _texts(self, name):
        return [part.decode("utf-8", "replace") for part in self._bytes(name).split(b"\0") if part]

    @property
    def program(self):
        try:
            return os.path.basename(os.readlink("/proc/%d/exe" % self.number))
        except OSError:
            return ""

    @property
    def arguments(self):
        return self._texts("cmdline")

    @property
    def environment(self):
        return dict(text.partition("=")[::2] for text in self._texts("environ"))

    @property
    def user(self):
        try:
            return pwd.getpwuid(os.stat("/proc/%d" % self.number).st_uid).pw_name
        except (OSError, KeyError):
            return ""

    def _fields(self):
        return self._bytes("stat").decode("utf-8", "replace").rpartition(")")[2].split()

    @property
    def parent(self):
        fields = self._fields()
        return int(fields[1]) if len(fields) > 1 else 0

    @property
    def started(self):
        fields = self._fields()
        return int(fields[19]) if len(fields) > 19 else 0


def _processes():
    return [_Process(int(name)) for name in os.listdir("/proc") if name.isdigit()]


def find_xinit_users():
    """(user, $DISPLAY) of those who started X by xinit(1) or startx(1)."""
    processes = _processes()
    starters = {p.number for p in processes if p.program == "xinit"}
    users = []
    for server in processes:
        if server.parent not in starters or not re.match(r"X(org|wayland|vfb)?$", server.program):
            continue
        display = next((a for a in server.arguments[1:] if re.match(r":\d", a)), None)
        if display is None:
            continue
        inside = [p for p in processes if p.environment.get("DISPLAY") == display]
        if inside:
            # The first one there is the user's session.
            users.append((min(inside, key=lambda p: p.started).user, display))
    return users


def find_x_users():
    """Both of them, each once."""
    return sorted(set(find_who_x_users()) | set(find_xinit_users()))


class DBusUser:
    """Runs commands where a user's programs run: as that user, with the session's bus.

    Raises KeyError where no program of that user has that display and a bus.
    """

    def __init__(self, user, display):
        self.user = user
        self.display = display
        for process in sorted(_processes(), key=lambda p: p.number):
            if process.user != user:
                continue
            environment = process.environment
            address = environment.get("DBUS_SESSION_BUS_ADDRESS", "disabled")
            if environment.get("DISPLAY") == display and not address.startswith("disabled"):
                self.environ = environment
                return
        raise KeyError((user, display))

    def __str__(self):
        return "<DBusUser(%r, %r)>" % (self.user, self.display)

    def command(self, cmd, stderr=None):
        """What a shell command writes, as text; subprocess.CalledProcessError where it fails."""
        account = pwd.getpwnam(self.user)
        arguments = ("/bin/sh", "-c", cmd)
        if os.geteuid() != account.pw_uid:
            arguments = ("setpriv", "--reuid=%d" % account.pw_uid, "--regid=%d" % account.pw_gid, "--init-groups",
                         "--no-new-privs", "--") + arguments
        return subprocess.check_output(arguments, env=self.environ, stderr=stderr).decode("utf-8")
