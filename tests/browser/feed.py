"""A feed in the shape of the warehouse's, over a real websocket, whose numbers the test chooses.

`python tests/browser/feed.py PORT` plays a lively shop, to look at the screens without a warehouse.
"""

import math
import random
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import msgspec
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from cockpit.kpis.live import (
    Active,
    IntakeToday,
    Minute,
    MinuteScope,
    Quantiles,
    Queue,
    Scope,
    Snapshot,
    Today,
)

MINUTE_MS = 60_000
CHANNELS = {"site": 0.45, "app": 0.3, "whatsapp": 0.08, "email": 0.07, "push": 0.05, "ads": 0.05}
NAMES = {
    "view_item": 0.52,
    "search": 0.14,
    "select_item": 0.12,
    "add_to_cart": 0.07,
    "page_view": 0.05,
    "purchase": 0.012,
}
SEGMENTS = {"vip": 0.12, "returning": 0.4, "new": 0.35, "at_risk": 0.13}
DELIVERED = 0.08


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def no_scope() -> Scope:
    """A scope in which nothing has happened yet."""
    quantiles = Quantiles(None, None, None, 0)
    today = Today(
        events=0, events_by_name={}, profiles=0, sessions=0, buyers=0, orders=0, revenue_cents=None,
        conversion_rate=None, revenue_per_profile_cents=None, gross_margin_cents=None, gross_margin_rate=None,
        margin_coverage=None, delivered=0, failed=0, suppressed=0,
    )  # fmt: skip
    return Scope(
        active_sessions=0, events_per_minute=None, deliveries_per_minute=None, error_rate_5m=None, attempts_5m=0,
        latency_5m=quantiles, last_event_at=None, today=today,
    )  # fmt: skip


def empty() -> Snapshot:
    """What a warehouse without a single event publishes."""
    at = now_ms()
    return Snapshot(
        seq=0, feed="test", full=True, published_at=at, processed_at=None, last_event_at=None, last_received_at=None,
        demo=False, time_zone="America/Sao_Paulo", currency="BRL", day_start=at - at % 86_400_000 + 3 * 3_600_000,
        queue=Queue(entries=0, events=0, oldest_age_s=None, in_per_s=None, out_per_s=None),
        intake_today=IntakeToday(received=0, stored=0, duplicate=0, refused=0, refused_by_code={}),
        scopes={"all": no_scope()}, sessions=[], minutes=[],
    )  # fmt: skip


def minute_of(at: int, rate: float, share_of_minute: float = 1.0) -> Minute:
    """A minute of a shop with `rate` events per minute."""
    scopes = {}
    dice = random.Random(at)
    for name, share in {"all": 1.0, **CHANNELS}.items():
        size = rate * share * share_of_minute * dice.uniform(0.93, 1.07)
        events = {event: round(size * part * dice.uniform(0.9, 1.1)) for event, part in NAMES.items()}
        delivered = round(size * DELIVERED)
        failed = round(delivered * {"whatsapp": 0.06, "email": 0.02}.get(name, 0.004) * dice.uniform(0, 2))
        p50 = 900 + 150 * math.sin(at / 600_000) + dice.uniform(-60, 60)
        events |= {"personalization_delivered": delivered, "personalization_failed": failed}
        scopes[name] = MinuteScope(
            events=events, delivered=delivered, failed=failed, suppressed=round(delivered * 0.1),
            error_rate=failed / (delivered + failed) if delivered + failed else None,
            p50_ms=p50, p95_ms=p50 * 2.6, p99_ms=p50 * 4.4, actions=delivered,
        )  # fmt: skip
    return Minute(at, scopes)


def rate_at(at: int) -> float:
    return 900 + 260 * math.sin(at / 1_500_000) + 120 * math.sin(at / 240_000)


