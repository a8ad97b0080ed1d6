"""Everything about alerts that outlives the process: what they are, what happened, who is told, who did what.

Law: what follows from one round of evaluation, or from one act of a person, is one transaction; nobody is told of
something that a restart would not know.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

import msgspec

from cockpit.alerts.digest import Digest
from cockpit.alerts.drill import Drill
from cockpit.alerts.machine import Alert, Transition
from cockpit.alerts.rules import RuleFile
from cockpit.alerts.silences import Silence
from cockpit.alerts.telling import Told
from cockpit.clock import from_us, to_us
from ingest.warehouse.alert_file import AlertFile, AlertsUnusable
from ingest.warehouse.outbox import DIGEST, put

SAVE_ALERT = """
INSERT INTO alert_instance (fingerprint, rule_id, alert) VALUES (?, ?, ?)
ON CONFLICT (fingerprint) DO UPDATE SET alert = excluded.alert
"""
ADD_EVENT = "INSERT INTO alert_event (at_us, fingerprint, transition) VALUES (?, ?, ?)"
SAVE_SILENCE = """
INSERT INTO silence (id, starts_us, ends_us, silence) VALUES (?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET starts_us = excluded.starts_us, ends_us = excluded.ends_us, silence = excluded.silence
"""
ADD_AUDIT = "INSERT INTO audit (at_us, actor, role, action, details) VALUES (?, ?, ?, ?, ?)"
# Only what differs from the last version is one.
ADD_FILE = """
INSERT INTO rule_file (at_us, file)
SELECT :at, :file WHERE :file IS NOT (SELECT file FROM rule_file ORDER BY version DESC LIMIT 1)
"""
ADD_RULE = """
INSERT INTO alert_rule (id, version, at_us, owner, enabled, rule)
SELECT :id, 1 + (SELECT coalesce(max(version), 0) FROM alert_rule WHERE id = :id), :at, :owner, :enabled, :rule
WHERE :rule IS NOT (SELECT rule FROM alert_rule WHERE id = :id ORDER BY version DESC LIMIT 1)
"""
FORGET_EVENTS = "DELETE FROM alert_event WHERE at_us < ?"
FORGET_NOTICES = "DELETE FROM outbox WHERE queued_us < ? AND status != 'waiting'"
EVALUATED = "UPDATE heartbeat SET evaluated_us = ?"

Document = TypeVar("Document")


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the audit: what a person did, or Cockpit of its own accord."""

    actor: str
    role: str
    action: str
    details: dict[str, Any] = {}


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be kept together. `file`: the rules in force from now on. `evaluated_at`: a round has ended well.

    `forget_before`: older changes of state, and older notices that wait no more, are deleted; the audit is kept.
    """

    at: datetime
    alerts: Sequence[Alert] = ()
    transitions: Sequence[Transition] = ()
    told: Sequence[Told | Digest | Drill] = ()
    silences: Sequence[Silence] = ()
    acts: Sequence[Act] = ()
    file: RuleFile | None = None
    evaluated_at: datetime | None = None
    forget_before: datetime | None = None


class Heartbeat(NamedTuple):
    """When a round of evaluation last ended well, and when the owner of the file last said that it is there."""

    evaluated_at: datetime | None
    renewed_at: datetime


class AlertStore:
    """Used by any thread."""

    def __init__(self, file: AlertFile) -> None:
        self._file = file

    def write(self, changes: Changes) -> None:
        """All of it is on disk when this returns; NotOwner or AlertsUnusable: nothing of it is."""
        at_us = to_us(changes.at)
        with self._file.writing() as connection:
            connection.executemany(
                SAVE_ALERT, [(each.fingerprint, each.rule_id, _json(each)) for each in changes.alerts]
            )
            events = [(to_us(each.at), each.fingerprint, _json(each)) for each in changes.transitions]
            connection.executemany(ADD_EVENT, events)
            silences = [(each.id, to_us(each.starts), to_us(each.ends), _json(each)) for each in changes.silences]
            connection.executemany(SAVE_SILENCE, silences)
            acts = [(at_us, each.actor, each.role, each.action, _json(each.details)) for each in changes.acts]
            connection.executemany(ADD_AUDIT, acts)
            for told in changes.told:
                put(connection, told, changes.at)
            if changes.file is not None:
                connection.execute(ADD_FILE, {"at": at_us, "file": _json(changes.file)})
                connection.executemany(ADD_RULE, _rule_rows(changes.file, at_us))
            if changes.evaluated_at is not None:
                connection.execute(EVALUATED, (to_us(changes.evaluated_at),))
            if changes.forget_before is not None:
                for forget in (FORGET_EVENTS, FORGET_NOTICES):
                    connection.execute(forget, (to_us(changes.forget_before),))

    def alerts(self) -> dict[str, Alert]:
        """All there ever were, by fingerprint."""
        rows = self._rows("SELECT fingerprint, alert FROM alert_instance ORDER BY fingerprint")
        return {fingerprint: _read(alert, Alert) for fingerprint, alert in rows}

    def rule_file(self) -> RuleFile | None:
        """The rules that were last in force; None before the first."""
        rows = self._rows("SELECT file FROM rule_file ORDER BY version DESC LIMIT 1")
        return _read(rows[0][0], RuleFile) if rows else None

    def silences(self, now: datetime) -> list[Silence]:
        """Those that are not over, also those that have not begun."""
        rows = self._rows("SELECT silence FROM silence WHERE ends_us > ? ORDER BY starts_us, id", to_us(now))
        return [_read(silence, Silence) for (silence,) in rows]

    def transitions(self, start: datetime, end: datetime) -> list[Transition]:
        """From `start` up to, not including, `end`."""
        rows = self._rows(
            "SELECT transition FROM alert_event WHERE at_us >= ? AND at_us < ? ORDER BY position",
            to_us(start),
            to_us(end),
        )
        return [_read(transition, Transition) for (transition,) in rows]

    def last_digest_at(self) -> datetime | None:
        """When one was last decided on, for anybody."""
        ((last_us,),) = self._rows("SELECT max(queued_us) FROM outbox WHERE kind = ?", DIGEST)
        return None if last_us is None else from_us(last_us)

    def heartbeat(self) -> Heartbeat:
        ((evaluated_us, renewed_us),) = self._rows("SELECT evaluated_us, renewed_us FROM heartbeat")
        return Heartbeat(None if evaluated_us is None else from_us(evaluated_us), from_us(renewed_us))

    def _rows(self, sql: str, *bound: object) -> list[tuple[Any, ...]]:
        with self._file.reading() as connection:
            return connection.execute(sql, bound).fetchall()


def _rule_rows(file: RuleFile, at_us: int) -> list[dict[str, object]]:
    return [
        {"id": rule.id, "at": at_us, "owner": rule.owner, "enabled": rule.is_enabled, "rule": _json(rule)}
        for rule in file.rules
    ]


def _read(document: str, kind: type[Document]) -> Document:
    try:
        return msgspec.json.decode(document, type=kind)
    except msgspec.DecodeError as error:
        raise AlertsUnusable(f"the file of the alerts holds something that cannot be read: {error}") from error


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
