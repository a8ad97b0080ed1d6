import threading

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.measures.rollups import EVENT_MEASURES, INTAKE, LATENCY_MEASURES, VISITS
from cockpit.store import compaction
from cockpit.store.compaction import PARTS, Compaction
from cockpit.store.database import Database
from cockpit.store.frames import TABLES
from tests.measures.test_rollups import facts_of, same
from tests.store.contents import contents
from tests.warehouse_events import NOON, Row, event, streams

ROLLUPS = {"event_measures": EVENT_MEASURES, "latency_measures": LATENCY_MEASURES, "visits": VISITS, "intake": INTAKE}


def intake(outcomes: list[str]) -> pl.DataFrame:
    rows = [{"began_at": NOON, "tier": 1, "source": None, "outcome": outcome, "events": 1} for outcome in outcomes]
    return pl.DataFrame(rows, schema=TABLES["intake"])


def latencies(buckets: list[int]) -> pl.DataFrame:
    rows = [
        {
            "began_at": NOON,
            "tier": 1,
            "stage": "ingest",
            "channel": None,
            "use_case": "x",
            "bucket": each,
            "actions": 1,
            "clipped": 0,
        }
        for each in buckets
    ]
    return pl.DataFrame(rows, schema=TABLES["latency_measures"])


@settings(max_examples=25)
@given(streams(), st.lists(st.sampled_from(["stored", "duplicate"])), st.lists(st.integers(-1, 2)))
def test_the_tables_merge_as_the_rollups_do(batches: list[list[Row]], outcomes: list[str], buckets: list[int]) -> None:
    with Database.open(None) as database:
        for batch in batches:
            facts = facts_of(batch)
            database.append("event_measures", EVENT_MEASURES.merge(facts))
            database.append("visits", VISITS.merge(facts))
        for outcome in outcomes:
            database.append("intake", intake([outcome]))
        for bucket in buckets:
            database.append("latency_measures", latencies([bucket]))
        merged = contents(database)
    facts = facts_of([row for batch in batches for row in batch])
    same(merged["event_measures"], EVENT_MEASURES.merge(facts))
    same(merged["visits"], VISITS.merge(facts))
    same(merged["intake"], INTAKE.merge(intake(outcomes)))
    same(merged["latency_measures"], LATENCY_MEASURES.merge(latencies(buckets)))


def test_a_table_is_merged_when_it_has_doubled_and_not_before() -> None:
    with Database.open(None) as database:
        merging = Compaction(database)
        parts = intake(["stored"] * (compaction.WORTH_IT // 2 + 1))
        database.append("intake", parts)
        assert merging.merge_grown() == []
        database.append("intake", parts)
        assert merging.merge_grown() == ["intake"]
        assert merging.merge_grown() == []
        assert contents(database)["intake"].rows() == [(NOON, 1, None, "stored", compaction.WORTH_IT + 2)]


def test_parts_that_are_written_meanwhile_are_kept() -> None:
    written = VISITS.merge(facts_of([event(str(number), profile_id=f"u:{number}") for number in range(50)]))
    with Database.open(None) as database:
        stop, rounds = threading.Event(), 0

        def merge() -> None:
            with database.cursor() as cursor:
                while not stop.is_set():
                    Compaction(cursor).merge_all()

        merging = threading.Thread(target=merge)
        merging.start()
        try:
            for rounds in range(1, 101):  # noqa: B007
                with database.transaction():
                    database.append("visits", written)
        finally:
            stop.set()
            merging.join()
        visits = contents(database)["visits"]
    assert visits.height == 50
    assert visits["events"].to_list() == [rounds] * 50


def test_every_measure_table_is_merged() -> None:
    assert set(PARTS) == {*ROLLUPS, "experiment_moments"}  # of these tests/store/test_experiments.py speaks
