"""From deliveries to the disk: judge, encode, append, in one commit. Runs in a worker thread, one batch at a time."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from cockpit.events.frame import to_bytes
from cockpit.events.judge import Judge, Refusal
from cockpit.events.sent import read_strictly
from ingest.gateway.stream import Delivery
from ingest.log import Draft, EventLog

logger = logging.getLogger(__name__)


class Writer(Protocol):
    def write(self, deliveries: Sequence[Delivery], now: datetime) -> list[list[Refusal]]:
        """The refusals of each delivery, after everything else is on disk; LogUnwritable if it is not."""
        ...

    def expire(self, now: datetime) -> None: ...


class LogWriter:
    def __init__(self, judge: Judge, log: EventLog) -> None:
        self._judge = judge
        self._log = log

    def write(self, deliveries: Sequence[Delivery], now: datetime) -> list[list[Refusal]]:
        verdict = self._judge.judge(deliveries)
        drafts = []
        if verdict.events.height:
            drafts.append(Draft("events", verdict.events.height, to_bytes(verdict.events)))
        if verdict.dead_letters.height:
            drafts.append(Draft("dead_letters", verdict.dead_letters.height, to_bytes(verdict.dead_letters)))
        self._log.append(drafts, now)
        return verdict.refusals

    def expire(self, now: datetime) -> None:
        expired = self._log.expire(now)
        if expired:
            logger.info("%d log entries expired", expired)


class NullWriter:
    """Decodes and forgets: what the server itself costs. For measurement only."""

    def write(self, deliveries: Sequence[Delivery], now: datetime) -> list[list[Refusal]]:  # noqa: ARG002
        for delivery in deliveries:
            for member in delivery.members:
                read_strictly(member)
        return [[] for _ in deliveries]

    def expire(self, now: datetime) -> None: ...
