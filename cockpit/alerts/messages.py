"""What people read: a title that says what, how bad and since when, and a body with the rest.

Laws: no message fails for its words, it goes out plain instead. What senders chose passes `scrubbing`; numbers pass
`cockpit.i18n.format`.
"""

import math
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

import msgspec

from cockpit.alerts.conditions import Condition
from cockpit.alerts.facts import FORMS, Facts, Form, Item
from cockpit.alerts.machine import Kind, Reason, State
from cockpit.alerts.rules import Labels, Severity
from cockpit.alerts.scrubbing import scrubbed
from cockpit.clock import EPOCH
from cockpit.i18n import dates
from cockpit.i18n.format import MISSING, SPACE, dur, money, num, pct, rate, signed
from cockpit.i18n.translate import catalogue, language_of, translate
from cockpit.kpis.kpi import Unit

NAMES: Mapping[str, str] = {
    "channel": "channel.{}",
    "segment": "segment.{}",
    "metric": "experiments.metrics.{}.name",
    "guardrail": "experiments.metrics.{}.name",
    "change_act": "alerts.act.{}",
}
"""Where the catalogue may know the value of a label or of the context by name."""
# What str.format makes of a broken template, and formatting of a number that is none.
WORDLESS = (LookupError, ValueError, AttributeError, TypeError, ArithmeticError)
IMPACT = (("impact_money", ("lost", "lost_cents")), ("impact", ("lost",)))
PHRASES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("top_codes", ("top_codes",)),
    ("stages", ("ingest_ms", "decide_ms", "send_ms")),
    ("rates", ("arrival_per_s", "drain_per_s")),
    ("eta", ("eta_s",)),
    ("observed", ("observed", "expected")),
    ("last_event", ("last_event_at",)),
    ("use_cases", ("use_cases",)),
    ("fallback", ("fallback_rate",)),
    ("model", ("model_version",)),
    ("guardrail", ("guardrail",)),
    ("effect", ("effect", "low", "high")),
    ("target", ("target",)),
    ("sample", ("n",)),
    ("days", ("days",)),
    ("at_risk", ("at_risk_cents",)),
    ("counts", ("counts",)),
    ("split", ("split",)),
    ("first_day", ("first_day",)),
    ("contaminated", ("contaminated", "holdout")),
    ("action", ("action",)),
    ("failing_rule", ("failing_rule",)),
)
"""Sentences about the context, by what each needs."""
CHANGES = (
    ("change_act", ("change", "change_act", "change_at")),
    ("change_at", ("change", "change_at")),
    ("change", ("change",)),
)


class Tone(StrEnum):
    """SUCCESS: an episode is over; services that hold incidents close them by it."""

    FAILURE = "failure"
    WARNING = "warning"
    INFO = "info"
    SUCCESS = "success"


class Text(msgspec.Struct, frozen=True):
    title: str
    body: str
    tone: Tone


class Say(Protocol):
    def __call__(self, key: str, language: str, /, **values: object) -> str:
        """The text of a dotted key, filled in."""
        ...


class Place(NamedTuple):
    """Where it is read. `base_url`: of the screens, without a slash at its end; empty: no links."""

    language: str
    zone: ZoneInfo
    base_url: str = ""


def text_of(facts: Facts, place: Place, say: Say = translate) -> Text:
    """The message; `say` is an argument so that a broken catalogue can be tried."""
    tone = _tone(facts)
    try:
        words = _Words(facts, place, say)
        return Text(words.title(), "\n".join(words.body()), tone)
    except WORDLESS:
        return Text(_plain_title(facts), _plain_body(facts), tone)


def span(seconds: float) -> str:
    """`45 s`, `6 min`, `2 h 10 min`, `3 d 4 h`: as exact as a message needs."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole}{SPACE}s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes}{SPACE}min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return _two(hours, "h", minutes, "min")
    days, hours = divmod(hours, 24)
    return _two(days, "d", hours, "h")


def amount(unit: Unit, value: float | None, language: str) -> str:
    """A metric's value in its unit; empty where the value is only a code."""
    if unit is Unit.CLASS:
        return ""
    if value is None or math.isnan(value):
        return MISSING
    return _WRITERS[unit](value, language) if unit in _WRITERS else _number(value, language)


def limit(unit: Unit, condition: Condition, language: str) -> str:
    """A limit as people say it: `5%`, `2 min`."""
    value = condition.limit
    if unit is Unit.SHARE:
        decimals = next((places for places in range(3) if round(value * 100, places) == round(value * 100, 6)), 3)
        return pct(value, language, decimals)
    seconds = value / 1000 if unit is Unit.MILLISECONDS else value
    if unit in (Unit.SECONDS, Unit.MILLISECONDS) and seconds >= 60 and seconds % 60 == 0:
        return span(seconds)
    return amount(unit, value, language)


