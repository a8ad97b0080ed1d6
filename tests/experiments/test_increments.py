from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.experiments.increments import (
    EXPOSED,
    GROUP,
    INCREMENT_SCHEMA,
    PLACE,
    SINCE_START,
    WEEK,
    added,
    capped,
    caps_of,
    changes,
    increments,
)
from cockpit.experiments.metrics import METRICS, TOTALS, Kind, Metric
from cockpit.experiments.moments import SUMS, Moments
from cockpit.experiments.totals import EXPOSURE_SCHEMA, KEY, TOTAL_SCHEMA, Folded, folded
from tests.experiments.meetings import RULES, meetings
from tests.fold_tables import FIRST_DAY, Row, same

GREENWICH = ZoneInfo("Etc/GMT")
LAST = date.max


def exposed(profile_id: str = "u:1", **columns: Any) -> Row:
    """On the first day to the variant `new`, without a past."""
    flags = dict.fromkeys(("is_mixed", "is_contaminated", "was_buyer"), False)
    past = dict.fromkeys(("pre_orders", "pre_value_cents", "pre_sessions"), 0)
    common = {"experiment_id": "x", "version": "1", "profile_id": profile_id, "variant_id": "new", "day": FIRST_DAY}
    return {
        **common,
        "first_exposed_us": 0,
        "epoch": 0,
        "segment": "vip",
        "channel": "site",
        **flags,
        **past,
        **columns,
    }


def did(profile_id: str = "u:1", days: int = 0, **totals: int) -> Row:
    """Totals of a profile, so many days after the first one."""
    common = {"experiment_id": "x", "version": "1", "profile_id": profile_id, "day": FIRST_DAY + timedelta(days)}
    return {**common, "age_days": days, **dict.fromkeys(TOTALS, 0), **totals}


def increments_of(*rows: Row) -> pl.DataFrame:
    exposures = pl.DataFrame([row for row in rows if "variant_id" in row], schema=EXPOSURE_SCHEMA)
    return increments(exposures, pl.DataFrame([row for row in rows if "orders" in row], schema=TOTAL_SCHEMA))


def moments(found: pl.DataFrame, metric: str, scope: str = SINCE_START, until: date = LAST) -> Moments:
    chosen = found.filter(metric=metric, scope=scope).filter(pl.col("day") <= until)
    return Moments(*(int(chosen[name].sum()) for name in SUMS))


def test_squares_are_of_the_profile_not_of_its_days() -> None:
    found = increments_of(exposed(), did(days=0, value_cents=3, orders=1), did(days=2, value_cents=4, orders=1))
    assert moments(found, "revenue_per_profile", until=FIRST_DAY) == Moments(n=1, nonzero=1, y=3, yy=9)
    assert moments(found, "revenue_per_profile") == Moments(n=1, nonzero=1, y=7, yy=49)
    assert moments(found, "aov") == Moments(n=1, nonzero=1, y=7, z=2, yy=49, yz=14, zz=4)


def test_who_buys_twice_converts_once() -> None:
    found = increments_of(exposed(), did(days=1, orders=1), did(days=2, orders=2))
    assert moments(found, "conversion_rate_profile") == Moments(n=1, nonzero=1, y=1, yy=1)
    assert moments(found, "conversion_rate_profile", until=FIRST_DAY) == Moments(n=1)


def test_who_does_nothing_is_still_counted() -> None:
    found = increments_of(exposed(), exposed("u:2"))
    assert moments(found, "revenue_per_profile") == Moments(n=2)


def test_the_covariate_enters_with_the_profile_and_its_product_with_the_outcome() -> None:
    found = increments_of(exposed(pre_value_cents=5, pre_sessions=2), did(days=3, value_cents=7, sessions=1))
    begun = Moments(n=1, x=5, w=2, xx=25, xw=10, ww=4)
    assert moments(found, "revenue_per_session", until=FIRST_DAY) == begun
    met = Moments(nonzero=1, y=7, z=1, yy=49, yz=7, zz=1, yx=35, yw=14, zx=5, zw=2)
    assert moments(found, "revenue_per_session") == begun + met


