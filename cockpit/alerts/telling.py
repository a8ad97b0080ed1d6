"""Who is told what, and when: from notices to rows for the outbox. What an alert is does not depend on any of it.

Laws: the first message of an episode is owed until it is told or the episode is over, whatever hides it meanwhile.
Whoever was told of an episode is told of its end. A row's key is the same however often it is made.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

import msgspec

from cockpit.alerts.facts import Facts, item_of, worst_first
from cockpit.alerts.machine import BLIND, Alert, Kind, Notice, Page, State
from cockpit.alerts.rules import Rule, RuleFile
from cockpit.alerts.silences import Hiding, Silence, hidden_by, silence_of

STORM = 20  # more alerts than that in one message are counted, not listed
SHOWN_OF_STORM = 5
CLOSING = (Kind.RESOLVED, Kind.DATA_BACK)

Group = tuple[str, ...]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A row for the outbox. `key` is unique; `dedup_key` is what the receiver's own incident is known by.

    `alerts`: fingerprints of those it is about.
    """

    key: str
    dedup_key: str
    receiver: str
    kind: Kind
    payload: Facts
    not_before: datetime
    alerts: tuple[str, ...]


class Board(msgspec.Struct, frozen=True):
    """All alerts by fingerprint, as they are after this round's steps, and what says who is told."""

    file: RuleFile
    alerts: Mapping[str, Alert]
    silences: Sequence[Silence] = ()


class Telling(NamedTuple):
    """`alerts`: those that telling has changed; they are stored together with the rows."""

    alerts: tuple[Alert, ...]
    told: tuple[Told, ...]


def tell(board: Board, notices: Iterable[Notice], now: datetime) -> Telling:
    """What goes out now. To be asked in every round, also without notices: time alone makes messages due."""
    desk = _Desk(board, now)
    for notice in notices:
        desk.take(notice)
    desk.look()
    desk.page()
    changed = [alert for key, alert in desk.alerts.items() if alert is not board.alerts[key]]
    return Telling(tuple(changed), tuple(desk.rows()))


def group_of(rule: Rule, alert: Alert) -> Group:
    """Alerts of one group are told in one message."""
    facts = {**rule.where, **alert.labels}
    return rule.id, *(facts.get(label, "") for label in rule.group_by if label != "rule")


class _Entry(NamedTuple):
    kind: Kind
    alert: Alert
    number: int
    receivers: tuple[str, ...]
    told_as: str


