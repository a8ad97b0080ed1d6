"""The alerts as frames for pages: what is the case, what was, who was told, what is silenced, by which rules."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
import polars as pl

from cockpit.alerts.machine import Alert, Transition
from cockpit.alerts.silences import Silence
from cockpit.clock import from_us, to_us
from cockpit.events.frame import INSTANT
from ingest.warehouse.alert_file import AlertFile
from ingest.warehouse.alert_store import AlertStore

NAMES = pl.List(pl.String())
OF_AN_EPISODE = {
    "fingerprint": pl.String(),
    "rule_id": pl.String(),
    "labels": pl.String(),  # as JSON, in the order of their names
    "episode": pl.Int64(),
    "reason": pl.String(),
    "severity": pl.String(),
    "active_at": INSTANT,
    "value": pl.Float64(),
    "peak": pl.Float64(),
    "acked_by": pl.String(),  # empty: nobody
}
SCHEMAS: Mapping[str, pl.Schema] = {
    "now": pl.Schema(
        {
            **OF_AN_EPISODE,
            "state": pl.String(),
            "worst": pl.String(),
            "since": INSTANT,
            "opened_at": INSTANT,
            "value_at": INSTANT,
            "count": pl.Int64(),
            "last_eval": INSTANT,
            "last_notified_at": INSTANT,
            "is_flapping": pl.Boolean(),
            "ack_until": INSTANT,
            "ack_note": pl.String(),
            "told_to": NAMES,
            "context": pl.String(),  # as JSON: what a message says beside the value
        }
    ),
    "history": pl.Schema({"at": INSTANT, **OF_AN_EPISODE, "source": pl.String(), "target": pl.String()}),
    "deliveries": pl.Schema(
        {
            "queued_at": INSTANT,
            "key": pl.String(),
            "kind": pl.String(),
            "receiver": pl.String(),
            "stands_for": pl.String(),
            "alerts": NAMES,
            "status": pl.String(),
            "attempts": pl.Int64(),
            "result": pl.String(),  # of the last attempt; null before the first
            "http_status": pl.Int64(),
            "tried_at": INSTANT,
            "next_try_at": INSTANT,  # null when there is no other attempt
            "superseded_by": pl.String(),
        }
    ),
    "engine": pl.Schema({"evaluated_at": INSTANT, "file": pl.String(), "error": pl.String()}),
    "silences": pl.Schema(
        {
            "id": pl.String(),
            "matchers": pl.String(),  # as JSON
            "starts": INSTANT,
            "ends": INSTANT,
            "by": pl.String(),
            "comment": pl.String(),
            "tells_resolved": pl.Boolean(),
        }
    ),
    "rules": pl.Schema(
        {
            "id": pl.String(),
            "version": pl.Int64(),
            "at": INSTANT,
            "owner": pl.String(),
            "is_enabled": pl.Boolean(),
            "rule": pl.String(),  # as JSON
        }
    ),
    "audit": pl.Schema(
        {
            "at": INSTANT,
            "actor": pl.String(),
            "role": pl.String(),
            "action": pl.String(),
            "details": pl.String(),  # as JSON
        }
    ),
}
DELIVERIES = """
SELECT queued_us AS queued_at, key, kind, receiver, stands_for, alerts, status, attempts, result, http_status,
    tried_us AS tried_at, CASE WHEN status = 'waiting' THEN next_try_us END AS next_try_at, superseded_by
FROM outbox WHERE status = 'waiting' OR (queued_us >= ? AND queued_us < ?) ORDER BY position
"""
RULES = "SELECT id, version, at_us AS at, owner, enabled AS is_enabled, rule FROM alert_rule ORDER BY id, version"
AUDIT = """
SELECT at_us AS at, actor, role, action, details FROM audit WHERE at_us >= ? AND at_us < ? ORDER BY position
"""


class AlertFrames:
    """Each frame has its schema in SCHEMAS. Used by any thread."""

    def __init__(self, file: AlertFile) -> None:
        self._file = file
        self._store = AlertStore(file)

    def now(self) -> pl.DataFrame:
        """A row for each alert that there is, also those that are fine."""
        return _frame("now", (_row(alert) | _more(alert) for alert in self._store.alerts().values()))

    def history(self, start: datetime, end: datetime) -> pl.DataFrame:
        """Changes of state from `start` up to, not including, `end`, oldest first."""
        return _frame("history", map(_row, self._store.transitions(start, end)))

    def deliveries(self, start: datetime, end: datetime) -> pl.DataFrame:
        """Notices decided in that time, and whatever still waits, oldest first."""
        rows = self._rows(DELIVERIES, to_us(start), to_us(end))
        return _frame("deliveries", ({**row, "alerts": msgspec.json.decode(row["alerts"])} for row in rows))

    def silences(self, now: datetime) -> pl.DataFrame:
        """Those that are not over."""
        return _frame("silences", map(_row, self._store.silences(now)))

    def rules(self) -> pl.DataFrame:
        """Every version of every rule that was ever in force."""
        return _frame("rules", self._rows(RULES))

    def audit(self, start: datetime, end: datetime) -> pl.DataFrame:
        """Who did what from `start` up to, not including, `end`, oldest first."""
        return _frame("audit", self._rows(AUDIT, to_us(start), to_us(end)))

    def engine(self, error: str) -> pl.DataFrame:
        """One row: when a round last ended well, and the rules in force as JSON; null before the first of either.

        `error`: why the rule file as it is now is not in force; empty if it is.
        """
        file = self._store.rule_file()
        evaluated_at = self._store.heartbeat().evaluated_at
        row = {"evaluated_at": evaluated_at, "file": None if file is None else msgspec.json.encode(file).decode()}
        return _frame("engine", [row | {"error": error}])

    def _rows(self, sql: str, *bound: object) -> list[dict[str, Any]]:
        with self._file.reading() as connection:
            found = connection.execute(sql, bound)
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found]


def _frame(name: str, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    schema = SCHEMAS[name]
    return pl.DataFrame(
        [{column: _value(row[column], kind) for column, kind in schema.items()} for row in rows], schema=schema
    )


def _value(value: Any, kind: pl.DataType) -> Any:
    """As the schema has it, of what SQLite has as numbers."""
    if value is None or not isinstance(value, int):
        return value
    if kind == INSTANT:
        return from_us(value)
    return bool(value) if kind == pl.Boolean else value


def _row(value: Alert | Transition | Silence) -> dict[str, Any]:
    row = {name: getattr(value, name) for name in value.__struct_fields__}
    return {name: _json(each) if isinstance(each, dict) else each for name, each in row.items()}


def _more(alert: Alert) -> dict[str, Any]:
    return {"is_flapping": alert.is_flapping, "told_to": list(alert.page.told_to)}


def _json(value: Mapping[str, Any]) -> str:
    return msgspec.json.encode(value, order="sorted").decode()
