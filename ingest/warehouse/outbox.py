"""What people are to be told, from the moment it is decided until it is known to have been told.

Law: a notice is put here once, in the transaction that decided it, and its key is unique for ever.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from cockpit.alerts.digest import Digest
from cockpit.alerts.drill import Drill
from cockpit.alerts.facts import Facts
from cockpit.alerts.telling import CLOSING, Told
from cockpit.clock import from_us, to_us
from cockpit.notify.message import Outcome, Receipt
from ingest.warehouse.alert_file import AlertFile

PUT = """
INSERT INTO outbox (key, dedup_key, receiver, kind, closes, alerts, payload, queued_us, next_try_us)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING
"""
COPY = """
INSERT INTO outbox
    (key, dedup_key, receiver, kind, closes, alerts, payload, stands_for, queued_us, next_try_us)
SELECT ?, dedup_key, ?, kind, closes, alerts, payload, receiver, ?, ? FROM outbox WHERE key = ?
ON CONFLICT (key) DO NOTHING
"""
STOOD_IN = """
SELECT outbox.receiver, outbox.closes FROM outbox, json_each(outbox.alerts)
WHERE outbox.stands_for = ? AND json_each.value IN (SELECT value FROM json_each(?)) ORDER BY outbox.position
"""
WAITING = """
SELECT key, dedup_key, receiver, kind, alerts, payload, stands_for, queued_us, next_try_us, attempts
FROM outbox WHERE status = 'waiting' AND receiver = ? ORDER BY position
"""
DUE = "SELECT DISTINCT receiver FROM outbox WHERE status = 'waiting' AND NOT next_try_us BETWEEN ? AND ?"
SUPERSEDE = "UPDATE outbox SET status = 'superseded', superseded_by = ? WHERE key = ? AND status = 'waiting'"
INHERIT = "UPDATE outbox SET attempts = ?, next_try_us = ? WHERE key = ? AND status = 'waiting'"
SETTLE = """
UPDATE outbox SET status = ?, attempts = attempts + 1, next_try_us = ?, result = ?, http_status = ?, tried_us = ?
WHERE key = ? AND status = 'waiting'
"""
# One message that went through wakes what waits for the same receiver: it is back.
WAKE = "UPDATE outbox SET next_try_us = ? WHERE receiver = ? AND status = 'waiting' AND attempts > 0"


DIGEST, DRILL = "digest", "test"


class Status(StrEnum):
    """Of a notice. SUPERSEDED: a newer one of the same episode told it, or will."""

    WAITING = "waiting"
    SENT = "sent"
    SUPERSEDED = "superseded"
    GIVEN_UP = "given_up"


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A notice that has not gone out, or is not known to have. `stands_for`: the receiver that could not be reached.

    `alerts`: fingerprints, none for a digest or a drill. `says`: None when it was written in a way that this
    version cannot read.
    """

    key: str
    dedup_key: str
    receiver: str
    kind: str
    alerts: tuple[str, ...]
    says: Facts | Digest | Drill | None
    stands_for: str | None = None
    queued_at: datetime
    next_try_at: datetime
    attempts: int = 0

    @property
    def closes(self) -> bool:
        """Whether it tells the end of an episode."""
        return self.kind in CLOSING


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one attempt. `next_try_at`: None when it was the last; `standby`: who is to be told as well."""

    notice: Waiting
    receipt: Receipt
    at: datetime
    next_try_at: datetime | None = None
    standby: str | None = None

    @property
    def status(self) -> Status:
        if self.receipt.outcome is Outcome.SENT:
            return Status.SENT
        return Status.GIVEN_UP if self.next_try_at is None else Status.WAITING


def put(connection: sqlite3.Connection, told: Told | Digest | Drill, now: datetime) -> None:
    """Within a transaction. What is there already stays as it is.

    An end also goes to who was told of the episode in place of its receiver.
    """
    if not isinstance(told, Told):
        kind = DIGEST if isinstance(told, Digest) else DRILL
        row = (told.key, told.key, told.receiver, kind, False, "[]", _json(told), to_us(now), to_us(now))
        connection.execute(PUT, row)
        return
    what = (told.key, told.dedup_key, told.receiver, told.kind, told.kind in CLOSING, _json(told.alerts))
    connection.execute(PUT, (*what, _json(told.payload), to_us(now), to_us(told.not_before)))
    if told.kind in CLOSING:
        _copy_to_standbys(connection, told, now)


class Outbox:
    """The outbox of one file, as who delivers sees it. Used by any thread."""

    def __init__(self, file: AlertFile) -> None:
        self._file = file

    def due(self, now: datetime, latest: datetime) -> list[str]:
        """Receivers for whom something waits whose time has come, or would come after `latest`."""
        with self._file.reading() as connection:
            return [receiver for (receiver,) in connection.execute(DUE, (to_us(now) + 1, to_us(latest)))]

    def waiting(self, receiver: str) -> list[Waiting]:
        """Everything that waits for it, in the order in which it was decided."""
        with self._file.reading() as connection:
            return [_waiting(row) for row in connection.execute(WAITING, (receiver,))]

    def supersede(self, by: Mapping[str, str], heirs: Iterable[Waiting]) -> None:
        """Keys go out no more, others do for them; the heirs keep how often those were tried.

        To be asked before any attempt, also with nothing: NotOwner when it must not be made here.
        """
        with self._file.writing() as connection:
            connection.executemany(SUPERSEDE, [(newer, key) for key, newer in by.items()])
            connection.executemany(INHERIT, [(each.attempts, to_us(each.next_try_at), each.key) for each in heirs])

    def settle(self, attempt: Attempt) -> None:
        notice, receipt = attempt.notice, attempt.receipt
        at_us = to_us(attempt.at)
        next_us = at_us if attempt.next_try_at is None else to_us(attempt.next_try_at)
        row = (attempt.status, next_us, receipt.outcome, receipt.http_status, at_us, notice.key)
        with self._file.writing() as connection:
            connection.execute(SETTLE, row)
            if attempt.status is Status.SENT:
                connection.execute(WAKE, (at_us, notice.receiver))
            elif attempt.standby is not None:
                _copy(connection, notice, attempt.standby, attempt.at)
            if notice.closes:  # a standby may have been called in after it was put here
                _copy_to_standbys(connection, notice, attempt.at)


def _copy_to_standbys(connection: sqlite3.Connection, notice: Told | Waiting, now: datetime) -> None:
    """The end of an episode, also to those whose last message in place of its receiver was not an end."""
    last = dict(connection.execute(STOOD_IN, (notice.receiver, _json(notice.alerts))).fetchall())
    for standby, has_ended in last.items():
        if not has_ended:
            _copy(connection, notice, standby, now)


def _copy(connection: sqlite3.Connection, notice: Told | Waiting, standby: str, now: datetime) -> None:
    """Under the key that it would have if the standby were its receiver: who is one is not told twice."""
    subject, _, number = notice.key.rpartition(f"/{notice.receiver}/")
    connection.execute(COPY, (f"{subject}/{standby}/{number}", standby, to_us(now), to_us(now), notice.key))


def _waiting(row: tuple[Any, ...]) -> Waiting:
    key, dedup_key, receiver, kind, alerts, payload, stands_for, queued_us, next_us, attempts = row
    return Waiting(
        key=key,
        dedup_key=dedup_key,
        receiver=receiver,
        kind=kind,
        alerts=msgspec.json.decode(alerts, type=tuple[str, ...]),
        says=_says(kind, payload),
        stands_for=stands_for,
        queued_at=from_us(queued_us),
        next_try_at=from_us(next_us),
        attempts=attempts,
    )


def _says(kind: str, payload: str) -> Facts | Digest | Drill | None:
    try:
        match kind:
            case "digest":
                return msgspec.json.decode(payload, type=Digest)
            case "test":
                return msgspec.json.decode(payload, type=Drill)
            case _:
                return msgspec.json.decode(payload, type=Facts)
    except msgspec.DecodeError:
        return None


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
