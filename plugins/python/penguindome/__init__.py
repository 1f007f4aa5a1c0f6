"""What plugins of the agent need: a place for their state, and what they saw before.

The names are those of the original system, so that its plugins run unchanged.
"""

import os
import subprocess
import tempfile
from datetime import datetime, timezone

import penguindome.json as json

__all__ = ["cached_data", "var_dir", "top_dir"]

#: The directory in which this plugin may keep what it wants; nobody else writes there. It is also its home.
var_dir = os.environ.get("PENGUINDOME_VAR_DIR") or os.path.join(
    tempfile.gettempdir(), "penguindome-plugin-%d" % os.getuid())

#: Where relative paths of plugins start.
top_dir = var_dir


def _read_only():
    return "PENGUINDOME_READ_ONLY" in os.environ


def cached_data(key, data=None, add_timestamp=False, check_logged_in=False,
                raise_exception=True):
    """Keep data under a key and return it; without data, return what was kept.

    With add_timestamp, a dictionary is kept with the time as ``cached_at``. With check_logged_in, data count as None
    while nobody is logged in. Where nothing was kept, raises FileNotFoundError, or returns None where raise_exception
    is false.
    """
    if os.sep in key or key in ("", ".", ".."):
        raise ValueError("a key of cached_data cannot be %r" % key)
    path = os.path.join(var_dir, "cache", key + ".json")
    if check_logged_in and not subprocess.check_output(("who",)).strip():
        data = None
    if data is None:
        try:
            with open(path, encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            if raise_exception:
                raise
            return None
    kept = data
    if add_timestamp and isinstance(data, dict):
        kept = dict(data, cached_at=datetime.now(timezone.utc).replace(tzinfo=None))
    if not _read_only():
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        # Beside its place first: what is there stays whole whatever happens.
        with tempfile.NamedTemporaryFile("w", dir=os.path.dirname(path), delete=False, encoding="utf-8") as file:
            json.dump(kept, file)
        os.replace(file.name, path)
    return data
