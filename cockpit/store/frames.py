"""Frames in, frames out: instants are aware UTC in Polars and plain UTC TIMESTAMPs in DuckDB."""

from collections.abc import Mapping

import polars as pl
import pyarrow as pa

from cockpit.events.frame import DEAD_LETTER_SCHEMA, EVENT_SCHEMA, INSTANT
from cockpit.measures.rollups import FACT_SCHEMA, MINUTE_MEASURES, VISITS
from cockpit.measures.triggers import LATENCY_SCHEMA, WAITING_SCHEMA

POSITION = {"position": pl.Int64()}

TABLES: Mapping[str, pl.Schema] = {
    "events": pl.Schema({**EVENT_SCHEMA, **POSITION}),
    "dead_letters": pl.Schema({**DEAD_LETTER_SCHEMA, **POSITION}),
    "minute_measures": pl.Schema({name: FACT_SCHEMA[name] for name in MINUTE_MEASURES.columns}),
    "latency_measures": LATENCY_SCHEMA,
    "visits": pl.Schema({name: FACT_SCHEMA[name] for name in VISITS.columns}),
    "orders": pl.Schema(
        {
            "source": pl.String(),
            "order_key": pl.String(),
            "message_id": pl.String(),
            "transaction_id": pl.String(),
            "occurred_at": INSTANT,
            "received_at": INSTANT,
            "profile_id": pl.String(),
            "session_id": pl.String(),
            "channel": pl.String(),
            "segment": pl.String(),
            "coupon": pl.String(),
            "currency": pl.String(),
            "value_cents": pl.Int64(),
            "costed_value_cents": pl.Int64(),
            "cost_cents": pl.Int64(),
            "position": pl.Int64(),
        }
    ),
    "waiting_actions": WAITING_SCHEMA,
    "intake": pl.Schema({"minute": INSTANT, "source": pl.String(), "outcome": pl.String(), "events": pl.Int64()}),
    "progress": pl.Schema(
        {
            "log_epoch": pl.String(),
            "position": pl.Int64(),
            "time_zone": pl.String(),
            "currency": pl.String(),
            "last_event_at": INSTANT,
            "last_received_at": INSTANT,
            "processed_at": INSTANT,
        }
    ),
}


def to_arrow(table: str, rows: pl.DataFrame) -> pa.Table:
    """The table's columns of `rows`, as DuckDB takes them."""
    columns = (
        pl.col(name).dt.replace_time_zone(None) if kind == INSTANT else pl.col(name)
        for name, kind in TABLES[table].items()
    )
    return rows.select(columns).to_arrow(compat_level=pl.CompatLevel.newest())


def with_utc(rows: pl.DataFrame | pl.Series) -> pl.DataFrame:
    """As Cockpit's frames have them."""
    assert isinstance(rows, pl.DataFrame)
    return rows.with_columns(pl.col(pl.Datetime).dt.cast_time_unit("us").dt.replace_time_zone("UTC"))
