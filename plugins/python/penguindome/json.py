"""JSON in which values under names that end in ``_at`` are times (ISO 8601, UTC where no zone is named)."""

import json as _json
from datetime import date, datetime, timezone

__all__ = ["dump", "dumps", "load", "loads"]


class _Encoder(_json.JSONEncoder):
    def default(self, o):
        if isinstance(o, (datetime, date)):
            return o.isoformat()
        return super().default(o)


def _time(text):
    """The time, without a zone and in UTC, as older plugins compare it with utcnow(); nothing where it is none."""
    if not isinstance(text, str) or len(text) < 10:
        return None
    text = text.strip()
    if text[-1:] in "Zz":
        text = text[:-1] + "+00:00"
    # Python before 3.11 takes three or six digits of a second only.
    head, dot, tail = text.partition(".")
    if dot:
        digits = ""
        while tail and tail[0].isdigit():
            digits, tail = digits + tail[0], tail[1:]
        text = "%s.%s%s" % (head, (digits + "000000")[:6], tail)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is not None:
        moment = moment.astimezone(timezone.utc).replace(tzinfo=None)
    return moment


def _times(found):
    for key, value in found.items():
        if key.endswith("_at"):
            moment = _time(value)
            if moment is not None:
                found[key] = moment
    return found


def dump(obj, fp, **kwargs):
    kwargs.setdefault("cls", _Encoder)
    return _json.dump(obj, fp, **kwargs)


def dumps(obj, **kwargs):
    kwargs.setdefault("cls", _Encoder)
    return _json.dumps(obj, **kwargs)


def load(fp, **kwargs):
    kwargs.setdefault("object_hook", _times)
    return _json.load(fp, **kwargs)


def loads(s, **kwargs):
    kwargs.setdefault("object_hook", _times)
    return _json.loads(s, **kwargs)
