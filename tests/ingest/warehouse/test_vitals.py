from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from cockpit.alerts.world import Gauge
from cockpit.store.writer import Commit, Progress
from ingest.log import Tail
from ingest.warehouse.errand import Errand
from ingest.warehouse.vitals import Vitals
from tests.ingest.warehouse.duties import AtOnce, Machine
from tests.warehouse_events import NOON

SECOND = timedelta(seconds=1)
EMPTY = Tail(0, 0, None)


class Body:
    """A log and a consumer whose state a test says, and a gateway that answers or not."""

    def __init__(self) -> None:
        self.machine = Machine()
        self.tail = EMPTY
        self.progress = Progress("e", 1, "UTC", "BRL")
        self.answers = True
        gateway = Errand("gateway", lambda: self.answers, 5 * SECOND, AtOnce(), self.machine.monotonic)
        self.vitals = Vitals(lambda _: self.tail, lambda: self.progress, gateway, self.machine.monotonic)

    def waits(self, since: datetime, events: int = 10) -> None:
        self.tail = Tail(1, events, since)

    def at(self, position: int, received_at: datetime | None = None) -> None:
        self.progress = Progress("e", position, "UTC", "BRL", last_received_at=received_at)

    def gauges(self) -> Mapping[str, Gauge]:
        """Those that are not told apart, and heartbeats by stage."""
        found = self.vitals.look(self.machine.now).gauges
        beats = {stage: gauge for (stage,), gauge in found["heartbeat_age_s"].items()}
        return {**{name: gauges[()] for name, gauges in found.items() if () in gauges}, **beats}

    def value(self, name: str) -> float | None:
        return self.gauges()[name].value

    def live(self, seconds: int) -> None:
        for _ in range(seconds):
            self.machine.pass_(SECOND)
            self.vitals.look(self.machine.now)


@pytest.fixture
def body() -> Body:
    return Body()


def test_the_lag_is_the_age_of_the_oldest_that_waits(body: Body) -> None:
    assert body.value("queue_lag_s") == 0.0
    body.waits(NOON - 130 * SECOND, events=70)
    assert (body.value("queue_lag_s"), body.value("queue_events")) == (130.0, 70.0)
    body.waits(NOON + SECOND)
    assert body.value("queue_lag_s") == 0.0


def test_what_waits_since_is_where_the_watermark_stands(body: Body) -> None:
    assert body.vitals.look(NOON).complete_until is None
    body.waits(NOON - SECOND)
    assert body.vitals.look(NOON).complete_until == NOON - SECOND


def test_freshness_is_the_age_of_what_was_received_last(body: Body) -> None:
    assert body.value("freshness_s") is None
    body.at(2, NOON - 40 * SECOND)
    assert body.value("freshness_s") == 40.0


def test_a_consumer_that_stands_still_while_something_waits_shows_no_sign_of_life(body: Body) -> None:
    body.live(100)
    assert body.value("warehouse") == 0.0
    body.waits(NOON)
    body.live(70)
    assert body.value("warehouse") == 70.0
    body.at(2)
    assert body.value("warehouse") == 0.0


def test_a_gateway_that_does_not_answer_ages(body: Body) -> None:
    body.live(30)
    assert body.value("gateway") == pytest.approx(0, abs=5)
    body.answers = False
    body.live(70)
    assert body.value("gateway") == pytest.approx(70, abs=5)


def test_a_queue_rises_only_if_each_minute_is_worse_than_the_one_before(body: Body) -> None:
    for minute in range(10):
        body.waits(body.machine.now - (5 + 10 * minute) * SECOND)
        body.live(60)
    assert body.value("queue_rising_s") == pytest.approx(540, abs=61)
    body.waits(body.machine.now)
    body.live(1)
    assert body.value("queue_rising_s") == 0.0


def test_a_queue_that_is_drained_within_each_minute_does_not_rise(body: Body) -> None:
    for minute in range(10):
        body.waits(body.machine.now - (5 + 10 * minute) * SECOND)
        body.live(30)
        body.tail = EMPTY
        body.live(30)
    assert body.value("queue_rising_s") == 0.0


def test_rates_say_when_the_queue_will_be_empty(body: Body) -> None:
    body.waits(NOON - SECOND, events=1000)
    body.vitals.look(body.machine.now)
    for _ in range(5):
        body.vitals.took(Commit({}, None, body.progress), 100)  # type: ignore[arg-type]  # only the number matters
        body.tail = Tail(1, body.tail.events - 40, NOON - SECOND)
        body.machine.pass_(SECOND)
        body.vitals.look(body.machine.now)
    said = body.gauges()["queue_lag_s"].context
    assert said == {"arrival_per_s": pytest.approx(60), "drain_per_s": pytest.approx(100), "eta_s": pytest.approx(20)}


def test_a_queue_that_grows_is_never_empty(body: Body) -> None:
    for number in range(6):
        body.tail = Tail(1, 100 * number, NOON - SECOND)
        body.machine.pass_(SECOND)
        body.vitals.look(body.machine.now)
    assert set(body.gauges()["queue_lag_s"].context) == {"arrival_per_s", "drain_per_s"}
