from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings

from cockpit.clock import to_us
from cockpit.config import Config
from cockpit.events.frame import Flag
from cockpit.kpis.live import Queue
from cockpit.store.database import Database
from ingest.warehouse.command import load
from ingest.warehouse.consumer import Consumer
from ingest.warehouse.live import MOST_WORDS, Header, LiveState
from tests.warehouse_events import NOON, ListLog, Row, action, draft, event, purchase, refusal, refusals, streams

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
EMPTY = Queue(entries=0, events=0, oldest_age_s=None, in_per_s=None, out_per_s=None)
MINUTE = timedelta(minutes=1)


class Warehouse:
    """A consumer that feeds a live state, with hands on both."""

    def __init__(self, database: Database) -> None:
        self.log = ListLog()
        self.database = database
        self.now = NOON
        self.state = LiveState(SAO_PAULO, "BRL")
        self.consumer = Consumer(
            self.log,
            database,
            Config(),
            lambda: self.now,
            lambda commit, _: self.state.apply(commit.rows, commit.progress, self.now),
        )

    def take(self, *rows: Row, at: datetime | None = None) -> None:
        self.now = at or self.now
        self.log.append([draft(rows)], self.now)
        while self.consumer.step():
            pass

    def shows(self, now: datetime | None = None, state: LiveState | None = None) -> dict[str, Any]:
        """A full snapshot, as JSON gives it."""
        snapshot = (state or self.state).snapshot(Header("run", 1), EMPTY, None, now or self.now)
        return msgspec.json.decode(msgspec.json.encode(snapshot))  # type: ignore[no-any-return]

    def restarted(self, now: datetime | None = None) -> dict[str, Any]:
        """What a new process shows, from the tables alone."""
        state = LiveState(SAO_PAULO, "BRL")
        load(state, self.database, self.consumer.progress, now or self.now)
        return self.shows(now, state)


def ms(instant: datetime) -> int:
    return to_us(instant) // 1000


def in_memory(check: Callable[[Warehouse], None]) -> None:
    with Database.open(None) as database:
        check(Warehouse(database))


def canonical(snapshot: dict[str, Any]) -> dict[str, Any]:
    order = {"sessions": sorted(snapshot["sessions"], key=str)}
    return {**snapshot, **order}


@pytest.fixture
def warehouse() -> Any:
    with Database.open(None) as database:
        yield Warehouse(database)


@settings(max_examples=25)
@given(streams())
def test_a_restarted_warehouse_shows_what_the_old_one_did(batches: list[list[Row]]) -> None:
    def check(warehouse: Warehouse) -> None:
        for batch in batches:
            warehouse.take(*({**row, "received_at": NOON} for row in batch))
        old, new = canonical(warehouse.shows()), canonical(warehouse.restarted())
        assert new == old

    in_memory(check)


def test_the_snapshot_of_an_empty_warehouse_knows_nothing(warehouse: Warehouse) -> None:
    shown = warehouse.shows()
    everything = shown["scopes"]["all"]
    assert (shown["processed_at"], shown["last_event_at"], shown["last_received_at"]) == (None, None, None)
    assert (everything["events_per_minute"], everything["error_rate_5m"]) == (None, None)
    assert everything["latency_5m"] == {"p50_ms": None, "p95_ms": None, "p99_ms": None, "n": 0}
    assert everything["today"]["revenue_cents"] is None
    assert everything["today"]["conversion_rate"] is None
    assert shown["minutes"] == []
    assert shown["demo"] is False


def test_today_worked_by_hand(warehouse: Warehouse) -> None:
    warehouse.take(
        event("a"),
        event("b", profile_id="u:2", channel="app", session_id=None),
        event("c", profile_id="u:1", channel="app", session_id="s-9"),
        event("d", profile_id="u:3", channel=None, session_id="s-3"),
        purchase("p", 1000, 600),
        purchase("q", 500, profile_id="u:2", channel="app", session_id=None),
        action("x", "a", at=NOON + timedelta(seconds=2)),
        event("y", "personalization_failed", error_code="timeout"),
        event("late", flags=int(Flag.LATE), profile_id="u:9"),
        event("yesterday", at=NOON - timedelta(days=1), profile_id="u:8"),
    )
    everything = warehouse.shows()["scopes"]["all"]["today"]
    assert everything == {
        "events": 8,
        "events_by_name": {
            "view_item": 4,
            "purchase": 2,
            "personalization_delivered": 1,
            "personalization_failed": 1,
        },
        "profiles": 3,
        "sessions": 3,
        "buyers": 2,
        "orders": 2,
        "revenue_cents": 1500,
        "conversion_rate": pytest.approx(2 / 3),
        "revenue_per_profile_cents": 500.0,
        "gross_margin_cents": 400,
        "gross_margin_rate": 0.4,
        "margin_coverage": pytest.approx(2 / 3),
        "delivered": 1,
        "failed": 1,
        "suppressed": 0,
    }