def moment(at: datetime | None, now: datetime, place: Place) -> str:
    """`15:45`, with the day if it is not today's."""
    if at is None:
        return MISSING
    here, today = at.astimezone(place.zone), now.astimezone(place.zone).date()
    return f"{here:%H:%M}" if here.date() == today else dates.instant(at, _language(place), place.zone)


def named(name: str, value: str, language: str) -> str:
    """The value of a label or of the context as people call it; scrubbed if nobody has named it."""
    known = catalogue(language).get(NAMES[name].format(value)) if name in NAMES else None
    return known or scrubbed(value)


class _Words:
    """The words of one message."""

    def __init__(self, facts: Facts, place: Place, say: Say) -> None:
        self._facts = facts
        self._place = place
        self._language = _language(place)
        self._say = say

    def title(self) -> str:
        return f"[{self._badge()}] {self._headline() if self._facts.total == 1 else self._count()}"

    def body(self) -> Iterator[str]:
        items = self._facts.items
        if self._facts.total == 1:
            yield from self._details(items[0])
        else:
            yield from (f"- {self._sentence(item)}" for item in items)
        if self._facts.kind not in (Kind.RESOLVED, Kind.DATA_BACK):
            yield from self._hints(items[0])
        yield from self._addresses()

    def _text(self, key: str, **values: object) -> str:
        return self._say(f"alerts.{key}", self._language, **values)

    # The first line

    def _badge(self) -> str:
        kind = self._facts.kind
        if kind is Kind.RESOLVED:
            return self._text("badge.resolved" if self._is_by_itself() else "badge.ended")
        if kind in (Kind.NODATA, Kind.DATA_BACK):
            return self._text(f"badge.{kind.value}")
        return self._text(f"badge.{self._severity().value}")

    def _headline(self) -> str:
        item = self._facts.items[0]
        return self._sentence(item) + self._impact(item)

    def _count(self) -> str:
        facts = self._facts
        shown = len(facts.items)
        name = facts.items[0].name[self._language]
        storm = self._text("title.storm", shown=shown) if shown < facts.total else ""
        return self._text(f"title.group_{self._how()}", name=name, count=facts.total) + storm

    def _sentence(self, item: Item) -> str:
        return self._text(
            f"title.{self._how(item)}",
            what=self._what(item),
            reading=self._reading(item),
            age=span(item.lasted_s),
            value=amount(item.unit, item.value, self._language),
            time=moment(item.value_at, self._facts.at, self._place),
            peak=amount(item.unit, item.peak, self._language),
        )

    def _how(self, item: Item | None = None) -> str:
        """Which sentence it takes."""
        kind = self._facts.kind
        if kind is Kind.RESOLVED:
            return self._how_resolved(item)
        if item is None:
            return kind.value if kind in (Kind.NODATA, Kind.DATA_BACK) else "firing"
        if kind is Kind.NODATA:
            known = "no_data" if item.value is not None else "no_data_ever"
            return "query_failed" if item.reason is Reason.QUERY_FAILED else known
        if kind is Kind.REPEAT:
            return _REPEATS.get(item.state, "repeat")
        return kind.value

    def _how_resolved(self, item: Item | None) -> str:
        if item is None:
            return "resolved" if self._is_by_itself() else "ended"
        if item.reason in _ENDED:
            return f"ended_{item.reason.value}"
        if item.is_about_data:
            return "resolved_data"
        return "resolved" if amount(item.unit, item.peak, self._language) else "resolved_valueless"

    def _what(self, item: Item) -> str:
        return " ".join((item.name[self._language], *self._labels(item.labels)))

    def _labels(self, labels: Labels) -> Iterator[str]:
        for name, value in labels.items():
            yield self._text(f"label.{name}", value=named(name, value, self._language))

    def _reading(self, item: Item) -> str:
        """With a space before it, or nothing."""
        value = amount(item.unit, item.value, self._language)
        if not value:
            return ""
        return self._text("reading", value=value, limit=limit(item.unit, item.limit, self._language))

    def _impact(self, item: Item) -> str:
        if self._facts.kind in (Kind.RESOLVED, Kind.DATA_BACK):
            return ""
        return next(self._phrases("impact", item, IMPACT), "")

    # The rest

    def _details(self, item: Item) -> Iterator[str]:
        changed = next(self._phrases("hint", item, CHANGES), "")
        began = self._text("hint.began", time=moment(item.began_at, self._facts.at, self._place))
        yield f"{began} {changed}".rstrip()
        if self._facts.kind in (Kind.RESOLVED, Kind.DATA_BACK):
            return
        if said := [*self._signs(item), *self._phrases("context", item, PHRASES)]:
            yield " · ".join(said)

    def _signs(self, item: Item) -> Iterator[str]:
        if item.trend is not None:
            yield self._text(f"trend.{item.trend.value}")
        if item.is_flapping:
            yield self._text("hint.flapping")
        if item.count is not None:
            yield self._text("hint.count", count=num(item.count, self._language))

    def _hints(self, item: Item) -> Iterator[str]:
        if f"alerts.advice.{item.metric}" in catalogue(self._language):
            yield self._text(f"advice.{item.metric}")

    def _addresses(self) -> Iterator[str]:
        facts, base = self._facts, self._place.base_url
        yield self._text("hint.owner", owner=facts.owner)
        if facts.runbook:
            yield self._text("hint.runbook", url=facts.runbook)
        if base:
            yield self._text("hint.page", url=base + facts.page)
            yield self._text("hint.take", url=f"{base}/alerts")

    def _phrases(self, table: str, item: Item, phrases: tuple[tuple[str, tuple[str, ...]], ...]) -> Iterator[str]:
        """Those whose every value is known."""
        for key, names in phrases:
            if all(name in item.context for name in names):
                values = {name: self._context(name, item.context[name]) for name in names}
                yield self._text(f"{table}.{key}", **values)

    def _context(self, name: str, value: str | float) -> str:
        form = FORMS[name]
        if isinstance(value, str):
            return named(name, value, self._language)
        if form in (Form.INSTANT, Form.DAY):
            at = EPOCH + timedelta(seconds=value)
            day = dates.day(at.astimezone(self._place.zone).date(), self._language)
            return day if form is Form.DAY else moment(at, self._facts.at, self._place)
        return _CONTEXT_WRITERS[form](value, self._language)

    def _severity(self) -> Severity:
        return max((item.severity for item in self._facts.items), key=lambda severity: severity.rank)

    def _is_by_itself(self) -> bool:
        """Whether it is over because it is fine, and not because the rule or what it is about went away."""
        return not any(item.reason in _ENDED for item in self._facts.items)


