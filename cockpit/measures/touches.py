"""What a profile did or was done to: one narrow row per event that carts, messages, tickets and the like are made of.

Law: a touch depends on its event alone, so touches of a ++ b are touches of a and touches of b.
Properties are read here once, where a column of the event does not hold them; what is of the wrong kind is null.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import polars as pl

from cockpit.events.catalogue import catalogue
from cockpit.events.frame import INSTANT
from cockpit.events.money import EXACT, round_minor, to_decimal
from cockpit.measures.rollups import is_recommended, order_money

CART = ("add_to_cart", "remove_from_cart", "view_cart", "begin_checkout")
MESSAGES = tuple(f"message_{step}" for step in ("sent", "delivered", "opened", "clicked", "replied", "unsubscribed"))
TICKETS = tuple(f"support_ticket_{step}" for step in ("opened", "replied", "resolved"))
PROMOTIONS = ("view_promotion", "select_promotion")

TOUCH_SCHEMA = pl.Schema(
    {
        "day": pl.Date(),  # business day of occurred_at
        "source": pl.String(),
        "message_id": pl.String(),
        "name": pl.String(),
        "occurred_at": INSTANT,
        "profile_id": pl.String(),
        "channel": pl.String(),
        "segment": pl.String(),
        "use_case": pl.String(),
        "experience_id": pl.String(),
        "experiment_id": pl.String(),
        "variant_id": pl.String(),
        "integration": pl.String(),
        "subject": pl.String(),  # what ties the touches of one thing: cart, message, ticket ...
        "detail": pl.String(),
        "amount": pl.Int64(),
    }
)

ITEM_SCHEMA = pl.Schema(
    {
        "day": pl.Date(),
        "source": pl.String(),
        "order_key": pl.String(),
        "occurred_at": INSTANT,
        "profile_id": pl.String(),
        "channel": pl.String(),
        "segment": pl.String(),
        "item_id": pl.String(),
        "value_cents": pl.Int64(),  # price times quantity; null when unknown
    }
)

COLUMNS: dict[str, tuple[str | None, str | None]] = {
    # name: subject and detail, where a column of the event has them
    "refund": ("transaction_id", "reason"),
    "select_item": ("item_id", None),
    "personalization_delivered": ("trigger_id", "reason"),
    "personalization_clicked": ("trigger_id", "reason"),
    "experiment_viewed": ("experiment_id", None),
    "subscription_cancelled": (None, "reason"),
    "purchase": (None, "coupon"),
}
WITH_VALUE = [*CART, "purchase", "refund", "subscription_cancelled"]
PROPERTIES: dict[str, tuple[str, str | None, str | None]] = {
    # name: the properties that are subject, detail and amount
    **dict.fromkeys((*CART, "purchase"), ("cart_id", None, None)),
    **dict.fromkeys(MESSAGES, ("delivery_id", None, None)),
    **dict.fromkeys(TICKETS, ("ticket_id", "author", None)),
    **dict.fromkeys(PROMOTIONS, ("promotion_id", None, None)),
    "nps_response": ("", None, "score"),
    "consent_updated": ("purpose", None, "granted"),
    "subscription_cancelled": ("subscription_id", None, "value_cents"),
    "experiment_viewed": ("", "version", None),
}
NAMES = sorted({*COLUMNS, *PROPERTIES})
CENTS = 2
MOST_AMOUNT = 10**15
MOST_DIGITS = 15

decode = msgspec.json.Decoder(dict[str, Any]).decode


def touches(measured: pl.DataFrame, days: pl.Series, currency: str) -> pl.DataFrame:
    """TOUCH_SCHEMA of measured events with `is_order`, and the business day of each.

    Of purchases only the orders, of selected items only those of reco:* lists.
    """
    name = pl.col("name")
    chosen = measured.with_columns(day=days).filter(
        name.is_in(NAMES),
        (name != "purchase") | pl.col("is_order"),
        (name != "select_item") | is_recommended(),
    )
    if chosen.is_empty():
        return TOUCH_SCHEMA.to_frame()
    subject, detail, amount = _from_properties(chosen)
    value = order_money(currency)["value_cents"]
    return chosen.with_columns(
        subject=pl.coalesce(_from_column(0), subject),
        detail=pl.coalesce(_from_column(1), detail),
        amount=pl.coalesce(amount, pl.when(name.is_in(WITH_VALUE)).then(value)),
    ).select(pl.col(column).cast(kind) for column, kind in TOUCH_SCHEMA.items())


def order_items(orders: pl.DataFrame) -> pl.DataFrame:
    """ITEM_SCHEMA of the purchases that are orders (with day and order_key): their items that have an id."""
    currencies = orders["currency"].to_list()
    rows = [
        (row, *item)
        for row, (text, currency) in enumerate(zip(orders["properties"], currencies, strict=True))
        for item in _items(_decoded(text), catalogue().places.get(currency, CENTS))
    ]
    schema = {"row": pl.Int64, "item_id": pl.String, "value_cents": pl.Int64}
    items = pl.DataFrame(rows, schema=schema, orient="row")
    numbered = orders.drop("item_id", "value_cents").with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))
    return numbered.join(items, on="row").select(ITEM_SCHEMA.names())


def _from_column(place: int) -> pl.Expr:
    """The column that holds a touch's subject (0) or detail (1), by name."""
    found = pl.lit(None, dtype=pl.String)
    for name, columns in COLUMNS.items():
        if column := columns[place]:
            found = pl.when(pl.col("name") == name).then(column).otherwise(found)
    return found


