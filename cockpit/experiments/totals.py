"""Who was exposed to what first, and what each did since: exposures and totals, from the parts of whole profiles.

Laws: both depend on the profile's own parts and on the rules alone, never on their order; a profile that is computed
again is replaced whole, so late events, merges and refunds need no case of their own. Instants are microseconds.
Source: statistics.md sections 3 and 4.
"""

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

import msgspec
import narwhals as nw
import polars as pl

from cockpit.experiments.metrics import TOTALS
from cockpit.experiments.registration import EVERYTHING
from cockpit.experiments.rules import Rules
from cockpit.measures.following import DAY_US, collected
from cockpit.sessions import sessions

VERSION = ("experiment_id", "version")
KEY = (*VERSION, "profile_id")
UNVERSIONED = "1"  # of views that name no version
TOUCHED = (
    "experiment_viewed", "refund", "message_unsubscribed", "subscription_cancelled", "nps_response",
    "personalization_delivered",
)  # fmt: skip
PROMOTER, PASSIVE, BEST = 9, 7, 10  # scores of the NPS question from which on it is one

EXPOSURE_SCHEMA = pl.Schema(
    {
        **dict.fromkeys(KEY, pl.String()),
        "variant_id": pl.String(),
        "day": pl.Date(),  # business day of the first exposure
        "first_exposed_us": pl.Int64(),
        "epoch": pl.Int64(),  # of the planned shares
        "segment": pl.String(),  # these two as of the first exposure
        "channel": pl.String(),
        "watched_days": pl.Int64(),  # whole times 24 h until the version ended; null: it has not
        "is_mixed": pl.Boolean(),  # seen in two variants: in no moment
        "is_contaminated": pl.Boolean(),  # of the control, and yet personalized
        "was_buyer": pl.Boolean(),
        "pre_orders": pl.Int64(),
        "pre_value_cents": pl.Int64(),
        "pre_sessions": pl.Int64(),
    }
)
TOTAL_SCHEMA = pl.Schema(
    {
        **dict.fromkeys(KEY, pl.String()),
        "day": pl.Date(),
        "age_days": pl.Int64(),  # whole times 24 h since the first exposure
        **dict.fromkeys(TOTALS, pl.Int64()),
    }
)

RULED = pl.Schema(
    {
        **dict.fromkeys(VERSION, pl.String()),
        "since_us": pl.Int64(),
        "until_us": pl.Int64(),  # null: still open
        "epoch": pl.Int64(),
        "control": pl.String(),
        "ruled_use_case": pl.String(),
        "lookback_us": pl.Int64(),
        "ends_us": pl.Int64(),
        "treatments_move": pl.Boolean(),
    }
)


class Parts(msgspec.Struct, frozen=True):
    """All orders, visits and TOUCHED touches of some profiles, as `fold_*` reads them: instants in microseconds."""

    touches: pl.DataFrame
    orders: pl.DataFrame
    visits: pl.DataFrame


class Folded(msgspec.Struct, frozen=True):
    """EXPOSURE_SCHEMA, one row per version and profile; TOTAL_SCHEMA of those that did something."""

    exposures: pl.DataFrame
    totals: pl.DataFrame


def folded(parts: Parts, rules: Mapping[tuple[str, str], Rules], zone: ZoneInfo) -> Folded:
    """Versions that no rules are given for have the defaults."""
    views = views_of(parts.touches)
    ruled = _ruled(views, rules)
    exposed = _exposed(views, ruled)
    made = sessions(nw.from_native(parts.visits.lazy()))
    visited = _with_orders(collected(made).select("profile_id", "source", "first_at", "last_at"), parts.orders)
    exposures = exposed.join(_before(exposed, parts.orders, visited), on=KEY, how="left").join(
        _contaminated(exposed, parts.touches), on=KEY, how="left"
    )
    filled = exposures.with_columns(
        pl.col("pre_orders", "pre_value_cents", "pre_sessions").fill_null(0),
        pl.col("was_buyer", "is_contaminated").fill_null(value=False),
        watched_days=(pl.col("ends_us") - pl.col("first_exposed_us")) // DAY_US,
    )
    return Folded(filled.select(EXPOSURE_SCHEMA.names()), _totals(exposed, parts, visited, zone))


def views_of(touches: pl.DataFrame) -> pl.DataFrame:
    """The touches that show somebody a variant, with `experiment_id` and `version`."""
    viewed = touches.filter(
        pl.col("name") == "experiment_viewed",
        pl.all_horizontal(pl.col("profile_id", "subject", "variant_id").is_not_null()),
    )
    return viewed.with_columns(experiment_id="subject", version=pl.col("detail").fill_null(UNVERSIONED))


