"""Users who are logged in to X, and commands in their sessions: what pd-plugin, which the agent brings, finds and does."""

import os
import subprocess

__all__ = ["find_who_x_users", "find_xinit_users", "find_x_users", "DBusUser"]


class ToolMissing(RuntimeError):
    """pd-plugin is not there, or cannot be run."""


def _tool(*arguments, stderr=None):
    """What pd-plugin writes, as text; subprocess.CalledProcessError where it fails."""
    tool = os.environ.get("PENGUINDOME_PLUGIN_TOOL")
    if not tool:
        raise ToolMissing("PENGUINDOME_PLUGIN_TOOL, which names the program pd-plugin, is not set: the agent sets it "
                          "where pd-plugin is installed; to try a plugin by hand, use pd-plugin lint")
    try:
        return subprocess.check_output((tool,) + arguments, stderr=stderr).decode("utf-8", "replace")
    except OSError as error:
        raise ToolMissing("%s (PENGUINDOME_PLUGIN_TOOL) cannot be run: %s" % (tool, error.strerror)) from error


def _x_users(way):
    lines = _tool("x-users", "--by", way).splitlines()
    return [tuple(line.split()[:2]) for line in lines]


def find_who_x_users():
    """(user, $DISPLAY) of those whom who(1) shows to be logged in to X."""
    return _x_users("who")


def find_xinit_users():
    """(user, $DISPLAY) of those who started X by xinit(1) or startx(1)."""
    return _x_users("xinit")


def find_x_users():
    """Both of them, each once, sorted."""
    return sorted(set(find_who_x_users()) | set(find_xinit_users()))


class DBusUser:
    """Runs commands where a user's programs run: as that user, with the session's bus.

    Raises KeyError where that user has no session with that display and a bus.
    """

    def __init__(self, user, display):
        self.user = user
        self.display = display
        try:
            _tool("session-run", user, "--display=" + display, stderr=subprocess.DEVNULL)
        except subprocess.CalledProcessError:
            raise KeyError((user, display)) from None

    def __str__(self):
        return "<DBusUser(%r, %r)>" % (self.user, self.display)

    def command(self, cmd, stderr=None):
        """What a shell command writes, as text; subprocess.CalledProcessError where it fails."""
        return _tool("session-run", self.user, "--display=" + self.display, "--", "/bin/sh", "-c", cmd,
                     stderr=stderr)
