"""Event-to-action latency and its stages: an action finds the event that caused it, whichever of the two comes first.

Law: the match depends on the log's order only, never on the batches it is cut into. An action takes the trigger seen
before it, of its own source if there is one, else of the first source by name; if there is none it waits, and the first
event with that id, of any source, ends the wait - for at most WAIT of received time.
"""

from datetime import timedelta

import polars as pl

from cockpit.events.frame import INSTANT
from cockpit.measures.histogram import bucket_of
from cockpit.measures.rollups import LATENCY_MEASURES, MINUTE, minute_of

ACTION = "personalization_delivered"
EVENT_TO_ACTION = "event_to_action"
WAIT = timedelta(hours=24)
TRIGGER = ["trigger_at", "trigger_received_at"]
STAGES = {
    EVENT_TO_ACTION: ("trigger_at", "occurred_at"),
    "ingest": ("trigger_at", "trigger_received_at"),
    "decide": ("trigger_received_at", "occurred_at"),
    "report": ("occurred_at", "received_at"),
}

WAITING_SCHEMA = pl.Schema(
    {
        "source": pl.String(),
        "trigger_id": pl.String(),
        "occurred_at": INSTANT,
        "received_at": INSTANT,
        "channel": pl.String(),
        "use_case": pl.String(),
        "message_id": pl.String(),
    }
)

LATENCY_SCHEMA = pl.Schema(
    {
        "began_at": INSTANT,  # minute of the action
        "tier": pl.Int16(),
        "stage": pl.String(),
        "channel": pl.String(),
        "use_case": pl.String(),
        "bucket": pl.Int32(),
        "actions": pl.Int64(),
        "clipped": pl.Int64(),
    }
)


def actions_of(events: pl.DataFrame) -> pl.DataFrame:
    """WAITING_SCHEMA and `row` of the deliveries that name what caused them."""
    chosen = (pl.col("name") == ACTION) & pl.col("trigger_id").is_not_null()
    return events.lazy().filter(chosen).select("row", *WAITING_SCHEMA).collect()


def match_within(actions: pl.DataFrame, events: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Each action (`row`) with TRIGGER, null when it has to wait.

    `events` are all the batch's stored rows (row, source, message_id, occurred_at, received_at); `known` are the
    triggers that stood in the index before the batch (row of the action, trigger_source, trigger_at,
    trigger_received_at).
    """
    before = known.lazy().with_columns(trigger_row=pl.lit(-1, dtype=pl.Int64))
    found = pl.concat([before, _candidates(actions, events)], how="diagonal")
    late = pl.col("trigger_row") > pl.col("row")
    rank = (late, pl.when(late).then("trigger_row"), pl.col("trigger_source") != pl.col("source"), "trigger_source")
    ranked = found.join(actions.lazy().select("row", "source"), on="row").sort("row", *rank)
    best = ranked.group_by("row").agg(pl.col(TRIGGER).first())
    return actions.lazy().join(best, on="row", how="left").collect()


def _candidates(actions: pl.DataFrame, events: pl.DataFrame) -> pl.LazyFrame:
    triggers = _as_triggers(events).rename({"row": "trigger_row", "source": "trigger_source"})
    asked = actions.lazy().select("row", "trigger_id", "received_at")
    joined = asked.join(triggers, on="trigger_id").filter(pl.col("trigger_row") != pl.col("row"), _in_time())
    return joined.select("row", "trigger_source", "trigger_row", *TRIGGER)


def match_waiting(waiting: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """The waiting actions whose trigger is among the batch's rows, with TRIGGER."""
    if waiting.is_empty() or events.is_empty():
        return waiting.clear().with_columns(pl.lit(None, dtype=INSTANT).alias(name) for name in TRIGGER)
    triggers = _as_triggers(events).drop("source")
    joined = triggers.join(waiting.lazy(), on="trigger_id").filter(_in_time()).sort("row")
    return joined.group_by(list(WAITING_SCHEMA)).agg(pl.col(TRIGGER).first()).collect()


def _as_triggers(events: pl.DataFrame) -> pl.LazyFrame:
    return events.lazy().select(
        "row",
        "source",
        trigger_id="message_id",
        trigger_at="occurred_at",
        trigger_received_at="received_at",
    )


def _in_time() -> pl.Expr:
    return pl.col("trigger_received_at") <= pl.col("received_at") + WAIT


def latencies(matched: pl.DataFrame) -> pl.DataFrame:
    """LATENCY_MEASURES of actions with TRIGGER, by the minute of the action.

    The stages: *ingest* until the trigger was received, *decide* from there until the action, *report* until the action
    was received. A negative latency comes from skewed clocks: it counts as 0, and is counted in `clipped`.
    """
    if matched.is_empty():
        return LATENCY_SCHEMA.to_frame()
    parts = [_stage(matched, stage, begin, end) for stage, (begin, end) in STAGES.items()]
    return LATENCY_MEASURES.merge(pl.concat(parts))


def delays(events: pl.DataFrame) -> pl.DataFrame:
    """LATENCY_MEASURES of how long events took to be received: the stage `ingest_delay`, by the minute of the event."""
    return LATENCY_MEASURES.merge(_stage(events, "ingest_delay", "occurred_at", "received_at"))


def _stage(matched: pl.DataFrame, stage: str, begin: str, end: str) -> pl.DataFrame:
    took_us = pl.col(end).to_physical() - pl.col(begin).to_physical()
    return matched.select(
        "channel",
        "use_case",
        began_at=minute_of(pl.col("occurred_at")),
        tier=pl.lit(MINUTE, dtype=pl.Int16),
        stage=pl.lit(stage),
        bucket=bucket_of(took_us.clip(0)),
        actions=pl.lit(1, dtype=pl.Int64),
        clipped=(took_us < 0).cast(pl.Int64),
    )