def _ruled(views: pl.DataFrame, rules: Mapping[tuple[str, str], Rules]) -> pl.DataFrame:
    """RULED of the versions that were seen: a row per stretch with enrolment and with the same planned shares."""
    seen = views.select(VERSION).unique().iter_rows()
    versions = [rules.get((experiment_id, version)) or Rules(experiment_id, version) for experiment_id, version in seen]
    rows = [
        (rule.experiment_id, rule.version, since, until, epoch, rule.control, rule.use_case,
         rule.lookback_days * DAY_US, rule.ends_us, rule.treatments_move)
        for rule in versions
        for since, until, epoch in _stretches(rule)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=RULED, orient="row")


def _stretches(rule: Rules) -> Iterator[tuple[int, int | None, int]]:
    """Enrolment spans cut where the planned shares changed: from, until, epoch."""
    starts = (0, *rule.epochs_us)
    ends = (*rule.epochs_us, None)
    for since, until in rule.enrolment:
        for epoch, (start, end) in enumerate(zip(starts, ends, strict=True)):
            first, last = max(since, start), _earlier(until, end)
            if last is None or first < last:
                yield first, last, epoch


def _earlier(one: int | None, another: int | None) -> int | None:
    """The first of two ends; None is no end."""
    return min((end for end in (one, another) if end is not None), default=None)


def _exposed(views: pl.DataFrame, ruled: pl.DataFrame) -> pl.DataFrame:
    """The first view of each profile that enrols it, with its version's rules and `is_mixed`."""
    at = pl.col("occurred_at")
    is_enrolled = (at >= pl.col("since_us")) & _before_end("until_us") & _before_end("ends_us")
    ordered = views.join(ruled, on=VERSION).filter(is_enrolled).sort("occurred_at", "variant_id", "segment", "channel")
    first = ordered.unique(KEY, keep="first", maintain_order=True).select(
        *KEY, "variant_id", "day", "segment", "channel", "epoch", "control", "ruled_use_case", "lookback_us", "ends_us",
        "treatments_move",
        first_exposed_us="occurred_at",
    )  # fmt: skip
    return first.join(_mixed(views, first), on=KEY, how="left")


def _before_end(end: str) -> pl.Expr:
    return pl.col(end).is_null() | (pl.col("occurred_at") < pl.col(end))


def _mixed(views: pl.DataFrame, first: pl.DataFrame) -> pl.DataFrame:
    """Who was seen in two variants; where treatments move, in the control and in another."""
    later = _since(views.select(*KEY, "occurred_at", seen="variant_id"), first, KEY)
    is_control = pl.col("seen") == pl.col("control")
    told_apart = pl.when("treatments_move").then(is_control.cast(pl.String)).otherwise("seen")
    return later.group_by(KEY).agg(is_mixed=told_apart.n_unique() > 1)


def _since(rows: pl.DataFrame, exposed: pl.DataFrame, on: tuple[str, ...] = ("profile_id",)) -> pl.DataFrame:
    """Rows with each exposure of their profile that they lie in: from the first view on, before the version's end."""
    return rows.join(exposed, on=on).filter(pl.col("occurred_at") >= pl.col("first_exposed_us"), _before_end("ends_us"))


def _before(exposed: pl.DataFrame, orders: pl.DataFrame, visited: pl.DataFrame) -> pl.DataFrame:
    """What profiles did before their first exposure; none for who did nothing."""
    at, first = pl.col("occurred_at"), pl.col("first_exposed_us")
    done = pl.concat(
        [
            orders.select("profile_id", "occurred_at", "value_cents", kind=pl.lit("order")),
            visited.select("profile_id", occurred_at="first_at", kind=pl.lit("session")),
        ],
        how="diagonal",
    )
    earlier = done.join(exposed.select(*KEY, "first_exposed_us", "lookback_us"), on="profile_id").filter(at < first)
    is_near, is_order = at >= first - pl.col("lookback_us"), pl.col("kind") == "order"
    return earlier.group_by(KEY).agg(
        was_buyer=is_order.any(),
        pre_orders=(is_near & is_order).sum().cast(pl.Int64),
        pre_value_cents=pl.col("value_cents").filter(is_near).sum(),
        pre_sessions=(is_near & ~is_order).sum().cast(pl.Int64),
    )


