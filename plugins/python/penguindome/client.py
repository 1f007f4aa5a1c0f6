"""Settings and logging for plugins."""

import json
import logging
import logging.handlers
import os
import sys

__all__ = ["get_setting", "get_logger"]

_logger = None


def _settings():
    try:
        found = json.loads(os.environ.get("PENGUINDOME_SETTINGS", "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def get_setting(setting, default=None, check_defaults=True):
    """A setting by its names joined by colons, such as ``logging:level``; the default where it is not set.

    The plugin's own settings (``collector_settings:NAME`` in agent.yml) come first, then those of the agent.
    check_defaults is there for plugins of the original system; the agent hands over its defaults in any case.
    """
    settings = _settings()
    own = settings.pop("plugin", None)
    for source in (own, settings):
        value = source
        for name in setting.split(":"):
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None:
            return value
    return default


class _Logger:
    """Takes messages with {} as well as with %s."""

    def __init__(self, logger):
        self._logger = logger

    def _log(self, level, message, args, kwargs, exc_info=None):
        message = str(message)
        named = {k: v for k, v in kwargs.items() if k not in ("exc_info", "extra")}
        if args or named:
            try:
                message = message.format(*args, **named) if "{" in message else message % args
            except (IndexError, KeyError, TypeError, ValueError):
                message = "%s %r" % (message, args)
        self._logger.log(level, "%s", message, exc_info=exc_info or kwargs.get("exc_info"))

    def debug(self, message, *args, **kwargs):
        self._log(logging.DEBUG, message, args, kwargs)

    def info(self, message, *args, **kwargs):
        self._log(logging.INFO, message, args, kwargs)

    notice = info

    def warning(self, message, *args, **kwargs):
        self._log(logging.WARNING, message, args, kwargs)

    warn = warning

    def error(self, message, *args, **kwargs):
        self._log(logging.ERROR, message, args, kwargs)

    def exception(self, message="", *args, **kwargs):
        self._log(logging.ERROR, message, args, kwargs, exc_info=True)

    def critical(self, message, *args, **kwargs):
        self._log(logging.CRITICAL, message, args, kwargs)


def get_logger(name):
    """A logger that writes to standard error, which is reported where the plugin fails, and to the system's log."""
    global _logger
    if _logger is not None:
        return _logger
    logger = logging.getLogger("penguindome-" + name)
    level = str(get_setting("logging:level", "notice")).upper()
    level = {"TRACE": "DEBUG", "NOTICE": "INFO"}.get(level, level)
    logger.setLevel(getattr(logging, level, logging.INFO))
    logger.propagate = False
    handlers = [logging.StreamHandler(sys.stderr)]
    if os.path.exists("/dev/log"):
        try:
            handlers.append(logging.handlers.SysLogHandler("/dev/log"))
        except OSError:
            pass
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
        logger.addHandler(handler)
    _logger = _Logger(logger)
    return _logger
