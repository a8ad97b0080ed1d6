"""The columnar event. What leaves the gateway, lies in the log and becomes a row has exactly EVENT_SCHEMA."""

import io
from enum import IntFlag

import polars as pl

INSTANT: pl.DataType = pl.Datetime("us", "UTC")

EVENT_SCHEMA = pl.Schema(
    {
        "source": pl.String(),  # name of the write key
        "message_id": pl.String(),  # unique per source
        "type": pl.String(),  # track page screen identify group alias
        "name": pl.String(),  # canonical (catalogue)
        "name_sent": pl.String(),  # as the sender wrote it
        "occurred_at": INSTANT,  # by the clock rule
        "original_at": INSTANT,
        "sent_at": INSTANT,
        "received_at": INSTANT,
        "time_source": pl.String(),  # which row of the clock rule applied
        "flags": pl.Int32(),  # Flag
        "user_id": pl.String(),
        "anonymous_id": pl.String(),
        "profile_id": pl.String(),  # "u:<user_id>", before login "a:<anonymous_id>"
        "session_id": pl.String(),  # the sender's own, an attribute; Cockpit's sessions follow the 30-minute rule
        "channel": pl.String(),  # site app email push whatsapp ads social chat store crm; null when unknown
        "segment": pl.String(),
        "use_case": pl.String(),
        "experience_id": pl.String(),
        "experiment_id": pl.String(),
        "variant_id": pl.String(),
        "integration": pl.String(),
        "trigger_id": pl.String(),  # message_id of the event that caused a personalization
        "error_code": pl.String(),
        "reason": pl.String(),
        "model_version": pl.String(),
        "item_id": pl.String(),  # of the first item
        "coupon": pl.String(),
        "transaction_id": pl.String(),
        "currency": pl.String(),  # ISO 4217
        "value_cents": pl.Int64(),  # whole minor units of currency
        "cost_cents": pl.Int64(),  # cost of the goods; null when any item's cost is unknown
        "properties": pl.String(),  # the whole object, re-serialised JSON
    }
)

DEAD_LETTER_SCHEMA = pl.Schema(
    {
        "source": pl.String(),
        "received_at": INSTANT,
        "index": pl.Int32(),  # place in its frame or batch, from 0
        "message_id": pl.String(),
        "code": pl.String(),
        "message": pl.String(),
        "original": pl.Binary(),  # at most 32 KiB of what was sent
    }
)


class Flag(IntFlag):
    """What is odd about a stored event; none of these is a refusal."""

    BAD_TIMESTAMP = 1
    FUTURE = 2
    LATE = 4  # older than the lateness limit and not declared historical: quarantined, outside every measure
    BOT = 8
    PII_MASKED = 16
    VALUE_FLAGGED = 32  # not finite, unknown currency, negative or absurd: outside the measures of money
    VALUE_ROUNDED = 64
    CURRENCY_ASSUMED = 128
    NO_MESSAGE_ID = 256  # made by the gateway: a resend of it cannot be recognised
    HISTORICAL = 512
    UNPLANNED = 1024  # the catalogue does not know the name; stored under it as sent


def to_bytes(frame: pl.DataFrame) -> bytes:
    """Arrow IPC stream, zstd."""
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer, compression="zstd", compat_level=pl.CompatLevel.newest())
    return buffer.getvalue()


def from_bytes(payload: bytes) -> pl.DataFrame:
    return pl.read_ipc_stream(io.BytesIO(payload))
