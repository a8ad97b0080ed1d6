"""Durations as a rule file writes them: a whole number and one unit, `90s`, `4h`."""

import re
from datetime import timedelta

FORM = re.compile(r"(\d{1,9})(ms|s|m|h|d)", re.ASCII)
UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


def read_duration(text: str) -> timedelta:
    """ValueError says what a duration looks like."""
    found = FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no duration such as 500ms, 90s, 5m, 4h or 7d")
    return int(found[1]) * UNITS[found[2]]
