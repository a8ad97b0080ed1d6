from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from cockpit.config import Config
from cockpit.errors import UnknownRead
from cockpit.events.frame import INSTANT, Flag
from cockpit.store.database import Database
from cockpit.store.reader import READS, read
from ingest.warehouse.consumer import Consumer
from tests.warehouse_events import NOON, ListLog, action, draft, event, purchase, refusal, refusals

ZONE = ZoneInfo("America/Sao_Paulo")
DAY_START = NOON.replace(hour=3)  # midnight in Sao Paulo
DAY = {"start": DAY_START.isoformat(), "end": (DAY_START + timedelta(days=1)).isoformat()}
SHIFTED = {"start": (DAY_START - timedelta(hours=1)).isoformat(), "end": DAY["end"]}
EVENTS = [
    event("a"),
    event("b", profile_id="u:2", session_id=None, channel=None),
    event("late", profile_id="u:9", flags=int(Flag.LATE)),
    purchase("p", 1000, 600, transaction_id="t"),
    purchase("p again", 1000, 600, transaction_id="t"),
    purchase("q", 500, profile_id="u:2", at=NOON + timedelta(minutes=2)),
    action("act", "a", at=NOON + timedelta(seconds=2)),
    event("day before", at=DAY_START - timedelta(microseconds=1), profile_id="u:3"),
]


@pytest.fixture
def database() -> Iterator[Database]:
    log = ListLog()
    log.append([draft(EVENTS[:4]), draft(EVENTS[3:]), refusals([refusal("no_name"), refusal("too_large")])], NOON)
    with Database.open(None) as opened:
        consumer = Consumer(log, opened, Config(), lambda: NOON)
        while consumer.step():
            pass
        yield opened


def ask(database: Database, name: str, **params: object) -> pl.DataFrame:
    with database.cursor() as cursor:
        return read(cursor, name, params, ZONE)


def test_the_totals_of_a_day_worked_by_hand(database: Database) -> None:
    # Two purchases share a transaction; one profile is late; the event before midnight is not today's.
    assert ask(database, "totals", **DAY).row(0, named=True) == {
        "events": 6,
        "profiles": 2,
        "sessions": 1,
        "buyers": 2,
        "orders": 2,
        "revenue_cents": 1500,
        "costed_value_cents": 1000,
        "cost_cents": 600,
    }


def test_totals_of_any_other_window_are_counted_the_same_way(database: Database) -> None:
    day = ask(database, "totals", **DAY).row(0, named=True)
    assert ask(database, "totals", **SHIFTED).row(0, named=True) == day | {"events": 7, "profiles": 3}
    start = (DAY_START + timedelta(microseconds=1)).isoformat()
    assert ask(database, "totals", start=start, end=DAY["end"]).row(0, named=True) == day


def test_an_empty_window_has_no_revenue_rather_than_zero(database: Database) -> None:
    for start in (DAY_START - timedelta(days=10), DAY_START - timedelta(days=10, hours=2)):
        row = ask(database, "totals", start=start.isoformat(), end=(start + timedelta(days=1)).isoformat())
        assert row.select("events", "orders", "revenue_cents", "cost_cents").row(0) == (0, 0, None, None)


def test_event_counts_are_the_same_from_minutes_and_from_events(database: Database) -> None:
    expected = [("personalization_delivered", 1), ("purchase", 3), ("view_item", 2)]
    assert ask(database, "event_counts", **DAY).rows() == expected
    start = (DAY_START + timedelta(microseconds=1)).isoformat()
    assert ask(database, "event_counts", start=start, end=DAY["end"]).rows() == expected


def test_operational_minutes_have_events_by_name_and_latency_by_bucket(database: Database) -> None:
    rows = ask(database, "operational_minutes", **DAY, step_minutes=2)
    assert rows.schema == pl.Schema(
        {
            "minute": INSTANT,
            "channel": pl.String(),
            "name": pl.String(),
            "events": pl.Int64(),
            "bucket": pl.Int32(),
            "actions": pl.Int64(),
        }
    )
    named = rows.filter(pl.col("name").is_not_null()).select("minute", "channel", "name", "events").rows()
    later = NOON + timedelta(minutes=2)
    assert sorted(named, key=str) == sorted(
        [
            (NOON, "site", "personalization_delivered", 1),
            (NOON, "site", "purchase", 2),
            (NOON, "site", "view_item", 1),
            (NOON, None, "view_item", 1),
            (later, "site", "purchase", 1),
        ],
        key=str,
    )
    assert rows.filter(pl.col("bucket").is_not_null()).select("minute", "channel", "actions").rows() == [
        (NOON, "site", 1)
    ]


