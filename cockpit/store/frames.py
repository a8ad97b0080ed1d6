"""Frames in, frames out: instants are aware UTC in Polars and plain UTC TIMESTAMPs in DuckDB."""

from collections.abc import Mapping

import polars as pl
import pyarrow as pa

from cockpit.events.frame import DEAD_LETTER_SCHEMA, EVENT_SCHEMA, INSTANT
from cockpit.experiments.increments import CAP_SCHEMA, INCREMENT_SCHEMA
from cockpit.experiments.totals import EXPOSURE_SCHEMA, TOTAL_SCHEMA
from cockpit.identity.links import LINK_SCHEMA
from cockpit.measures.rollups import EVENT_MEASURES, FACT_SCHEMA, VISITS
from cockpit.measures.touches import ITEM_SCHEMA, TOUCH_SCHEMA
from cockpit.measures.triggers import LATENCY_SCHEMA, WAITING_SCHEMA

HUGE = pl.Decimal(38, 0)  # as Arrow has what DuckDB calls HUGEINT
POSITION = {"position": pl.Int64()}
DAY_OF_FAMILY = {"day": pl.Date(), "family": pl.String(), "measure": pl.String()}
DIMENSIONS = dict.fromkeys(("source", "channel", "segment", "use_case", "experience_id"), pl.String())

TABLES: Mapping[str, pl.Schema] = {
    "events": pl.Schema({**EVENT_SCHEMA, **POSITION}),
    "dead_letters": pl.Schema({**DEAD_LETTER_SCHEMA, **POSITION}),
    "event_measures": pl.Schema({name: FACT_SCHEMA[name] for name in EVENT_MEASURES.columns}),
    "latency_measures": LATENCY_SCHEMA,
    "visits": pl.Schema({name: FACT_SCHEMA[name] for name in VISITS.columns}),
    "orders": pl.Schema(
        {
            "day": pl.Date(),
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
    "order_items": ITEM_SCHEMA,
    "touches": TOUCH_SCHEMA,
    "links": LINK_SCHEMA,
    "waiting_actions": WAITING_SCHEMA,
    "identities": pl.Schema({"identifier": pl.String(), "profile_id": pl.String(), **POSITION}),
    "changed_days": pl.Schema({"day": pl.Date(), **POSITION}),
    "recomputations": pl.Schema(
        {
            "derived_at": INSTANT,
            "family": pl.String(),
            "first_day": pl.Date(),
            "last_day": pl.Date(),
            **POSITION,
        }
    ),
    "day_measures": pl.Schema({**DAY_OF_FAMILY, **DIMENSIONS, "value": pl.Int64()}),
    "day_histograms": pl.Schema({**DAY_OF_FAMILY, **DIMENSIONS, "bucket": pl.Int32(), "count": pl.Int64()}),
    "people": pl.Schema(
        {
            "day": pl.Date(),
            "days": pl.Int16(),
            "channel": pl.String(),
            "segment": pl.String(),
            "measure": pl.String(),
            "value": pl.Int64(),
        }
    ),
    "repurchases": pl.Schema(
        {
            "day": pl.Date(),
            "channel": pl.String(),
            "segment": pl.String(),
            "waited_days": pl.Int64(),
            "buyers": pl.Int64(),
        }
    ),
    "cohorts": pl.Schema({"period": pl.String(), "cohort": pl.Date(), "age": pl.Int64(), "buyers": pl.Int64()}),
    "customers": pl.Schema(
        {
            "as_of": pl.Date(),
            "segment": pl.String(),
            "rfm_class": pl.String(),
            "is_inactive": pl.Boolean(),
            "inactive_after_days": pl.Int64(),
            "buyers": pl.Int64(),
            "orders": pl.Int64(),
            "value_cents": pl.Int64(),
        }
    ),
    "experiments": pl.Schema(
        {
            **dict.fromkeys(
                ("experiment_id", "version", "status", "use_case", "control", "registration", "shares"), pl.String()
            ),
            "started_at": INSTANT,
            "stopped_at": INSTANT,
            **dict.fromkeys(("decision", "learning"), pl.String()),
        }
    ),
    "experiment_history": pl.Schema(
        {
            "number": pl.Int64(),
            "decided_at": INSTANT,
            **dict.fromkeys(("actor", "role", "experiment_id", "version", "action", "details"), pl.String()),
        }
    ),
    "experiment_rules": pl.Schema(dict.fromkeys(("experiment_id", "version", "rules"), pl.String())),
    "experiment_exposures": EXPOSURE_SCHEMA,
    "experiment_totals": TOTAL_SCHEMA,
    "experiment_moments": pl.Schema(
        {name: HUGE if kind == pl.Int128 else kind for name, kind in INCREMENT_SCHEMA.items()}
    ),
    "experiment_caps": CAP_SCHEMA,
    "intake": pl.Schema(
        {"began_at": INSTANT, "tier": pl.Int16(), "source": pl.String(), "outcome": pl.String(), "events": pl.Int64()}
    ),
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