class _Desk:
    """What is on the way out in one round."""

    def __init__(self, board: Board, now: datetime) -> None:
        self.file = board.file
        self.silences = board.silences
        self.now = now
        self.alerts = dict(board.alerts)
        self.entries: list[_Entry] = []
        sources = {inhibit.source for inhibit in board.file.inhibits}
        self.sources = [alert for alert in board.alerts.values() if alert.rule_id in sources]

    def take(self, notice: Notice) -> None:
        alert = self.alerts[notice.alert.fingerprint]
        if _opens(notice):
            self._keep(alert, Page(owed_since=self.now, told_at=alert.page.told_at))
        elif notice.kind in CLOSING:
            self._end(alert, notice)
        elif alert.page.told_to and not alert.page.is_silenced:
            if self._hiding(alert) is None:
                self._say(notice.kind, alert, notice.number, alert.page.told_to)
            elif notice.kind is Kind.SEVERITY:
                self._keep(alert, msgspec.structs.replace(alert.page, owes_severity=True))

    def look(self) -> None:
        """Silences that began or are over, what got worse while it was hidden, what nobody has taken for too long."""
        over: list[Alert] = []
        for alert in self._open():
            hiding = self._hiding(alert)
            if hiding is Hiding.SILENCE:
                self._keep(alert, msgspec.structs.replace(alert.page, is_silenced=True))
            elif hiding is None and alert.page.is_silenced:
                over.append(alert)
            elif hiding is None:
                self._catch_up(alert)
        for _, members in groupby(sorted(over, key=self._group), self._group):
            self._after_silence(list(members))

    def page(self) -> None:
        """The first messages that are owed, group by group."""
        owed = [alert for alert in self._open() if alert.page.owed_since is not None and self._hiding(alert) is None]
        told = self._told_by_group()
        for group, members in groupby(sorted(owed, key=self._group), self._group):
            together = list(members)
            if self._is_due(together, told.get(group)):
                self._tell_first(Kind.FIRING, [alert for alert in together if not _is_about_data(alert)])
                self._tell_first(Kind.NODATA, [alert for alert in together if _is_about_data(alert)])

    def rows(self) -> Iterator[Told]:
        """One for each receiver and group of entries of one kind."""
        together: dict[tuple[Kind, Group, str, str], list[_Entry]] = {}
        for entry in self.entries:
            for receiver in entry.receivers:
                key = (entry.kind, self._group(entry.alert), entry.told_as, receiver)
                together.setdefault(key, []).append(entry)
        for (kind, _, told_as, receiver), entries in together.items():
            yield self._row(kind, receiver, told_as, entries)

    def _row(self, kind: Kind, receiver: str, told_as: str, entries: Sequence[_Entry]) -> Told:
        rule = self._rule(entries[0].alert)
        alerts = [entry.alert for entry in entries]
        subject, episode = _subject(alerts)
        is_kept_open = kind in CLOSING and any(alert.page.told_as == told_as for alert in self._open())
        items = sorted((item_of(rule, alert) for alert in alerts), key=worst_first)
        return Told(
            key=f"{subject}/{episode}/{kind.value}/{receiver}/{max(entry.number for entry in entries)}",
            dedup_key=subject if is_kept_open else told_as,
            receiver=receiver,
            kind=kind,
            payload=Facts(
                kind=kind,
                at=self.now,
                items=tuple(items if len(items) <= STORM else items[:SHOWN_OF_STORM]),
                total=len(items),
                owner=rule.owner,
                runbook=rule.runbook,
                page=rule.page,
            ),
            not_before=self.now,
            alerts=tuple(alert.fingerprint for alert in alerts),
        )

    def _end(self, alert: Alert, notice: Notice) -> None:
        silence = silence_of(self._rule(alert), notice.alert, self.silences, self.now)
        if alert.page.told_to and (silence is None or silence.tells_resolved):
            told = msgspec.structs.replace(notice.alert, page=alert.page)
            self.entries.append(_Entry(notice.kind, told, notice.number, alert.page.told_to, alert.page.told_as))
        self._keep(alert, Page(told_at=alert.page.told_at))

    def _after_silence(self, alerts: Sequence[Alert]) -> None:
        """Of one group. Told once, unless somebody has taken it meanwhile; then only what was never told is owed."""
        new_name = _name_of([alert for alert in alerts if not alert.page.told_as])
        for alert in alerts:
            page = msgspec.structs.replace(alert.page, is_silenced=False, owes_severity=False)
            if alert.is_acked(self.now):
                self._keep(alert, page)
                continue
            receivers = page.told_to or self._rule(alert).receivers
            told_as = page.told_as or new_name
            page = msgspec.structs.replace(
                page, owed_since=None, told_at=self.now, told_to=receivers, told_as=told_as, is_escalated=False
            )
            self._say_more(Kind.SILENCE_OVER, self._keep(alert, page), receivers)

    def _catch_up(self, alert: Alert) -> None:
        if alert.page.owes_severity:
            alert = self._keep(alert, msgspec.structs.replace(alert.page, owes_severity=False))
            if alert.severity is alert.worst and not alert.is_acked(self.now):
                self._say_more(Kind.SEVERITY, alert, alert.page.told_to)
        if self._is_abandoned(self.alerts[alert.fingerprint]):
            self._escalate(self.alerts[alert.fingerprint])

    def _is_abandoned(self, alert: Alert) -> bool:
        page, after = alert.page, self._rule(alert).escalate_after
        is_waiting = bool(page.told_to) and not page.is_escalated and alert.state is not State.RECOVERING
        if after is None or page.told_at is None or not is_waiting or alert.is_acked(self.now):
            return False
        return self.now - page.told_at >= after

    def _escalate(self, alert: Alert) -> None:
        names = (self.file.receiver_by_name[name].escalate_to for name in self._rule(alert).receivers)
        seconds = tuple(dict.fromkeys(name for name in names if name is not None))
        told_to = tuple(dict.fromkeys((*alert.page.told_to, *seconds)))
        page = msgspec.structs.replace(alert.page, told_to=told_to, is_escalated=True)
        self._say_more(Kind.ESCALATED, self._keep(alert, page), seconds)

    def _tell_first(self, kind: Kind, alerts: Sequence[Alert]) -> None:
        name = _name_of(alerts)
        for alert in alerts:
            receivers = self._rule(alert).receivers
            page = Page(told_at=self.now, told_to=receivers, told_as=name)
            self._say(kind, self._keep(alert, page), 0, receivers)

    def _say_more(self, kind: Kind, alert: Alert, receivers: tuple[str, ...]) -> None:
        """A message that the machine does not number."""
        number = alert.number
        self._say(kind, self._keep(alert, alert.page, number=number + 1), number, receivers)

    def _say(self, kind: Kind, alert: Alert, number: int, receivers: tuple[str, ...]) -> None:
        self.entries.append(_Entry(kind, alert, number, receivers, alert.page.told_as))
        self._keep(alert, msgspec.structs.replace(alert.page, told_value=alert.value))

    def _is_due(self, alerts: Sequence[Alert], last_told: datetime | None) -> bool:
        since = min(alert.page.owed_since for alert in alerts if alert.page.owed_since is not None)
        # abs: what seems to be told in the future was told before the clock was set back.
        is_spaced = last_told is None or abs(self.now - last_told) >= self.file.grouping.interval
        return is_spaced and abs(self.now - since) >= self.file.grouping.wait

    def _told_by_group(self) -> Mapping[Group, datetime]:
        """When a group had its last first message; also of episodes that are over."""
        last: dict[Group, datetime] = {}
        for alert in self._known():
            if alert.page.told_at is not None:
                group = self._group(alert)
                last[group] = max(alert.page.told_at, last.get(group, alert.page.told_at))
        return last

    def _keep(self, alert: Alert, page: Page, **changes: Any) -> Alert:
        if page != alert.page or changes:
            self.alerts[alert.fingerprint] = msgspec.structs.replace(alert, page=page, **changes)
        return self.alerts[alert.fingerprint]

    def _hiding(self, alert: Alert) -> Hiding | None:
        return hidden_by(alert, self.file, self.silences, self.sources, self.now)

    def _known(self) -> Iterator[Alert]:
        """Those whose rule is in the file; the others are for `changes` to end."""
        return (alert for alert in tuple(self.alerts.values()) if alert.rule_id in self.file.by_id)

    def _open(self) -> Iterator[Alert]:
        return (alert for alert in self._known() if alert.is_open)

    def _rule(self, alert: Alert) -> Rule:
        return self.file.by_id[alert.rule_id]

    def _group(self, alert: Alert) -> Group:
        return group_of(self._rule(alert), alert)


def _opens(notice: Notice) -> bool:
    """Whether an episode begins with it."""
    return notice.kind is Kind.FIRING or (notice.kind is Kind.NODATA and not notice.alert.is_breached)


def _is_about_data(alert: Alert) -> bool:
    return alert.state in BLIND and not alert.is_breached


def _subject(alerts: Sequence[Alert]) -> tuple[str, int]:
    """What a message is about: its name, and the episode of an alert alone. The name of a group says its episodes."""
    return _name_of(alerts), alerts[0].episode if len(alerts) == 1 else 0


def _name_of(alerts: Sequence[Alert]) -> str:
    if len(alerts) == 1:
        return alerts[0].fingerprint
    members = sorted((alert.fingerprint, alert.episode) for alert in alerts)
    return "g" + hashlib.sha256(msgspec.json.encode(members)).hexdigest()[:15]
