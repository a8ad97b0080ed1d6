from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.measures.rollups import DAY, EVENT_MEASURES, HOUR, MINUTE
from cockpit.measures.triggers import delays
from cockpit.store.compaction import Compaction
from cockpit.store.database import Database
from cockpit.store.tiers import Ages, coarsen
from tests.measures.test_rollups import facts_of
from tests.warehouse_events import NOON, event, frame, purchase

ZONE = ZoneInfo("America/Sao_Paulo")
AGES = Ages(timedelta(hours=48), timedelta(days=90))


def stored(database: Database) -> pl.DataFrame:
    Compaction(database).merge_all()
    return database.select("live_minutes", {"since": datetime(2000, 1, 1)})  # noqa: DTZ001 - as the tables have instants


def tiers(database: Database) -> list[tuple[datetime, int]]:
    rows = database._connection.sql("SELECT began_at, tier FROM cockpit.event_measures ORDER BY ALL").fetchall()
    return [(at.replace(tzinfo=UTC), tier) for at, tier in rows]


def with_events(*instants: datetime) -> Database:
    database = Database.open(None)
    rows = [event(str(place), at=at) for place, at in enumerate(instants)]
    database.append("event_measures", EVENT_MEASURES.merge(facts_of(rows)))
    return database


def test_minutes_become_hours_and_hours_become_business_days_with_age() -> None:
    young, old, oldest = NOON, NOON - timedelta(days=3, minutes=17), NOON - timedelta(days=100)
    with with_events(young, old, oldest) as database:
        coarsen(database, ZONE, AGES, NOON)
        midnight = (oldest - timedelta(hours=12)).replace(minute=0)
        assert tiers(database) == [(midnight, DAY), (old.replace(minute=0), HOUR), (young, MINUTE)]


def test_latencies_go_from_the_minute_to_the_business_day() -> None:
    with with_events(NOON - timedelta(days=3)) as database:
        rows = delays(frame([event("a", at=NOON - timedelta(days=3)), event("b", at=NOON)]))
        database.append("latency_measures", rows)
        coarsen(database, ZONE, AGES, NOON)
        found = database._connection.sql("SELECT began_at, tier FROM cockpit.latency_measures ORDER BY ALL").fetchall()
    midnight = (NOON - timedelta(days=3, hours=12)).replace(tzinfo=None)
    assert found == [(midnight, DAY), (NOON.replace(tzinfo=None), MINUTE)]


def test_a_day_is_coarsened_as_a_whole_or_not_at_all() -> None:
    # 47 hours ago is the day before yesterday's 13:00; that day is two days old only when its midnight is.
    with with_events(NOON - timedelta(hours=47), NOON - timedelta(hours=59)) as database:
        coarsen(database, ZONE, AGES, NOON)
        assert {tier for _, tier in tiers(database)} == {MINUTE}


def test_what_comes_in_late_is_coarsened_the_next_time() -> None:
    old = NOON - timedelta(days=5)
    with with_events(old) as database:
        assert coarsen(database, ZONE, AGES, NOON) == 1
        assert coarsen(database, ZONE, AGES, NOON) == 0
        late = facts_of([event("late", at=old + timedelta(minutes=3))])
        database.append("event_measures", EVENT_MEASURES.merge(late))
        assert coarsen(database, ZONE, AGES, NOON) == 1
        assert stored(database)["events"].to_list() == [2]


@settings(max_examples=20)
@given(st.lists(st.integers(0, 200 * 24 * 60), min_size=1, max_size=12), st.integers(1, 100))
def test_coarsening_changes_no_sum_of_a_business_day(minutes: list[int], cents: int) -> None:
    rows = [purchase(str(place), cents, at=NOON - timedelta(minutes=ago)) for place, ago in enumerate(minutes)]

    def days(database: Database) -> pl.DataFrame:
        day = pl.col("began_at").dt.convert_time_zone(ZONE.key).dt.date()
        return stored(database).group_by(day.alias("day")).agg(pl.col("events", "value_cents").sum()).sort("day")

    with Database.open(None) as database:
        database.append("event_measures", EVENT_MEASURES.merge(facts_of(rows)))
        before = days(database)
        coarsen(database, ZONE, AGES, NOON)
        assert days(database).equals(before)
