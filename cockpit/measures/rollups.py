"""Events become facts (one additive row each), facts become rollups.

Law: facts are themselves rollups of one row, so rolling up and merging are the same function and
`rollup(a ++ b) == merge(rollup(a), rollup(b))` holds for any cut of the events. Money is whole cents of one currency.
"""

from zoneinfo import ZoneInfo

import msgspec
import polars as pl

from cockpit.events.catalogue import catalogue
from cockpit.events.frame import INSTANT, Flag

ENGAGEMENT = r'"engagement_time_msec":(\d{1,15})[,}.]'
UNMEASURED = int(Flag.LATE | Flag.BOT)  # stored, outside every measure

MINUTE, HOUR, DAY = 1, 60, 1440  # tiers: the step of `began_at` in minutes; DAY is a business day of any length
SLOT_US = 30 * 60 * 1_000_000
CONTROL = "control"

FACT_SCHEMA = pl.Schema(
    {
        "day": pl.Date(),  # business day of occurred_at
        "began_at": INSTANT,  # start of the minute
        "tier": pl.Int16(),
        "slot": INSTANT,  # half-hour of occurred_at: two events of one slot are never more than a session's gap apart
        "source": pl.String(),
        "channel": pl.String(),
        "segment": pl.String(),
        "name": pl.String(),
        "use_case": pl.String(),
        "experience_id": pl.String(),
        "experiment_id": pl.String(),
        "variant_id": pl.String(),
        "integration": pl.String(),
        "error_code": pl.String(),
        "reason": pl.String(),
        "profile_id": pl.String(),
        "session_id": pl.String(),
        "is_client": pl.Boolean(),  # not made by a server
        "events": pl.Int64(),
        "orders": pl.Int64(),  # purchases, once by transaction
        "value_cents": pl.Int64(),  # of orders, in the reporting currency
        "costed_value_cents": pl.Int64(),  # the part of value_cents whose cost is known
        "cost_cents": pl.Int64(),
        "page_views": pl.Int64(),  # of pages and screens
        "item_views": pl.Int64(),
        "cart_adds": pl.Int64(),
        "checkouts": pl.Int64(),
        "reco_impressions": pl.Int64(),  # lists named reco:*
        "reco_clicks": pl.Int64(),
        "delivered": pl.Int64(),
        "messages_sent": pl.Int64(),
        "exposures": pl.Int64(),
        "control_exposures": pl.Int64(),
        "engagement_ms": pl.Int64(),
        "first_at": INSTANT,
        "last_at": INSTANT,
    }
)


class Rollup(msgspec.Struct, frozen=True):
    """What a measure table keeps of facts: one row per `keys`."""

    keys: tuple[str, ...]
    sums: tuple[str, ...]
    earliest: tuple[str, ...] = ()
    latest: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return self.keys + self.sums + self.earliest + self.latest

    def merge(self, parts: pl.DataFrame) -> pl.DataFrame:
        """One row per key of facts or of rollups that may overlap; rows in no order."""
        return parts.group_by(self.keys).agg(
            pl.col(self.sums).sum(), pl.col(self.earliest).min(), pl.col(self.latest).max()
        )


MONEY = ("orders", "value_cents", "costed_value_cents", "cost_cents")
ACTS = (
    "page_views", "item_views", "cart_adds", "checkouts", "reco_impressions", "reco_clicks", "delivered",
    "messages_sent", "exposures", "control_exposures", "engagement_ms",
)  # fmt: skip
EVENT_MEASURES = Rollup(
    (
        "began_at", "tier", "source", "channel", "segment", "name", "use_case", "experience_id", "experiment_id",
        "variant_id", "integration", "error_code", "reason",
    ),
    ("events", *MONEY),
)  # fmt: skip
VISITS = Rollup(
    ("day", "slot", "source", "channel", "segment", "profile_id", "session_id", "is_client"),
    ("events", *MONEY, *ACTS),
    ("first_at",),
    ("last_at",),
)
LATENCY_MEASURES = Rollup(("began_at", "tier", "stage", "channel", "use_case", "bucket"), ("actions", "clipped"))
INTAKE = Rollup(("began_at", "tier", "source", "outcome"), ("events",))


def measured(events: pl.DataFrame) -> pl.DataFrame:
    """Without the late and the bots: they are stored and counted apart."""
    outside = (events["flags"].to_numpy() & UNMEASURED) != 0
    return events.filter(pl.Series(~outside)) if outside.any() else events