def test_who_turns_out_to_be_somebody_seen_today_counts_once_from_then_on(warehouse: Warehouse) -> None:
    warehouse.take(event("a", profile_id="a:9", anonymous_id="9"), purchase("p", 100, profile_id="a:9", channel="app"))
    warehouse.take(event("b", profile_id="u:1"), purchase("q", 100, profile_id="u:1", transaction_id="t"))

    def people() -> dict[str, tuple[int, int]]:
        scopes = warehouse.shows()["scopes"]
        return {name: (scope["today"]["profiles"], scope["today"]["buyers"]) for name, scope in scopes.items()}

    assert people() == {"all": (2, 2), "app": (1, 1), "site": (2, 1)}
    warehouse.take(event("login", "login", user_id="1", anonymous_id="9"))
    once = {"all": (1, 1), "app": (1, 1), "site": (1, 1)}
    assert people() == once
    warehouse.take(event("c", profile_id="a:9", anonymous_id="9"), event("d", profile_id="u:1", channel="app"))
    assert people() == once
    assert warehouse.restarted()["scopes"] == warehouse.shows()["scopes"]


def test_a_profile_on_two_channels_counts_in_both_and_once_in_all(warehouse: Warehouse) -> None:
    warehouse.take(event("a"), event("b", channel="app"))
    profiles = {name: scope["today"]["profiles"] for name, scope in warehouse.shows()["scopes"].items()}
    assert profiles == {"all": 1, "site": 1, "app": 1}


def test_events_without_a_channel_are_a_scope_of_their_own(warehouse: Warehouse) -> None:
    warehouse.take(event("a", channel=None))
    shown = warehouse.shows()
    assert set(shown["scopes"]) == {"all", "unknown"}
    assert shown["sessions"] == [{"channel": "unknown", "segment": None, "sessions": 1}]


def test_events_per_minute_are_those_of_the_last_complete_minute(warehouse: Warehouse) -> None:
    warehouse.take(*(event(str(n), at=NOON - MINUTE + timedelta(seconds=n)) for n in range(7)), event("now"))
    assert warehouse.shows()["scopes"]["site"]["events_per_minute"] == 7
    assert warehouse.shows(NOON + MINUTE)["scopes"]["site"]["events_per_minute"] == 1
    assert warehouse.shows(NOON + 2 * MINUTE)["scopes"]["site"]["events_per_minute"] == 0


def test_five_minutes_are_the_running_one_and_four_before_it(warehouse: Warehouse) -> None:
    failed = [event(str(n), "personalization_failed", at=NOON - n * MINUTE) for n in range(8)]
    warehouse.take(*failed, *(event(f"t{n}", at=NOON - n * MINUTE) for n in range(8)))
    warehouse.take(*(action(f"a{n}", f"t{n}", at=NOON - n * MINUTE + timedelta(seconds=n)) for n in range(8)))
    everything = warehouse.shows()["scopes"]["all"]
    assert everything["attempts_5m"] == 10
    assert everything["error_rate_5m"] == 0.5
    assert everything["latency_5m"]["n"] == 5
    assert everything["latency_5m"]["p50_ms"] == pytest.approx(2000, rel=0.01)
    assert everything["latency_5m"]["p99_ms"] == pytest.approx(4000, rel=0.01)


def test_active_sessions_end_after_five_minutes_and_servers_keep_none_alive(warehouse: Warehouse) -> None:
    warehouse.take(event("a", segment="vip"), event("b", "message_sent", at=NOON + 4 * MINUTE, segment="vip"))
    assert warehouse.shows(NOON + 5 * MINUTE)["sessions"] == [{"channel": "site", "segment": "vip", "sessions": 1}]
    gone = warehouse.shows(NOON + 5 * MINUTE + timedelta(milliseconds=1))
    assert gone["sessions"] == []
    assert gone["scopes"]["all"]["active_sessions"] == 0