def _from_properties(chosen: pl.DataFrame) -> tuple[pl.Series, pl.Series, pl.Series]:
    """subject, detail and amount as the properties say."""
    subjects: list[str | None] = []
    details: list[str | None] = []
    amounts: list[int | None] = []
    for name, text in zip(chosen["name"], chosen["properties"], strict=True):
        wanted = PROPERTIES.get(name)
        sent = _decoded(text) if wanted else {}
        subject, detail, amount = wanted or ("", None, None)
        subjects.append(_text(sent.get(subject)))
        details.append(_text(sent.get(detail)) if detail else None)
        amounts.append(_whole(sent.get(amount)) if amount else None)
    return (
        pl.Series(subjects, dtype=pl.String),
        pl.Series(details, dtype=pl.String),
        pl.Series(amounts, dtype=pl.Int64),
    )


def _decoded(text: str | None) -> dict[str, Any]:
    return decode(text) if text else {}


def _text(sent: object) -> str | None:
    if isinstance(sent, str):
        return sent or None
    return str(sent) if isinstance(sent, int | float) and not isinstance(sent, bool) else None


def _whole(sent: object) -> int | None:
    """A whole number, also of a boolean or of digits; None for everything else."""
    if isinstance(sent, str):
        return int(sent) if sent.isascii() and sent.isdigit() and len(sent) <= MOST_DIGITS else None
    if isinstance(sent, int | float) and sent == sent // 1 and abs(sent) <= MOST_AMOUNT:
        return int(sent)
    return None


def _items(sent: dict[str, Any], places: int) -> Iterator[tuple[str, int | None]]:
    """Id and minor units (price times quantity; None when unknown) of each item that has an id."""
    listed = first_of(sent, catalogue().properties["items"])
    for item in listed if isinstance(listed, list) else []:
        if isinstance(item, dict) and (item_id := _text(first_of(item, catalogue().items["item_id"]))):
            quantity = item.get("quantity")
            price, pieces = to_decimal(item.get("price")), to_decimal(1 if quantity is None else quantity)
            worth = None if price is None or pieces is None else EXACT.multiply(price, pieces)
            yield item_id, None if worth is None else round_minor(worth, places).cents


def first_of(sent: dict[str, Any], names: Sequence[str]) -> object:
    """The first of the names that is there."""
    return next((sent[name] for name in names if sent.get(name) is not None), None)
