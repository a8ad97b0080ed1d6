"""What each key of a rule file may be, and how it is read: RULE_KEYS and its like are the whole vocabulary."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cockpit.alerts.calendars import WEEK, Calendar
from cockpit.alerts.conditions import Condition, read_condition
from cockpit.alerts.durations import read_duration
from cockpit.alerts.rules import LABELS, OnMissing, Severity
from cockpit.alerts.silences import MATCHED
from cockpit.i18n.translate import LANGUAGES

RECEIVER_LANGUAGES = ("pt-BR", "en")
ID = re.compile(r"[a-z][a-z0-9_]*")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]*")
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
HOURS = re.compile(r"(\d\d:\d\d)-(\d\d:\d\d)")

Read = Callable[[Any], Any]


class Unfit(ValueError):  # noqa: N818 - named by what happened
    """A value that its key cannot be. Says what it may be."""


class Key(NamedTuple):
    """`read` gives the value or raises ValueError. `field`: of the struct, where the key is called otherwise."""

    read: Read
    is_required: bool = False
    field: str = ""


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Unfit(f"{value!r} is no text")
    return value


def _matching(form: re.Pattern[str], like: str) -> Read:
    def read(value: Any) -> str:
        if form.fullmatch(_text(value)) is None:
            raise Unfit(f"{value!r} is not like {like}")
        return str(value)

    return read


def _one_of(*words: str) -> Read:
    def read(value: Any) -> str:
        if value not in words:
            raise Unfit(f"{value!r} is none of {', '.join(words)}")
        return str(value)

    return read


def _list_of(read_one: Read) -> Read:
    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise Unfit(f"{value!r} is no list")
        items = tuple(read_one(item) for item in value)
        if len(set(items)) < len(items):
            raise Unfit("lists something twice")
        return items

    return read


def _some_of(read_one: Read) -> Read:
    def read(value: Any) -> tuple[Any, ...]:
        items: tuple[Any, ...] = _list_of(read_one)(value)
        if not items:
            raise Unfit("is empty")
        return items

    return read


def _table_of(read_key: Read, read_value: Read) -> Read:
    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Unfit(f"{value!r} is no table such as {{ channel = 'whatsapp' }}")
        return {read_key(key): read_value(each) for key, each in value.items()}

    return read


def _label(value: Any) -> str:
    if value not in LABELS:
        raise Unfit(f"{value!r} is no label that an alert may carry: {', '.join(LABELS)}")
    return str(value)


def _name_by_language(value: Any) -> dict[str, str]:
    names: dict[str, str] = _table_of(_one_of(*LANGUAGES), _text)(value)
    if missing := [language for language in LANGUAGES if language not in names]:
        raise Unfit(f"has no name in {', '.join(missing)}")
    return names


def _duration(value: Any) -> timedelta:
    return read_duration(_text(value))


def _some_time(value: Any) -> timedelta:
    duration = _duration(value)
    if not duration:
        raise Unfit(f"{value!r} is no time at all")
    return duration


def _condition(value: Any) -> Condition:
    return read_condition(_text(value))


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Unfit(f"{value!r} is no count")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unfit(f"{value!r} is neither true nor false")
    return value


def _runbook(value: Any) -> str:
    if not _text(value).startswith(("https://", "docs/")):
        raise Unfit(f"{value!r} is neither an https:// address nor a document below docs/")
    return str(value)


def _match(value: Any) -> dict[str, str | bool]:
    if not isinstance(value, dict) or not value:
        raise Unfit("says nothing to match; for everything there is no mute")
    return {key: _matched(key, each) for key, each in value.items()}


def _matched(key: str, value: Any) -> str | bool:
    if key == "derived":
        return _flag(value)
    if key == "severity":
        return str(_one_of(*Severity)(value))
    if key not in MATCHED:
        raise Unfit(f"cannot match {key!r}; it can {', '.join(MATCHED)} and derived")
    return _text(value)


def _instant(value: Any) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise Unfit(f"{value} is no instant with its offset such as 2026-11-27T00:00:00-03:00")
    return value


def _day(value: Any) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise Unfit(f"{value} is no day such as 2026-12-25")
    return value


def _zone(value: Any) -> str:
    try:
        ZoneInfo(_text(value))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Unfit(f"{value!r} is no IANA zone such as America/Sao_Paulo") from error
    return str(value)


def _hours(value: Any) -> tuple[time, time]:
    found = HOURS.fullmatch(_text(value))
    if found is None:
        raise Unfit(f"{value!r} are no hours such as 09:00-18:00")
    return _clock(found[1]), _clock(found[2])


def _clock(text: str) -> time:
    return time(0) if text == "24:00" else time.fromisoformat(text)


CALENDAR_KEYS: Mapping[str, Read] = {
    "days": _some_of(_one_of(*WEEK)),
    "hours": _hours,
    "zone": _zone,
    "holidays": _list_of(_day),
}


def _calendar(value: Any) -> Calendar:
    if not isinstance(value, dict):
        raise Unfit(f"{value!r} is no table such as {{ days = ['mon'], hours = '09:00-18:00' }}")
    if unknown := set(value) - set(CALENDAR_KEYS):
        raise Unfit(f"a calendar has no {', '.join(sorted(unknown))}; it has {', '.join(CALENDAR_KEYS)}")
    read = {key: CALENDAR_KEYS[key](each) for key, each in value.items()}
    start, end = read.pop("hours", (time(0), time(0)))
    return Calendar(start=start, end=end, **read)


RULE_KEYS: Mapping[str, Key] = {
    "id": Key(_matching(ID, "wa_error_rate"), is_required=True),
    "name": Key(_name_by_language, is_required=True),
    "metric": Key(_text, is_required=True),
    "by": Key(_list_of(_label)),
    "where": Key(_table_of(_label, _text)),
    "expect": Key(_table_of(_label, _some_of(_text))),
    "window": Key(_some_time, is_required=True),
    "every": Key(_some_time, is_required=True),
    "evaluation_delay": Key(_duration),
    "min_count": Key(_count),
    "beyond_chance": Key(_flag),
    "fire": Key(_condition, is_required=True),
    "recover": Key(_condition),
    "warn": Key(_condition),
    "for": Key(_duration, field="hold"),
    "keep_firing_for": Key(_duration),
    "nodata": Key(lambda value: OnMissing(_one_of(*OnMissing)(value))),
    "nodata_for": Key(_duration),
    "on_error": Key(lambda value: OnMissing(_one_of(*OnMissing)(value))),
    "severity": Key(lambda value: Severity(_one_of(*Severity)(value)), is_required=True),
    "group_by": Key(_list_of(_one_of("rule", *LABELS))),
    "repeat": Key(_some_time),
    "escalate_after": Key(_some_time),
    "owner": Key(_text, is_required=True),
    "runbook": Key(_runbook),
    "page": Key(_text),
    "receivers": Key(_some_of(_text), is_required=True),
    "enabled": Key(_flag, field="is_enabled"),
}
RECEIVER_KEYS: Mapping[str, Key] = {
    "name": Key(_matching(NAME, "oncall"), is_required=True),
    "url_env": Key(_matching(VARIABLE, "COCKPIT_ALERT_ONCALL"), is_required=True),
    "escalate_to": Key(_text),
    "language": Key(_one_of(*RECEIVER_LANGUAGES)),
    "digest": Key(_flag, field="wants_digest"),
}
MUTE_KEYS: Mapping[str, Key] = {
    "name": Key(_matching(NAME, "black-friday"), is_required=True),
    "reason": Key(_text, is_required=True),
    "match": Key(_match, is_required=True),
    "from": Key(_instant, field="start"),
    "to": Key(_instant, field="end"),
    "during": Key(_calendar),
    "outside": Key(_calendar),
}
INHIBIT_KEYS: Mapping[str, Key] = {
    "source": Key(_text, is_required=True),
    "target": Key(_match, is_required=True),
    "equal": Key(_list_of(_label)),
}
GROUPING_KEYS: Mapping[str, Key] = {"wait": Key(_duration), "interval": Key(_duration)}
