from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from ingest.warehouse.batch import BatchReader
from tests.warehouse_events import NOON, ListLog, Row, draft, event, refusal, refusals


def filled(sizes: list[int]) -> ListLog:
    log = ListLog()
    for size in sizes:
        first = sum(entry.rows for entry in log.entries)
        log.append([draft([event(str(first + row)) for row in range(size)])], NOON)
    return log


@given(st.lists(st.integers(1, 9), max_size=20), st.integers(1, 12))
def test_every_row_is_handed_out_once_in_order_in_batches_of_whole_entries(sizes: list[int], most: int) -> None:
    log, found = filled(sizes), []
    reader = BatchReader(log, 0, most_rows=most)
    while (batch := reader.next()) is not None:
        assert batch.events.height <= most or batch.events["position"].n_unique() == 1
        assert batch.events["position"].max() == batch.position
        assert batch.events["row"].to_list() == list(range(batch.events.height))
        found += batch.events["message_id"].to_list()
    assert found == [str(row) for row in range(sum(sizes))]


def test_reading_goes_on_behind_a_position_and_with_what_comes_later() -> None:
    log = filled([1, 1])
    reader = BatchReader(log, 1)
    first = reader.next()
    assert first is not None
    assert (first.position, first.events["message_id"].to_list()) == (2, ["1"])
    assert reader.next() is None
    log.append([draft([event("later")])], NOON)
    second = reader.next()
    assert second is not None
    assert second.events["message_id"].to_list() == ["later"]


def test_a_batch_ends_where_the_received_day_does() -> None:
    midnight = NOON.replace(hour=0) + timedelta(days=1)
    log = ListLog()
    for at in (midnight - timedelta(seconds=2), midnight, midnight + timedelta(seconds=1)):
        log.append([draft([event(str(at), received_at=at)])], NOON)
    reader = BatchReader(log, 0)
    sizes = []
    while (batch := reader.next()) is not None:
        sizes.append(batch.size)
    assert sizes == [1, 2]


def test_dead_letters_keep_their_position() -> None:
    log = ListLog()
    rows: list[Row] = [refusal("no_name")]
    log.append([draft([event("a")]), refusals(rows)], NOON)
    batch = BatchReader(log, 0).next()
    assert batch is not None
    assert batch.dead_letters.select("code", "position").rows() == [("no_name", 2)]
    assert batch.size == 2