def test_steps_begin_at_the_minute_of_the_start(database: Database) -> None:
    start = NOON - timedelta(minutes=7, seconds=20)
    end = NOON + timedelta(minutes=8)
    rows = ask(database, "operational_minutes", start=start.isoformat(), end=end.isoformat(), step_minutes=5)
    assert set(rows["minute"]) == {NOON - timedelta(minutes=3), NOON + timedelta(minutes=2)}


def test_dead_letters_come_newest_first_up_to_the_limit(database: Database) -> None:
    letters = ask(database, "dead_letters", **DAY, limit=10)
    assert sorted(letters["code"]) == ["no_name", "too_large"]
    assert ask(database, "dead_letters", **DAY, limit=1).height == 1


def test_received_is_stored_and_duplicate_and_refused(database: Database) -> None:
    rows = ask(database, "intake", start=SHIFTED["start"], end=DAY["end"])
    assert dict(rows.group_by("outcome").agg(pl.col("events").sum()).iter_rows()) == {
        "stored": 7,
        "stored:late": 1,
        "duplicate": 1,
        "refused:no_name": 1,
        "refused:too_large": 1,
    }


def test_freshness_is_what_the_last_commit_left(database: Database) -> None:
    assert ask(database, "freshness").row(0, named=True) == {
        "last_event_at": NOON + timedelta(minutes=2),
        "last_received_at": NOON + timedelta(minutes=2, milliseconds=100),
        "processed_at": NOON,
        "position": 3,
        "derived_at": None,
    }


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("drop", {}, "no read 'drop'; there are alert_consent_parts, alert_consents, alert_event_minutes"),
        ("totals", {}, "totals takes start, end.*missing required field `start`"),
        ("totals", {"start": "yesterday", "end": DAY["end"]}, r"Invalid RFC3339.*\$.start"),
        ("totals", {"start": "2026-11-20T00:00:00", "end": DAY["end"]}, "timezone"),
        ("totals", {**DAY, "sql": "DROP TABLE events"}, "unknown field `sql`"),
        ("totals", {"start": DAY["end"], "end": DAY["start"]}, "start must lie before end"),
        ("dead_letters", {**DAY, "limit": 0}, "`int` >= 1"),
        ("dead_letters", {**DAY, "limit": "1; DROP TABLE events"}, "Expected `int`"),
        ("operational_minutes", {**DAY, "step_minutes": 0}, "`int` >= 1"),
        ("operational_minutes", {"start": "1990-01-01T00:00:00Z", "end": DAY["end"], "step_minutes": 1}, "10000 steps"),
        ("freshness", {"at": 1}, "freshness takes nothing"),
    ],
)
def test_a_wrong_question_is_told_what_is_wrong(
    database: Database, name: str, params: dict[str, Any], message: str
) -> None:
    with pytest.raises(UnknownRead, match=message):
        ask(database, name, **params)


def test_every_read_answers_an_empty_database() -> None:
    window = {"start": datetime.fromisoformat("2026-01-01T00:00:00Z").isoformat(), "end": DAY["end"]}
    extra = {"dead_letters": {"limit": 5}, "operational_minutes": {"step_minutes": 1440}}
    days = {"first": "2026-01-01", "last": "2026-01-31"}
    others: dict[str, dict[str, Any]] = {
        "alert_folded": {},
        "alert_kept": {},
        "alert_since": {},
        "freshness": {},
        "customers": {},
        "log_place": {},
        "stored_intake": {},
        "stored_events": {"after": 0, "until": 9},
        "stored_dead_letters": {"after": 0, "until": 9},
        "sequence": days | {"steps": ["add_to_cart", "purchase"]},
        "consents": {"as_of": "2026-01-01"},
        "profile_events": {"profile_id": "u:1"},
        "cohorts": {"period": "month"},
        "experiments": {},
        "experiment_history": {"experiment_id": "x"},
        **{
            f"experiment_{name}": {"experiment_id": "x", "version": "1"}
            for name in ("moments", "curve", "weeks", "exposed", "ages")
        },
        "kpis": days | {"ids": ["nps"]},
        "measures": days | {"names": ["sessions"]},
    }
    with Database.open(None) as empty:
        for name in READS:
            params = others.get(name, window | extra.get(name, {}))
            assert ask(empty, name, **params).height <= 1