def test_the_day_begins_anew_at_business_midnight(warehouse: Warehouse) -> None:
    midnight = NOON.replace(hour=3) + timedelta(days=1)
    warehouse.take(event("a", at=midnight - timedelta(seconds=1)), at=midnight - timedelta(seconds=1))
    assert warehouse.shows()["scopes"]["all"]["today"]["events"] == 1
    # A sender whose clock is ahead is already in tomorrow.
    warehouse.take(event("b", at=midnight + timedelta(seconds=1)))
    assert warehouse.shows()["scopes"]["all"]["today"]["events"] == 1
    shown = warehouse.shows(midnight)
    assert shown["day_start"] == ms(midnight)
    assert shown["scopes"]["all"]["today"]["events"] == 1
    assert shown["scopes"]["all"]["today"]["profiles"] == 1
    assert canonical(warehouse.restarted(midnight)) == canonical(shown)


def test_a_full_snapshot_has_the_last_sixty_minutes(warehouse: Warehouse) -> None:
    warehouse.take(*(event(str(n), at=NOON - n * MINUTE) for n in range(70)))
    minutes = [minute["minute"] for minute in warehouse.shows()["minutes"]]
    assert minutes == [ms(NOON - n * MINUTE) for n in range(59, -1, -1)]
    assert len(warehouse.shows(NOON + 30 * MINUTE)["minutes"]) == 30


def test_a_minute_is_whole_and_sent_again_only_when_it_changed(warehouse: Warehouse) -> None:
    warehouse.take(event("a"), event("t", at=NOON - MINUTE))
    assert warehouse.state.take_changed() == {ms(NOON), ms(NOON - MINUTE)}
    warehouse.take(action("x", "t", at=NOON + timedelta(seconds=1)), event("y", "personalization_failed"))
    changed = warehouse.state.take_changed()
    assert changed == {ms(NOON)}
    snapshot = warehouse.state.snapshot(Header("run", 2), EMPTY, changed, NOON)
    assert not snapshot.full
    assert [minute.minute for minute in snapshot.minutes] == [ms(NOON)]
    scope = snapshot.minutes[0].scopes["all"]
    assert scope.events == {"view_item": 1, "personalization_delivered": 1, "personalization_failed": 1}
    assert (scope.delivered, scope.failed, scope.suppressed, scope.actions, scope.error_rate) == (1, 1, 0, 1, 0.5)
    assert scope.p50_ms == pytest.approx(61_000, rel=0.01)


def test_history_moves_no_tile_of_today(warehouse: Warehouse) -> None:
    warehouse.take(event("old", at=NOON - timedelta(days=2000), received_at=NOON, flags=int(Flag.HISTORICAL)))
    shown = warehouse.shows()
    assert shown["scopes"]["all"]["today"]["events"] == 0
    assert shown["minutes"] == []
    assert shown["intake_today"]["stored"] == 1


def test_intake_is_conserved_and_counted_by_the_day_of_receipt(warehouse: Warehouse) -> None:
    warehouse.take(event("a"), event("a"), event("old", received_at=NOON - timedelta(days=1)))
    warehouse.log.append([refusals([refusal("no_name"), refusal("no_name")])], NOON)
    warehouse.consumer.step()
    assert warehouse.shows()["intake_today"] == {
        "received": 4,
        "stored": 1,
        "duplicate": 1,
        "refused": 2,
        "refused_by_code": {"no_name": 2},
    }


def test_names_and_segments_that_senders_make_up_do_not_grow_the_snapshot(warehouse: Warehouse) -> None:
    made_up = [event(str(n), f"name {n}", profile_id=f"u:{n}", segment=f"segment {n}") for n in range(500)]
    warehouse.take(*made_up, purchase("p", 100))
    shown = warehouse.shows()
    by_name = shown["scopes"]["all"]["today"]["events_by_name"]
    assert len(by_name) <= MOST_WORDS + 2
    assert sum(by_name.values()) == 501
    assert by_name["purchase"] == 1
    assert len(shown["sessions"]) <= MOST_WORDS + 2
    assert sum(each["sessions"] for each in shown["sessions"]) == 500


def test_demo_is_said_for_a_day_after_its_last_event(warehouse: Warehouse) -> None:
    warehouse.take(event("a", source="demo"))
    assert warehouse.shows()["demo"] is True
    assert warehouse.restarted()["demo"] is True
    assert warehouse.shows(NOON + timedelta(hours=24, minutes=1))["demo"] is False