def _contaminated(exposed: pl.DataFrame, touches: pl.DataFrame) -> pl.DataFrame:
    of_control = exposed.filter(pl.col("variant_id") == pl.col("control"), pl.col("ruled_use_case").is_not_null())
    delivered = touches.filter(pl.col("name") == "personalization_delivered")
    reached = _since(delivered.select("profile_id", "occurred_at", "use_case"), of_control)
    of_concern = (pl.col("ruled_use_case") == EVERYTHING) | (pl.col("use_case") == pl.col("ruled_use_case"))
    return reached.filter(of_concern).select(KEY).unique().with_columns(is_contaminated=pl.lit(value=True))


def _with_orders(made: pl.DataFrame, orders: pl.DataFrame) -> pl.DataFrame:
    """Sessions with the instants of the orders in them, as a list."""
    sessions_in_time = made.sort("first_at")
    placed = orders.select("profile_id", "source", ordered_at="occurred_at").sort("ordered_at")
    found = placed.join_asof(
        sessions_in_time, left_on="ordered_at", right_on="first_at", by=("profile_id", "source"), strategy="backward",
        check_sortedness=False,
    ).filter(pl.col("ordered_at") <= pl.col("last_at"))  # fmt: skip
    listed = found.group_by("profile_id", "source", "first_at").agg("ordered_at")
    return made.join(listed, on=["profile_id", "source", "first_at"], how="left")


def _totals(exposed: pl.DataFrame, parts: Parts, visited: pl.DataFrame, zone: ZoneInfo) -> pl.DataFrame:
    keys = exposed.select(*KEY, "first_exposed_us", "ends_us")
    rows = [_since(some, keys) for some in (_of_orders(parts.orders), *_of_touches(parts.touches))]
    done = pl.concat([*rows, _of_sessions(visited, keys)], how="diagonal")
    absent = [pl.lit(0, dtype=pl.Int64).alias(name) for name in TOTALS if name not in done.columns]
    dated = done.with_columns(
        *absent,
        day=pl.from_epoch("occurred_at", "us").dt.replace_time_zone("UTC").dt.convert_time_zone(zone.key).dt.date(),
        age_days=(pl.col("occurred_at") - pl.col("first_exposed_us")) // DAY_US,
    )
    sums = dated.group_by(*KEY, "day", "age_days").agg(pl.col(TOTALS).fill_null(0).sum().cast(pl.Int64))
    return sums.filter(pl.any_horizontal(pl.col(TOTALS) != 0)).select(TOTAL_SCHEMA.names())


def _of_orders(orders: pl.DataFrame) -> pl.DataFrame:
    one = pl.lit(1, dtype=pl.Int64)
    return orders.select("profile_id", "occurred_at", "value_cents", "costed_value_cents", "cost_cents", orders=one)


def _of_touches(touches: pl.DataFrame) -> list[pl.DataFrame]:
    """Each kind with the totals that it adds to."""
    one, amount = pl.lit(1, dtype=pl.Int64), pl.col("amount")
    is_answer = amount.is_between(0, BEST)
    return [
        touches.filter(pl.col("name") == name).select("profile_id", "occurred_at", **adds)
        for name, adds in {
            "refund": {"refund_cents": amount},
            "message_unsubscribed": {"unsubscribes": one},
            "subscription_cancelled": {"cancellations": one},
            "nps_response": {
                "responses": is_answer.cast(pl.Int64),
                "promoters": (is_answer & (amount >= PROMOTER)).cast(pl.Int64),
                "detractors": (is_answer & (amount < PASSIVE)).cast(pl.Int64),
            },
        }.items()
    ]


def _of_sessions(visited: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """A session that was under way at the first exposure counts, from then on."""
    first = pl.col("first_exposed_us")
    met = visited.join(keys, on="profile_id").filter(pl.col("last_at") >= first).with_row_index("met")
    counted = met.with_columns(
        occurred_at=pl.max_horizontal("first_at", first),
        sessions=pl.lit(1, dtype=pl.Int64),
        returns=(pl.col("first_at") > first).cast(pl.Int64),
    ).filter(_before_end("ends_us"))
    ordered = counted.select("met", *keys.columns, occurred_at="ordered_at").explode("occurred_at", keep_nulls=False)
    converting = ordered.filter(pl.col("occurred_at") >= first, _before_end("ends_us")).select("met").unique()
    converted = counted.join(
        converting.with_columns(converted_sessions=pl.lit(1, dtype=pl.Int64)), on="met", how="left"
    )
    return converted.drop("ordered_at", "met", "first_at", "last_at", "source")