def lively(seq: int, *, full: bool) -> Snapshot:
    """A shop at this moment; every number follows from the clock and `seq`."""
    at = now_ms()
    running = at - at % MINUTE_MS
    share = (at % MINUTE_MS) / MINUTE_MS
    past = range(running - 59 * MINUTE_MS, running, MINUTE_MS) if full else ()
    minutes = [*(minute_of(minute, rate_at(minute)) for minute in past), minute_of(running, rate_at(running), share)]
    last = minute_of(running - MINUTE_MS, rate_at(running - MINUTE_MS))
    scopes = {name: scope_of(name, share_of, last, seq, at) for name, share_of in {"all": 1.0, **CHANNELS}.items()}
    sessions = [
        Active(channel, segment, round(620 * share_of * part))
        for channel, share_of in CHANNELS.items()
        for segment, part in SEGMENTS.items()
    ]
    stored = 1_234_567 + seq * 8
    return msgspec.structs.replace(
        empty(), seq=seq, full=full, published_at=at, processed_at=at - 40, last_event_at=at - 300,
        last_received_at=at - 180, demo=True, scopes=scopes, sessions=sessions, minutes=minutes,
        queue=Queue(entries=1, events=17, oldest_age_s=0.042, in_per_s=16.2, out_per_s=16.1),
        intake_today=IntakeToday(
            received=stored + 4_321 + 58, stored=stored, duplicate=4_321, refused=58,
            refused_by_code={"id_too_long": 31, "event_not_defined": 20, "invalid_json": 7},
        ),
    )  # fmt: skip


def scope_of(name: str, share: float, last: Minute, seq: int, at: int) -> Scope:
    minute = last.scopes[name]
    profiles, buyers = round(61_240 * share + seq), round(1_730 * share + seq / 30)
    revenue = round(38_450_912 * share + seq * 1_990)
    total = sum(minute.events.values())
    p50 = minute.p50_ms or 0
    today = Today(
        events=round(1_230_000 * share) + seq * 8,
        events_by_name={event: round(1_230_000 * share * part) + seq for event, part in NAMES.items()},
        profiles=profiles, sessions=round(profiles * 1.3), buyers=buyers, orders=round(buyers * 1.07),
        revenue_cents=revenue, conversion_rate=buyers / profiles, revenue_per_profile_cents=revenue / profiles,
        gross_margin_cents=round(revenue * 0.31), gross_margin_rate=0.334, margin_coverage=0.928,
        delivered=round(98_400 * share) + seq, failed=round(1_204 * share), suppressed=round(9_000 * share),
    )  # fmt: skip
    is_silent = name == "email"
    return Scope(
        active_sessions=round(620 * share) + seq % 7, events_per_minute=total, deliveries_per_minute=minute.delivered,
        error_rate_5m=None if is_silent else minute.error_rate, attempts_5m=0 if is_silent else minute.delivered * 5,
        latency_5m=Quantiles(p50, p50 * 2.6, p50 * 4.4, minute.delivered * 5),
        last_event_at=at - (7 * MINUTE_MS if is_silent else 400), today=today,
    )  # fmt: skip


class Feed:
    """A feed on a port, in threads of its own. It counts its subscribers and can be stopped, started and silenced."""

    def __init__(self, port: int, token: str, make: Callable[[int, bool], Snapshot], tick_s: float = 0.25) -> None:
        self.port = port
        self.token = token
        self.make = make
        self.tick_s = tick_s
        self.subscribed = 0
        self.is_silent = False
        self.seq = 0
        self._stopped = threading.Event()
        self._stopped.set()

    def start(self) -> None:
        self._stopped = threading.Event()
        self._server = serve(partial(self._serve, self._stopped), "127.0.0.1", self.port)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if not self._stopped.is_set():
            self._stopped.set()
            self._server.shutdown()
            self._thread.join(10)

    def _serve(self, stopped: threading.Event, connection: ServerConnection) -> None:
        if connection.recv() != self.token:
            connection.close(4401)
            return
        self.subscribed += 1
        is_full = True
        with suppress(ConnectionClosed):
            while not stopped.wait(self.tick_s):
                if not self.is_silent:
                    self.seq += 1
                    connection.send(msgspec.json.encode(self.make(self.seq, is_full)).decode())
                    is_full = False


if __name__ == "__main__":
    from pathlib import Path

    feed = Feed(int(sys.argv[1]), Path(sys.argv[2]).read_text(), lambda seq, full: lively(seq, full=full))
    feed.start()
    threading.Event().wait(float(sys.argv[3]))