def order_key() -> pl.Expr:
    """What makes a purchase one order: its transaction, else itself."""
    by_transaction = pl.concat_str(pl.lit("t:"), "transaction_id")
    return pl.coalesce(by_transaction, pl.concat_str(pl.lit("m:"), "message_id"))


def order_money(currency: str) -> dict[str, pl.Expr]:
    """value_cents, costed_value_cents and cost_cents of an order; null where unknown.

    A value that is flagged or in another currency than the reporting one is unknown: the order counts, its money does
    not.
    """
    sound = ((pl.col("flags") & int(Flag.VALUE_FLAGGED)) == 0) & (pl.col("currency").fill_null(currency) == currency)
    value = pl.when(sound).then("value_cents")
    cost = pl.when(value.is_not_null()).then("cost_cents")
    return {"value_cents": value, "costed_value_cents": pl.when(cost.is_not_null()).then(value), "cost_cents": cost}


def facts(events: pl.DataFrame, zone: ZoneInfo, currency: str) -> pl.DataFrame:
    """FACT_SCHEMA of measured events; `is_order` marks the purchases that count as an order."""
    is_order, name = pl.col("is_order"), pl.col("name")
    money = {column: pl.when(is_order).then(amount).fill_null(0) for column, amount in order_money(currency).items()}
    return events.select(
        day=pl.col("occurred_at").dt.convert_time_zone(zone.key).dt.date(),
        began_at=minute_of(pl.col("occurred_at")),
        tier=pl.lit(MINUTE, dtype=pl.Int16),
        slot=slot_of(pl.col("occurred_at")),
        source="source",
        channel="channel",
        segment="segment",
        name="name",
        use_case="use_case",
        experience_id="experience_id",
        experiment_id="experiment_id",
        variant_id="variant_id",
        integration="integration",
        error_code="error_code",
        reason="reason",
        profile_id="profile_id",
        session_id="session_id",
        is_client=~name.is_in(sorted(catalogue().server_side)),
        events=pl.lit(1, dtype=pl.Int64),
        orders=is_order.cast(pl.Int64),
        **money,
        **acts(),
        first_at="occurred_at",
        last_at="occurred_at",
    )


def acts() -> dict[str, pl.Expr]:
    """ACTS of events: what each contributes to the sums of its visit."""
    name, is_reco = pl.col("name"), is_recommended()
    claims = {
        "page_views": name.is_in(["page_view", "screen_view"]),
        "item_views": name == "view_item",
        "cart_adds": name == "add_to_cart",
        "checkouts": name == "begin_checkout",
        "reco_impressions": (name == "view_item_list") & is_reco,
        "reco_clicks": (name == "select_item") & is_reco,
        "delivered": name == "personalization_delivered",
        "messages_sent": name == "message_sent",
        "exposures": name == "experiment_viewed",
        "control_exposures": (name == "experiment_viewed") & (pl.col("variant_id") == CONTROL).fill_null(value=False),
    }
    engagement = pl.when(name == "user_engagement").then(pl.col("properties")).str.extract(ENGAGEMENT, 1)
    counts = {act: claim.cast(pl.Int64) for act, claim in claims.items()}
    return counts | {"engagement_ms": engagement.cast(pl.Int64, strict=False).fill_null(0)}


def is_recommended() -> pl.Expr:
    """The event's list, or that of one of its items, is named reco:*. Properties are JSON of our own writing."""
    return pl.col("properties").str.contains('"item_list_id":"reco:', literal=True).fill_null(value=False)


def slot_of(instant: pl.Expr) -> pl.Expr:
    """Start of the half-hour."""
    return (instant.to_physical() // SLOT_US * SLOT_US).cast(INSTANT)


def minute_of(instant: pl.Expr) -> pl.Expr:
    """Start of the minute."""
    minute_us = 60_000_000
    return (instant.to_physical() // minute_us * minute_us).cast(INSTANT)


def intake_of(rows: pl.DataFrame) -> pl.DataFrame:
    """INTAKE of rows with received_at, source and outcome."""
    minute, events = minute_of(pl.col("received_at")), pl.len().cast(pl.Int64).alias("events")
    tier = pl.lit(MINUTE, dtype=pl.Int16).alias("tier")
    return rows.group_by(minute.alias("began_at"), tier, "source", "outcome").agg(events)