def test_mixed_profiles_are_counted_and_in_nothing_else() -> None:
    found = increments_of(exposed(is_mixed=True), did(value_cents=3), exposed("u:2", is_contaminated=True))
    assert moments(found, "revenue_per_profile") == Moments(n=1)
    counts = {name: moments(found, name, EXPOSED).n for name in ("exposed", "mixed", "contaminated")}
    assert counts == {"exposed": 2, "mixed": 1, "contaminated": 1}


def test_a_window_dates_a_profile_on_the_day_it_is_old_enough() -> None:
    found = increments_of(exposed(was_buyer=True), did(days=29, orders=1), did(days=30, orders=1))
    grown = FIRST_DAY + timedelta(30)
    assert moments(found, "repurchase_rate_30d", until=grown - timedelta(1)) == Moments()
    assert moments(found, "repurchase_rate_30d", until=grown) == Moments(n=1, nonzero=1, y=1, yy=1)
    late = increments_of(exposed(was_buyer=True), did(days=30, orders=1))
    assert moments(late, "repurchase_rate_30d") == Moments(n=1)
    assert moments(late, "repurchase_rate_60d") == Moments(n=1, nonzero=1, y=1, yy=1)


def test_who_could_not_be_watched_for_the_whole_window_is_not_in_it() -> None:
    found = increments_of(
        exposed(watched_days=29), exposed("u:2", watched_days=30), did("u:2", orders=1, value_cents=7)
    )
    assert moments(found, "ltv_30d") == Moments(n=1, nonzero=1, y=7, yy=49)
    assert moments(found, "ltv_90d") == Moments()


def test_only_former_buyers_can_buy_again_and_who_does_not_is_inactive() -> None:
    found = increments_of(exposed(was_buyer=False), did(orders=1))
    assert moments(found, "repurchase_rate_30d") == Moments()
    silent = increments_of(exposed(was_buyer=True, pre_orders=1))
    assert moments(silent, "inactive_rate_60d") == Moments(n=1, nonzero=1, y=1, yy=1)


def test_a_week_has_squares_of_its_own_and_counts_nobody() -> None:
    sunday = (6 - FIRST_DAY.weekday()) % 7
    found = increments_of(exposed(), did(days=sunday, value_cents=3), did(days=sunday + 1, value_cents=4))
    first = FIRST_DAY - timedelta(FIRST_DAY.weekday())
    assert moments(found, "revenue_per_profile", WEEK, first) == Moments(nonzero=1, y=3, yy=9)
    assert moments(found, "revenue_per_profile", WEEK) == Moments(nonzero=2, y=7, yy=25)


def test_caps_are_nearest_ranks_of_those_who_are_not_zero_and_of_other_days() -> None:
    rows = [did(f"u:{n}", value_cents=n) for n in range(1, 201)] + [did("u:0", value_cents=0)]
    rows.append(did("u:999", days=5, value_cents=10**6))
    totals = pl.DataFrame(rows, schema=TOTAL_SCHEMA)
    found = caps_of(totals, FIRST_DAY + timedelta(5)).filter(metric="net_revenue_per_profile")
    assert found.select("low", "high").rows() == [(0, 198)]
    losses = totals.with_columns(refund_cents=pl.col("value_cents") * 2)
    assert caps_of(losses, FIRST_DAY + timedelta(5)).filter(metric="net_revenue_per_profile")["low"].item() == -199
    assert caps_of(totals, FIRST_DAY).is_empty()


