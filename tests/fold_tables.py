"""Parts as folds take them, made by hand or at random, and folds run on Polars and on DuckDB, which must agree."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import narwhals as nw
import polars as pl
from polars.testing import assert_frame_equal

from cockpit.measures.touches import TOUCH_SCHEMA
from cockpit.sessions import VISIT_SUMS

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 24 * 3600 * SECOND
FIRST_DAY = date(2026, 11, 20)
MIDNIGHT = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp()) * SECOND

Frame = nw.LazyFrame[Any]
Row = Mapping[str, Any]

TOUCHES = pl.Schema({name: pl.Int64() if name == "occurred_at" else kind for name, kind in TOUCH_SCHEMA.items()})
VISITS = pl.Schema(
    {"day": pl.Date(), **dict.fromkeys(("source", "channel", "segment", "profile_id", "session_id"), pl.String())}
    | {"is_client": pl.Boolean(), **dict.fromkeys((*VISIT_SUMS, "first_at", "last_at"), pl.Int64())}
)
_ORDER_TEXTS = ("source", "order_key", "message_id", "transaction_id", "profile_id", "channel", "segment", "coupon")
_ORDER_NUMBERS = ("occurred_at", "value_cents", "costed_value_cents", "cost_cents")
ORDERS = pl.Schema(
    {"day": pl.Date(), **dict.fromkeys(_ORDER_TEXTS, pl.String()), **dict.fromkeys(_ORDER_NUMBERS, pl.Int64())}
)
_ITEM_TEXTS = ("source", "order_key", "profile_id", "channel", "segment", "item_id")
ITEMS = pl.Schema(
    {"day": pl.Date(), **dict.fromkeys(_ITEM_TEXTS, pl.String())}
    | {"occurred_at": pl.Int64(), "value_cents": pl.Int64()}
)
SCHEMAS = {"touches": TOUCHES, "visits": VISITS, "orders": ORDERS, "order_items": ITEMS}
_connection = duckdb.connect()


def day_of(at: int) -> date:
    """The day of an instant, counted from MIDNIGHT; for these tests the business is in Greenwich."""
    return FIRST_DAY + timedelta(days=at // DAY)


def touch(name: str, at: int = 0, **columns: Any) -> Row:
    """A touch of u:1 on the site; instants are microseconds after MIDNIGHT."""
    message_id = columns.pop("message_id", f"{name}-{at}")
    common = {"day": day_of(at), "source": "shop", "message_id": message_id, "name": name, "occurred_at": MIDNIGHT + at}
    return {**common, "profile_id": "u:1", "channel": "site", "segment": "new", **columns}


def visit(first: int, last: int | None = None, **columns: Any) -> Row:
    """A stretch of u:1 on the site, of one event unless told otherwise."""
    instants = {"first_at": MIDNIGHT + first, "last_at": MIDNIGHT + (first if last is None else last)}
    sums = {**dict.fromkeys(VISIT_SUMS, 0), "events": 1}
    common = {"day": day_of(first), "source": "shop", "profile_id": "u:1", "session_id": "s", "is_client": True}
    return {**common, "channel": "site", "segment": "new", **sums, **instants, **columns}


def order(key: str, at: int = 0, cents: int | None = 1000, **columns: Any) -> Row:
    """An order of u:1 on the site, its transaction is its key."""
    common = {"day": day_of(at), "source": "shop", "order_key": key, "message_id": key, "transaction_id": key}
    money = {"value_cents": cents, "occurred_at": MIDNIGHT + at}
    return {**common, **money, "profile_id": "u:1", "channel": "site", "segment": "new", **columns}


def item(item_id: str, at: int = 0, cents: int | None = 500, **columns: Any) -> Row:
    """An item that u:1 bought on the site."""
    common = {"day": day_of(at), "source": "shop", "order_key": f"o-{at}", "occurred_at": MIDNIGHT + at}
    about = {"profile_id": "u:1", "channel": "site", "segment": "new", "item_id": item_id, "value_cents": cents}
    return {**common, **about, **columns}


def table(name: str, rows: Iterable[Row]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMAS[name])


def touches(*rows: Row) -> pl.DataFrame:
    return table("touches", rows)


def on_polars(fold: Callable[..., Frame], *frames: pl.DataFrame) -> pl.DataFrame:
    """What the fold gives, computed by Polars."""
    lazy = [nw.from_native(frame.lazy()) for frame in frames]
    return nw.to_native(fold(*lazy)).collect()  # type: ignore[no-any-return]  # Narwhals does not know its backend


def on_duckdb(fold: Callable[..., Frame], *frames: pl.DataFrame) -> pl.DataFrame:
    """What the fold gives, computed by DuckDB."""
    for place, frame in enumerate(frames):
        _connection.register(f"frame_{place}", frame.to_arrow())
    relations = [nw.from_native(_connection.table(f"frame_{place}")) for place in range(len(frames))]
    return nw.to_native(fold(*relations)).pl()  # type: ignore[no-any-return]  # Narwhals does not know its backend


def folded(fold: Callable[..., Frame], *frames: pl.DataFrame) -> pl.DataFrame:
    """What the fold gives, on both."""
    found = on_polars(fold, *frames)
    same(on_duckdb(fold, *frames), found)
    return found


def same(left: pl.DataFrame, right: pl.DataFrame) -> None:
    """Equal but for the order of rows and columns."""
    assert set(left.columns) == set(right.columns)
    assert_frame_equal(left, right, check_row_order=False, check_column_order=False)


def totals(measures: pl.DataFrame) -> dict[str, int]:
    """The measures that are not 0, summed over days and dimensions."""
    numbers = measures.select(pl.selectors.integer())
    return {name: total for name in numbers.columns if (total := int(numbers[name].sum()))}


def shuffled(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    return frame.sample(fraction=1, shuffle=True, seed=seed)


PERSONALIZATION = ("personalization_delivered", "personalization_clicked")
GROUPS = (  # names whose touches meet
    ("add_to_cart", "add_to_cart", "remove_from_cart", "view_cart", "begin_checkout", "purchase", "message_sent"),
    ("add_to_cart", "purchase", "message_sent"),
    ("add_to_cart", "purchase"),
    ("select_item", "purchase", "refund", "subscription_cancelled"),
    ("view_promotion", "select_promotion"),
    PERSONALIZATION,
    (
        *(f"message_{step}" for step in ("sent", "delivered", "opened", "clicked", "replied", "unsubscribed")),
        "purchase",
    ),
    tuple(f"support_ticket_{step}" for step in ("opened", "replied", "replied", "replied", "resolved")),
    ("nps_response", "consent_updated", "experiment_viewed"),
)
OFFSETS = (0, 1, MINUTE, HOUR, 23 * HOUR, DAY, DAY + 1, 3 * DAY, 5 * DAY)


def busy(seed: int, episodes: int = 450, days: int = 40) -> dict[str, pl.DataFrame]:
    """All tables full of meetings: few profiles, few things, and what belongs together within days."""
    rng = random.Random(seed)
    rows = episodes * 5

    def instant() -> int:
        return rng.randrange(days * 24) * HOUR + rng.choice([0, 0, 1, MINUTE, 31 * MINUTE])

    def about() -> dict[str, Any]:
        return {
            "source": rng.choice(["shop", "crm"]),
            "profile_id": f"{rng.choice('uaep')}:{rng.randrange(5)}",
            "channel": rng.choice(["site", "email", None]),
            "segment": rng.choice(["new", None]),
        }

    def episode(place: int) -> Iterator[Row]:
        group, begun, common = GROUPS[place % len(GROUPS)], instant(), about()
        offsets = OFFSETS[:-2] if group == PERSONALIZATION else OFFSETS
        subject = rng.choice([None, *"123"]) if group in GROUPS[:5] else f"{place}"
        for part in range(rng.randrange(8)):
            yield touch(
                rng.choice(group), begun + rng.choice(offsets), message_id=f"m-{place}-{part}", **common,
                use_case=rng.choice(["cart", "churn", None]), experience_id=rng.choice(["x", None]), subject=subject,
                detail=rng.choice(["bot", "bot", "agent", "agent", "customer", "payment"]),
                amount=rng.choice([0, 1, 6, 7, 9, 11, None]),
            )  # fmt: skip

    def visited(place: int) -> Row:
        first = instant()
        sums = {name: rng.choice([0, 0, 1, 2]) for name in VISIT_SUMS}
        last = first + rng.choice([0, 0, 9 * SECOND, 11 * SECOND, 31 * MINUTE]) * (first % DAY < 23 * HOUR)
        return visit(first, last, is_client=rng.random() < 0.8, **about(), **sums, session_id=f"s-{place % 3}")

    def ordered(place: int) -> Row:
        money = rng.choice([{}, {"costed_value_cents": 1000, "cost_cents": rng.choice([600, 1100])}])
        return order(
            f"{place}", instant(), rng.choice([None, 1000, 2500]), **about(), **money,
            coupon=rng.choice([None, "TEN"]), transaction_id=rng.choice([None, f"{place}"]),
        )  # fmt: skip

    def bought() -> Row:
        return item(rng.choice("123"), instant(), rng.choice([None, 500]), **about())

    return {
        "touches": table("touches", (row for place in range(episodes) for row in episode(place))),
        "visits": table("visits", map(visited, range(rows))),
        "orders": table("orders", map(ordered, range(rows // 5))),
        "order_items": table("order_items", (bought() for _ in range(rows // 5))),
    }
