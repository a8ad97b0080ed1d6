"""What somebody on duty is given in tests: time that passes when it is told to, a shop, a rule file."""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cockpit.alerts.machine import Alert
from cockpit.alerts.metrics import infos
from cockpit.alerts.nearby import Marker
from cockpit.alerts.rules import Known
from cockpit.store.database import Database
from ingest.warehouse.alert_file import AlertFile
from ingest.warehouse.alert_store import AlertStore, Changes
from ingest.warehouse.asking import Asking
from ingest.warehouse.duty import Around, Duty, Inputs
from ingest.warehouse.errand import Errand
from ingest.warehouse.rule_watch import RuleWatch
from ingest.warehouse.vitals import Vitals
from tests.alerts.shop import SECOND, ZONE, Shop
from tests.warehouse_events import NOON, Row

STEP = 30 * SECOND
RULE: dict[str, Any] = {
    "id": "errors",
    "name": {"pt": "Erros", "en": "Errors"},
    "metric": "integration_error_rate",
    "by": ["channel"],
    "window": "1m",
    "every": "15s",
    "min_count": 5,
    "fire": "> 0.05",
    "for": "2m",
    "keep_firing_for": "1m",
    "nodata": "keep",
    "severity": "critical",
    "owner": "integracoes",
    "receivers": ["oncall"],
}
RECEIVER = '[[receiver]]\nname = "oncall"\nurl_env = "COCKPIT_ALERT_ONCALL"\n'


def rule_text(**changes: Any) -> str:
    """A rule as a file has it. Where a key is None it is left out."""
    keys = {key: value for key, value in {**RULE, **changes}.items() if value is not None}
    return "[[rule]]\n" + "\n".join(f"{key} = {_toml(value)}" for key, value in keys.items()) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


class Machine:
    """Two clocks: `set` moves that on the wall alone."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now
        self.passed_s = 0.0

    def clock(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.passed_s

    def pass_(self, time: timedelta) -> None:
        self.now += time
        self.passed_s += time.total_seconds()

    def set(self, by: timedelta) -> None:
        self.now += by


class AtOnce(Executor):
    """Does what it is given before it says so."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class Post:
    """A shop with somebody on duty; `reopen` is a restart of the process, with the same files."""

    markers: Sequence[Marker] = ()

    def __init__(self, database: Database, folder: Path, *rules: str) -> None:
        self.machine = Machine()
        self.shop = Shop(database)
        self.path = folder / "alerts.toml"
        self.write(*rules)
        self.folder = folder
        self.gateway_answers = True
        self.pings = 0
        self.heard: list[Changes] = []
        self.file = AlertFile(folder / "alerts.sqlite")
        self.duty = self._duty()

    def write(self, *rules: str) -> None:
        self.path.write_text("\n".join([RECEIVER, *(rules or [rule_text()])]), encoding="utf-8")

    def reopen(self) -> None:
        self.file.close()
        self.file = AlertFile(self.folder / "alerts.sqlite")
        self.duty = self._duty()

    def go_on(self, time: timedelta, *rows: Row, step: timedelta = STEP) -> None:
        """Take events in, and be on duty for a while."""
        if rows:
            self.shop.take(*rows)
        for _ in range(time // step):
            self.machine.pass_(step)
            self.duty.round()

    @property
    def store(self) -> AlertStore:
        return AlertStore(self.file)

    @property
    def history(self) -> list[str]:
        """`channel: from > to at hh:mm:ss`, of every change of state, by the wall clock."""
        rows = self.store.transitions(NOON - timedelta(days=99), NOON + timedelta(days=99))
        return [
            f"{'/'.join(row.labels.values())}: {row.source} > {row.target} {row.at:%H:%M:%S}"
            for row in rows
            if row.source is not row.target
        ]

    @property
    def told(self) -> list[str]:
        """Kinds of the messages, in the order in which they were decided."""
        with self.file.reading() as connection:
            return [kind for (kind,) in connection.execute("SELECT kind FROM outbox ORDER BY position")]

    def payloads(self) -> str:
        with self.file.reading() as connection:
            return " ".join(payload for (payload,) in connection.execute("SELECT payload FROM outbox"))

    def alert(self, **labels: str) -> Alert:
        """As it is kept."""
        return next(alert for alert in self.store.alerts().values() if alert.labels == labels)

    def _duty(self) -> Duty:
        machine = self.machine
        gateway = Errand("the gateway", lambda: self.gateway_answers, 5 * SECOND, AtOnce(), machine.monotonic)
        deadman = Errand("the dead-man switch", self._ping, 60 * SECOND, AtOnce(), machine.monotonic)
        vitals = Vitals(self.shop.log.tail, lambda: self.shop.consumer.progress, gateway, machine.monotonic)
        inputs = Inputs(
            RuleWatch(self.path, Known(infos(), frozenset({"/alerts"}))),
            Asking(self.shop.database, ZONE, machine.monotonic),
            vitals,
            lambda: self.markers,
        )
        around = Around(machine.clock, machine.monotonic, ZONE)
        return Duty(inputs, self.file, around, deadman, self.heard.append)

    def _ping(self) -> bool:
        self.pings += 1
        return True
