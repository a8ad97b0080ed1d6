"""On call: rules are evaluated and people told for as long as the warehouse runs, whether or not a page is open."""

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from typing import NamedTuple

from cockpit.alerts.metrics import PAGES, infos
from cockpit.alerts.nearby import Marker
from cockpit.alerts.rules import Known, RuleFile
from cockpit.clock import Clock
from cockpit.config import Config
from cockpit.errors import BadSetting
from cockpit.kpis.live import Alerts
from cockpit.store.database import Database
from cockpit.store.writer import Commit, Progress
from ingest.log import Tail
from ingest.warehouse.alert_calls import alert_actions, alert_reads
from ingest.warehouse.alert_file import AlertFile
from ingest.warehouse.alert_frames import AlertFrames
from ingest.warehouse.alert_store import AlertStore, Changes
from ingest.warehouse.asking import Asking
from ingest.warehouse.delivery import Delivery, Surroundings
from ingest.warehouse.duty import Around, Duty, Inputs, deadman_of
from ingest.warehouse.errand import Errand, answers
from ingest.warehouse.open_alerts import OpenAlerts
from ingest.warehouse.outbox import Outbox
from ingest.warehouse.rule_watch import RuleWatch
from ingest.warehouse.vitals import Vitals
from ingest.warehouse.voice import Voice

logger = logging.getLogger(__name__)

LOOK = timedelta(seconds=10)


class Ties(NamedTuple):
    """The warehouse as the rules see it: the queue behind a position, how far the tables are, and what they hold.

    `markers`: what changed in the business. `publish` is told what goes on after every round.
    """

    tail: Callable[[int], Tail]
    progress: Callable[[], Progress]
    cursor: Database
    markers: Callable[[], Sequence[Marker]]
    publish: Callable[[Alerts], None]


class OnCall:
    """The parts, wired; whoever runs it gives `duty.run` and `delivery.run` a thread each.

    BadSetting: an address of a receiver, or of the dead-man switch, cannot be used.
    """

    def __init__(self, config: Config, ties: Ties, clock: Clock, environ: Mapping[str, str]) -> None:
        with ExitStack() as opened:
            file = AlertFile(config.alerts_path)
            opened.callback(file.close)
            errands = opened.enter_context(ThreadPoolExecutor(2, "errand"))
            store, frames = AlertStore(file), AlertFrames(file)
            watch = RuleWatch(config.alert_rules, Known(infos(), PAGES))
            self._voice = Voice(environ, config.zone, config.screens_url)
            self._voice.use(watch.changed() or store.rule_file() or RuleFile())
            around = Surroundings(clock, random.random)
            self.delivery = Delivery(Outbox(file), self._voice, self._voice.compose, self._voice.standby_of, around)
            gateway = f"http://{config.host}:{config.gateway_port}/healthz"
            looking = Errand("the gateway", lambda: answers(gateway), LOOK, errands, time.monotonic)
            self._vitals = Vitals(ties.tail, ties.progress, looking, time.monotonic)
            self.duty = Duty(
                Inputs(watch, Asking(ties.cursor, config.zone, time.monotonic), self._vitals, ties.markers),
                file,
                Around(clock, time.monotonic, config.zone),
                deadman_of(environ, errands, time.monotonic),
                self._committed,
            )
            self.reads = alert_reads(frames, self.duty, clock)
            self.actions = alert_actions(self.duty, store, clock)
            self._goes_on = OpenAlerts(store, ties.publish)
            self._opened = opened.pop_all()

    def took(self, commit: Commit, events: int) -> None:
        """For every commit of the consumer."""
        self._vitals.took(commit, events)

    def close(self) -> None:
        self._opened.close()

    def _committed(self, changes: Changes) -> None:
        if changes.file is not None:
            try:
                self._voice.use(changes.file)
            except BadSetting as error:
                logger.error("the receivers stay as they were: %s", error)  # noqa: TRY400 - it says all there is
        if changes.told:
            self.delivery.wake()
        self._goes_on.committed(changes)
