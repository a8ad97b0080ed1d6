import polars as pl
import pytest

from cockpit.store.database import Database
from cockpit.store.frames import to_arrow, with_utc
from tests.warehouse_events import event, frame


def test_an_event_comes_back_from_the_table_as_it_went_in() -> None:
    rows = frame([event("a", value_cents=2**53 + 1, coupon="caf\u00e9\0"), event("b", profile_id=None)])
    rows = rows.with_columns(position=pl.lit(7, dtype=pl.Int64))
    with Database.open(None) as database:
        database.append("events", rows)
        back = with_utc(pl.from_arrow(database._connection.sql("FROM cockpit.events").to_arrow_table()))
    assert back.equals(rows)
    assert back.schema == rows.schema


def test_a_column_of_another_name_is_refused() -> None:
    with pytest.raises(Exception, match="position"):
        to_arrow("events", frame([event("a")]))