def test_a_capped_total_never_passes_its_cap_and_the_rest_counts() -> None:
    totals = pl.DataFrame([did("u:1", 0, value_cents=60), did("u:1", 1, value_cents=60)], schema=TOTAL_SCHEMA)
    group = {"variant_id": "new", "epoch": 0, "segment": "vip", "channel": "site"}
    counts = pl.DataFrame([{"experiment_id": "x", "version": "1", **group, "day": FIRST_DAY, "n": 10}])
    caps = pl.DataFrame(
        {"experiment_id": ["x"], "version": ["1"], "metric": ["net_revenue_per_profile"], "low": [0], "high": [100]}
    )
    rows = totals.with_columns(pl.lit(value).alias(name) for name, value in group.items())
    found = capped(counts, rows, caps)
    assert moments(found, "net_revenue_per_profile", until=FIRST_DAY) == Moments(n=10, nonzero=1, y=60, yy=3600)
    assert moments(found, "net_revenue_per_profile") == Moments(n=10, nonzero=1, y=100, yy=10_000)
    assert moments(found, "margin_per_profile") == Moments(n=10)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_sum_until_a_day_is_the_moments_of_totals_until_then(seed: int) -> None:
    """By plain Python over profiles."""
    state = folded(meetings(seed), RULES, GREENWICH)
    found = increments(state.exposures, state.totals)
    assert found.schema == INCREMENT_SCHEMA
    for day in (FIRST_DAY + timedelta(days) for days in (0, 7, 35)):
        for metric in METRICS.values():
            if metric.within_days is None and metric.kind is not Kind.SIGNED:
                assert moments(found, metric.id, until=day) == plain(state, metric, day), metric.id


def plain(state: Folded, metric: Metric, until: date) -> Moments:
    done: dict[tuple[str, ...], dict[str, int]] = defaultdict(lambda: dict.fromkeys(TOTALS, 0))
    for row in state.totals.filter(pl.col("day") <= until).iter_rows(named=True):
        for name in TOTALS:
            done[tuple(row[key] for key in KEY)][name] += row[name]
    found = Moments()
    for row in state.exposures.filter(~pl.col("is_mixed"), pl.col("day") <= until).iter_rows(named=True):
        totals = done[tuple(row[key] for key in KEY)]
        past = {name: row[f"pre_{name}"] for name in ("orders", "value_cents", "sessions")}
        y, z = value(metric, metric.plus, metric.minus, totals), sum(totals[name] for name in metric.per)
        x = value(metric, metric.plus, (), past) if metric.has_covariate else 0
        w = sum(past[name] for name in metric.per) if metric.has_covariate else 0
        products = (y * y, y * z, y * x, y * w, z * z, z * x, z * w, x * x, x * w, w * w)
        found += Moments(1, int(y != 0), y, z, x, w, *products)
    return found


def value(metric: Metric, plus: Iterable[str], minus: Iterable[str], totals: Mapping[str, int]) -> int:
    total = sum(totals[name] for name in plus) - sum(totals[name] for name in minus)
    return int(total > 0) if metric.is_binary else total


@settings(max_examples=5)
@given(st.integers(0, 50), st.integers(1, 19))
def test_disjoint_profiles_add_and_what_is_taken_back_is_gone(seed: int, cut: int) -> None:
    state = folded(meetings(seed), RULES, GREENWICH)
    whole = added(increments(state.exposures, state.totals))
    names = [f"{kind}:{n}" for kind in "uaep" for n in range(5)]
    one, other = some(state, names[:cut]), some(state, names[cut:])
    same(added(pl.concat([one, other])), whole)
    same(added(pl.concat([whole, changes(one, whole)])), added(one))


def some(state: Folded, profiles: list[str]) -> pl.DataFrame:
    is_chosen = pl.col("profile_id").is_in(profiles)
    return increments(state.exposures.filter(is_chosen), state.totals.filter(is_chosen))


def test_every_group_is_told_apart() -> None:
    rows = [exposed(f"u:{n}", **{name: f"{n}" if name != "epoch" else n}) for n, name in enumerate(GROUP)]
    found = increments_of(*rows).filter(metric="orders_per_profile")
    assert found.select(PLACE).is_unique().all()
    assert found["n"].to_list() == [1] * len(GROUP)
