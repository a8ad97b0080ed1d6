"""A warehouse in memory that takes events in and is asked what rules ask."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from cockpit.config import Config
from cockpit.store.database import Database
from cockpit.store.reader import read
from ingest.warehouse.consumer import Consumer
from tests.warehouse_events import NOON, ListLog, Row, action, draft, event

ZONE = ZoneInfo("America/Sao_Paulo")
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)


class Shop:
    """`asked` remembers which named reads were asked."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.log = ListLog()
        self.consumer = Consumer(self.log, database, Config(), lambda: NOON)
        self.asked: list[str] = []

    def take(self, *rows: Row) -> None:
        self.log.append([draft(rows)], NOON)
        while self.consumer.step():
            pass

    def reads(self, name: str, **params: Any) -> pl.DataFrame:
        self.asked.append(name)
        return read(self.database, name, params, ZONE)


def failed(message_id: str, code: str = "timeout", *, at: datetime = NOON, **columns: Any) -> Row:
    about = {"use_case": "cart", "channel": "whatsapp", "error_code": code, **columns}
    return event(message_id, "personalization_failed", at=at, **about)


def delivered(message_id: str, *, at: datetime = NOON, **columns: Any) -> Row:
    return action(message_id, None, at=at, **{"channel": "whatsapp", **columns})


def said(message_id: str, granted: str, *, at: datetime = NOON, **columns: Any) -> Row:
    """An answer of u:1 about marketing: `true` or `false`."""
    answer = f'{{"purpose":"marketing","granted":{granted}}}'
    return event(message_id, "consent_updated", at=at, **{"channel": None, "properties": answer, **columns})


def every(step: timedelta, start: datetime, end: datetime, **columns: Any) -> list[Row]:
    """An event each step from `start` on, before `end`; ids are the instants and the channel."""
    times = [start + number * step for number in range(-(-(end - start) // step))]
    channel = columns.get("channel", "site")
    return [event(f"{channel}-{at.isoformat()}", at=at, **columns) for at in times]