def _language(place: Place) -> str:
    return language_of(place.language)


def _tone(facts: Facts) -> Tone:
    if facts.kind in (Kind.RESOLVED, Kind.DATA_BACK):
        return Tone.SUCCESS
    is_critical = any(item.severity is Severity.CRITICAL for item in facts.items)
    return Tone.FAILURE if is_critical and facts.kind is not Kind.NODATA else Tone.WARNING


def _plain_title(facts: Facts) -> str:
    """Codes and numbers only: it is what is left when the words fail."""
    worst = facts.items[0]
    return f"[{worst.severity.value.upper()}] {facts.kind.value} {worst.rule_id} x{facts.total}"


def _plain_body(facts: Facts) -> str:
    lines = (
        " ".join((item.rule_id, *(f"{name}={scrubbed(value)}" for name, value in item.labels.items()), str(item.value)))
        for item in facts.items
    )
    return "\n".join((*lines, facts.owner, facts.runbook)).rstrip()


def _two(one: int, unit: str, other: int, smaller: str) -> str:
    rest = f" {other}{SPACE}{smaller}" if other else ""
    return f"{one}{SPACE}{unit}{rest}"


def _number(value: float, language: str) -> str:
    """With about three digits that say something."""
    size = abs(value)
    if float(value).is_integer() or size >= 100:
        return num(value, language)
    return num(value, language, 1 if size >= 10 else 2 if size >= 1 else 3)


_ENDED = (Reason.RULE_CHANGED, Reason.RULE_DELETED, Reason.RULE_DISABLED, Reason.NO_LONGER_READ)
_REPEATS: Mapping[State, str] = {
    State.RECOVERING: "repeat_recovering",
    State.NODATA: "repeat_no_data",
    State.ERROR: "repeat_no_data",
}


class _Write(Protocol):
    def __call__(self, value: float, language: str, /) -> str: ...


_WRITERS: Mapping[Unit, _Write] = {
    Unit.SHARE: rate,
    Unit.MONEY: lambda value, language: money(round(value), language, short=True),
    Unit.COUNT: num,
    Unit.MILLISECONDS: lambda value, language: dur(value / 1000, language),
    Unit.SECONDS: dur,
}
_CONTEXT_WRITERS: Mapping[Form, _Write] = {
    Form.TEXT: _number,
    Form.COUNT: num,
    Form.NUMBER: _number,
    Form.MONEY: _WRITERS[Unit.MONEY],
    Form.SHARE: rate,
    Form.CHANGE: lambda value, language: signed(pct(value, language)),
    Form.SECONDS: lambda value, _: span(value),
    Form.MILLISECONDS: _WRITERS[Unit.MILLISECONDS],
}
