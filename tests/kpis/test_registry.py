"""Every KPI with numbers worked by hand, its empty case, and the law that both readings give the same."""

import random
from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.errors import CallerError
from cockpit.events.catalogue import catalogue
from cockpit.kpis.formula import Described, Gauge, Quantile, Ratio, Survival
from cockpit.kpis.kpi import SMALL, SMALL_P99, Better, Uplift
from cockpit.kpis.registry import (
    GROUPS,
    KPIS,
    frame,
    is_small,
    last_matured_day,
    measures_of,
    ratio,
    ratio_of,
    sample,
    samples,
    value,
)
from cockpit.measures.histogram import RELATIVE_ERROR, bucket_of
from tests.kpis.contract import GAUGES, HISTOGRAMS, SUMS

TICK = 2 * RELATIVE_ERROR


def bucket(seconds: float) -> int:
    return int(pl.select(bucket_of(pl.lit(int(seconds * 1_000_000)))).item())


# 90 of 100 took 2 s, 9 took 20 s, 1 took 60 s: rank 50 and 90 are 2 s, rank 95 and 99 are 20 s.
TIMES = {bucket(2): 90, bucket(20): 9, bucket(60): 1}
# Of 4 buyers 1 came back on day 5 (S = 3/4), 1 was last seen on day 6, 1 came back on day 8 (S = 3/4 · 1/2 = 0.375).
AGES = {5: (1, 0), 6: (0, 1), 8: (1, 1)}
INTAKE = {"received": 1000, "stored": 950, "duplicate": 40, "refused": 10, "late": 19}
# 60 delivered, 20 failed, 40 suppressed, of which 20 as control: 60 + 20 + 40 - 20 = 100 decisions.
DECISIONS = {
    "delivered": 60,
    "failed": 20,
    "suppressed": 40,
    "suppressed_control": 20,
    "suppressed_frequency_cap": 15,
    "suppressed_consent": 5,
    "fallbacks": 6,
}
# 3 orders of 100.00 in all; of 80.00 the cost is known: 50.00. 10.00 went back with one order.
DAY = {
    "profiles": 10,
    "buyers": 2,
    "sessions": 20,
    "orders": 3,
    "value_cents": 10_000,
    "costed_value_cents": 8_000,
    "cost_cents": 5_000,
    "refunds": 1,
    "refund_cents": 1_000,
    "coupon_orders": 2,
}
CARTS = {"carts": 8, "carts_purchased": 2, "carts_abandoned": 6, "carts_owed": 1}
COHORT = {"new_buyers": 4, "repurchased_30d": 1, "repurchased_60d": 2, "repurchased_90d": 3}
LTV = {
    "new_buyers": 4,
    "ltv_90d_cents": 10_000,
    "ltv_365d_cents": 24_000,
    "ltv_90d_margin_cents": 3_000,
    "ltv_365d_margin_cents": -800,
}
STEPS = {
    "step_home": 100,
    "step_view_item": 80,
    "step_add_to_cart": 20,
    "step_begin_checkout": 10,
    "step_purchase": 7,
}
SESSIONS = {
    "sessions": 8,
    "session_ms": 960_000,
    "pages": 20,
    "engaged_sessions": 6,
    "converted_sessions": 1,
    "session_value_cents": 4_000,
    "engagement_ms": 400_000,
    "profiles": 5,
}
MESSAGES = {
    "messages_sent": 200,
    "messages_sent_delivered": 190,
    "messages_delivered": 160,
    "messages_opened": 80,
    "messages_clicked": 16,
    "messages_replied": 8,
    "messages_converted": 4,
    "messages_unsubscribed": 2,
    "messaged_profiles": 80,
}
TICKETS = {
    "tickets_opened": 20,
    "tickets_answered": 18,
    "tickets_resolved": 15,
    "tickets_bot_first": 10,
    "tickets_handed_over": 4,
    "first_response_us": TIMES,
    "resolution_us": TIMES,
}

Case = tuple[Mapping[str, Any], Any]  # measures, and what they give

CASES: dict[str, Case] = {
    "ctr": ({"impressions": 50, "impressions_clicked": 4}, 0.08),  # 4 / 50
    "reco_click_rate": ({"reco_impressions": 40, "reco_clicks": 6}, 0.15),  # 6 / 40
    "reco_conversion_rate": ({"reco_item_clicks": 25, "reco_converted": 2}, 0.08),  # 2 / 25
    "reco_revenue_share": ({"value_cents": 10_000, "reco_value_24h_cents": 2_500}, 0.25),  # 25.00 of 100.00
    "reco_revenue_share_7d": ({"value_cents": 10_000, "reco_value_7d_cents": 4_000}, 0.40),  # 40.00 of 100.00
    "sessions_per_profile": (SESSIONS, 1.6),  # 8 / 5
    "session_seconds_mean": (SESSIONS, 120),  # 960 s / 8
    "engagement_seconds_mean": (SESSIONS, 50),  # 400 s / 8
    "engaged_session_rate": (SESSIONS, 0.75),  # 6 / 8
    "bounce_rate": (SESSIONS, 0.25),  # 1 - 6/8
    "pages_per_session": (SESSIONS, 2.5),  # 20 / 8
    "funnel_step_view_item_rate": (STEPS, 0.8),  # 80 / 100
    "funnel_step_add_to_cart_rate": (STEPS, 0.25),  # 20 / 80
    "funnel_step_begin_checkout_rate": (STEPS, 0.5),  # 10 / 20
    "funnel_step_purchase_rate": (STEPS, 0.7),  # 7 / 10
    "sessions": (SESSIONS, 8),
    "active_sessions": ({"active_sessions": 12}, 12),
    "events_per_minute": ({"events_per_minute": 340}, 340),
    "revenue": (DAY, 10_000),
    "orders": (DAY, 3),
    "conversion_rate_session": (SESSIONS, 0.125),  # 1 / 8
    "conversion_rate_profile": (DAY, 0.2),  # 2 / 10
    "orders_per_profile": (DAY, 0.3),  # 3 / 10
    "aov": (DAY, 10_000 / 3),  # 100.00 / 3 orders
    "revenue_per_profile": (DAY, 1_000),  # 100.00 / 10
    "revenue_per_session": (SESSIONS, 500),  # 40.00 / 8
    "gross_margin": (DAY, 3_000),  # 80.00 - 50.00
    "gross_margin_rate": (DAY, 0.375),  # 30.00 / 80.00
    "margin_coverage": (DAY, 0.8),  # 80.00 / 100.00
    "margin_per_profile": (DAY, 200),  # (80.00 - 50.00 - 10.00) / 10
    "refund_rate": (DAY, 1 / 3),  # 1 of 3 orders
    "net_revenue": (DAY, 9_000),  # 100.00 - 10.00
    "offer_adoption_rate": ({"offers_shown": 30, "offers_taken": 3}, 0.1),  # 3 / 30
    "coupon_order_rate": (DAY, 2 / 3),  # 2 of 3 orders
    "cart_abandonment_rate": (CARTS, 0.75),  # 1 - 2/8
    "checkout_abandonment_rate": ({"checkout_sessions": 10, "checkout_purchased": 4}, 0.6),  # 1 - 4/10
    "cart_recovery_rate": ({"carts_reminded": 20, "carts_recovered": 3}, 0.15),  # 3 / 20
    "cart_return_rate": ({"carts_unreminded": 10, "carts_returned": 1}, 0.1),  # 1 / 10
    "carts_owed": (CARTS, 1),
    "repurchase_rate_30d": (COHORT, 0.25),  # 1 / 4
    "repurchase_rate_60d": (COHORT, 0.5),  # 2 / 4
    "repurchase_rate_90d": (COHORT, 0.75),  # 3 / 4
    "time_to_repurchase_days": ({"repurchase_ages": AGES}, 8),  # the first day on which S is at most a half
    "ltv_90d": (LTV, 2_500),  # 100.00 / 4
    "ltv_90d_margin": (LTV, 750),  # 30.00 / 4
    "ltv_365d": (LTV, 6_000),  # 240.00 / 4
    "ltv_365d_margin": (LTV, -200),  # -8.00 / 4: a margin may be below 0
    "nps": ({"nps_responses": 10, "nps_promoters": 5, "nps_detractors": 2}, 30),  # 100 · (50 % - 20 %)
    "ticket_answer_rate": (TICKETS, 0.9),  # 18 / 20
    "first_response_seconds": (TICKETS, pytest.approx(20, rel=TICK)),
    "first_response_seconds_p50": (TICKETS, pytest.approx(2, rel=TICK)),
    "resolution_rate": (TICKETS, 0.75),  # 15 / 20
    "resolution_seconds": (TICKETS, pytest.approx(20, rel=TICK)),
    "resolution_seconds_p50": (TICKETS, pytest.approx(2, rel=TICK)),
    "handover_rate": (TICKETS, 0.4),  # 4 / 10
    "message_delivery_rate": (MESSAGES, 0.95),  # 190 / 200
    "message_open_rate": (MESSAGES, 0.5),  # 80 / 160
    "message_click_rate": (MESSAGES, 0.1),  # 16 / 160
    "message_reply_rate": (MESSAGES, 0.05),  # 8 / 160
    "message_conversion_rate": (MESSAGES, 0.025),  # 4 / 160
    "unsubscribe_rate": (MESSAGES, 0.0125),  # 2 / 160
    "messages_per_profile": (MESSAGES, 2.5),  # 200 / 80
    "personalizations_per_minute": ({"personalizations_per_minute": 7}, 7),
    "personalization_error_rate": (DECISIONS, 0.25),  # 20 / (60 + 20)
    "suppression_rate": (DECISIONS, 0.2),  # (40 - 20) / 100
    "frequency_cap_rate": (DECISIONS, 0.15),  # 15 / 100
    "fallback_rate": (DECISIONS, 0.1),  # 6 / 60
    "coverage_rate": ({"profiles": 40, "covered_profiles": 30}, 0.75),  # 30 / 40
    "control_share": ({"exposed_profiles": 50, "control_profiles": 5}, 0.1),  # 5 / 50
    "event_to_action_ms": ({"event_to_action_us": TIMES}, pytest.approx(20_000, rel=TICK)),
    "event_to_action_ms_p50": ({"event_to_action_us": TIMES}, pytest.approx(2_000, rel=TICK)),
    "event_to_action_ms_p99": ({"event_to_action_us": TIMES}, pytest.approx(20_000, rel=TICK)),
    "decide_ms": ({"decide_us": TIMES}, pytest.approx(20_000, rel=TICK)),
    "report_ms": ({"report_us": TIMES}, pytest.approx(20_000, rel=TICK)),
    "integration_error_rate": (DECISIONS, 0.25),  # 20 / (60 + 20)
    "queue_lag_s": ({"queue_lag_s": 1.5}, 1.5),
    "queue_events": ({"queue_events": 90}, 90),
    "freshness_s": ({"freshness_s": 0.8}, 0.8),
    "duplicate_rate": (INTAKE, 0.04),  # 40 / 1000
    "invalid_rate": (INTAKE, 0.01),  # 10 / 1000
    "late_rate": (INTAKE, 0.02),  # 19 / 950
    "ingest_delay_ms": ({"ingest_us": TIMES}, pytest.approx(20_000, rel=TICK)),
    "ingest_delay_ms_p50": ({"ingest_us": TIMES}, pytest.approx(2_000, rel=TICK)),
    "ingest_delay_ms_p99": ({"ingest_us": TIMES}, pytest.approx(20_000, rel=TICK)),
    "identity_match_rate": ({"profile_events": 50, "known_events": 20}, 0.4),  # 20 / 50
    "consent_block_rate": (DECISIONS, 0.05),  # 5 / 100
}
ELSEWHERE = [kpi.id for kpi in KPIS.values() if isinstance(kpi.formula, Described)]


def as_frame(*windows: Mapping[str, Any]) -> pl.DataFrame:
    """Measures as the reads give them: one row per window, histograms and ages as lists of structs."""
    names = sorted({name for measures in windows for name in measures})
    return pl.DataFrame({name: [_cell(name, measures.get(name)) for measures in windows] for name in names})


def _cell(name: str, held: Any) -> Any:
    if not isinstance(held, Mapping):
        return held
    if name == "repurchase_ages":
        return [{"days": days, "events": events, "censored": censored} for days, (events, censored) in held.items()]
    return [{"bucket": at, "count": count} for at, count in held.items()]


def test_every_kpi_has_a_case_worked_by_hand_or_is_computed_elsewhere() -> None:
    assert set(CASES) | set(ELSEWHERE) == set(KPIS)
    assert set(CASES) & set(ELSEWHERE) == set()


@pytest.mark.parametrize("kpi", CASES)
def test_a_kpi_is_what_was_worked_by_hand_live_and_in_history(kpi: str) -> None:
    measures, worked = CASES[kpi]
    live, history = value(kpi, measures), frame([kpi], as_frame(measures))[kpi].item()
    for found in (live, history):
        assert found == (pytest.approx(worked) if isinstance(worked, int | float) else worked)


@pytest.mark.parametrize("kpi", KPIS)
def test_without_anything_counted_a_kpi_is_unknown_not_zero(kpi: str) -> None:
    zeros = dict.fromkeys(measures_of([kpi]), 0) if not isinstance(KPIS[kpi].formula, Gauge) else {}
    one_row = pl.DataFrame({"day": [date(2026, 11, 22)]})
    assert value(kpi, {}) is None
    assert value(kpi, zeros) is None
    assert frame([kpi], one_row)[kpi].to_list() == [None]


@pytest.mark.parametrize("kpi", [one for one in CASES if isinstance(KPIS[one].formula, Ratio)])
def test_a_row_of_zeros_or_nulls_between_others_stays_unknown(kpi: str) -> None:
    measures, worked = CASES[kpi]
    counted = {name: held for name, held in measures.items() if not isinstance(held, Mapping)}
    found = frame([kpi], as_frame(counted, dict.fromkeys(counted, 0), dict.fromkeys(counted)))[kpi].to_list()
    assert found == [pytest.approx(worked), None, None]


@pytest.mark.parametrize("kpi", ELSEWHERE)
def test_what_is_computed_elsewhere_says_where_or_what_is_missing(kpi: str) -> None:
    of = KPIS[kpi]
    assert bool(of.formula.symbols()) != bool(of.missing)
    assert value(kpi, DAY) is None


def anything(dice: random.Random) -> dict[str, Any]:
    """Measures of one window: some absent, some null, some 0, of every size."""

    def counts(most: int) -> dict[int, int]:
        return {dice.randint(-1, most): dice.randint(1, 10**6) for _ in range(dice.randint(0, 8))}

    held: dict[str, Any] = {name: dice.choice([None, 0, dice.randint(0, 9), dice.randint(0, 10**9)]) for name in SUMS}
    held |= {name: dice.choice([None, dice.random() * 1e6]) for name in GAUGES}
    held |= {name: counts(1200) for name in HISTOGRAMS}
    held["repurchase_ages"] = {
        dice.randint(0, 400): (dice.randint(0, 50), dice.randint(0, 50)) for _ in range(dice.randint(0, 12))
    }
    return {name: held[name] for name in sorted(held) if dice.random() < 0.9}


@settings(max_examples=10)
@given(st.integers(0, 10**6))
def test_both_readings_of_every_kpi_and_its_sample_give_the_same(seed: int) -> None:
    dice = random.Random(seed)
    windows = [anything(dice) for _ in range(20)]
    history = pl.concat([_typed(measures) for measures in windows], how="diagonal")
    values, counted = frame(KPIS, history), samples(KPIS, history)
    for row, measures in enumerate(windows):
        for kpi in KPIS:
            expected = value(kpi, measures)
            assert values[kpi][row] == (None if expected is None else pytest.approx(expected, rel=1e-9)), kpi
            assert counted[f"{kpi}_n"][row] == sample(kpi, measures)
            assert counted[f"{kpi}_is_small"][row] == is_small(kpi, measures)


def _typed(measures: Mapping[str, Any]) -> pl.DataFrame:
    """One row whose columns have the types that the formulas name, so that an empty list is one."""
    types = {name: kind for kpi in KPIS.values() for name, kind in kpi.formula.columns().items()}
    return pl.DataFrame(
        {name: [_cell(name, held)] for name, held in measures.items() if name in types},
        schema={name: types[name] for name in measures if name in types},
    )


def test_a_measure_that_was_never_counted_is_zero_when_the_denominator_is_known() -> None:
    assert value("personalization_error_rate", {"delivered": 5}) == 0
    assert frame(["personalization_error_rate"], pl.DataFrame({"delivered": [5]})).columns == [
        "delivered",
        "personalization_error_rate",
    ]


def test_sums_that_sql_gives_as_decimals_are_divided_exactly() -> None:
    day = pl.DataFrame({"value_cents": [10_000], "orders": [3]}).cast(pl.Decimal(38, 0))
    assert frame(["aov"], day)["aov"].item() == pytest.approx(10_000 / 3)


def test_a_day_with_visitors_and_no_sale_has_a_revenue_of_zero() -> None:
    assert value("revenue", {"profiles": 3}) == 0


def test_suppressed_is_no_attempt_and_a_control_is_no_decision() -> None:
    assert value("personalization_error_rate", {"suppressed": 5}) is None
    assert value("suppression_rate", {"suppressed": 5, "suppressed_control": 5}) is None


def test_orders_without_a_known_cost_leave_the_margin_unknown() -> None:
    day = {"profiles": 10, "orders": 2, "value_cents": 5_000}
    assert [value(kpi, day) for kpi in ("gross_margin", "gross_margin_rate", "margin_per_profile")] == [None] * 3
    assert value("margin_coverage", day) == 0


def test_a_rate_over_29_is_small_and_over_30_is_not() -> None:
    assert is_small("ctr", {"impressions": 29})
    assert not is_small("ctr", {"impressions": 30})


def test_a_p99_needs_500_values() -> None:
    times = {bucket(2): 499}
    assert is_small("event_to_action_ms_p99", {"event_to_action_us": times})
    assert not is_small("event_to_action_ms", {"event_to_action_us": times})
    assert not is_small("event_to_action_ms_p99", {"event_to_action_us": {bucket(2): 500}})


def test_a_share_of_money_counts_orders_not_cents() -> None:
    assert sample("gross_margin_rate", DAY) == 3


def test_a_count_has_no_sample() -> None:
    assert sample("revenue", DAY) is None
    assert not is_small("revenue", {})


def test_a_cohort_is_whole_when_its_last_buyer_is_old_enough() -> None:
    # Bought on 22 October at 23:59, 30 days end on 21 November at 23:59: whole on the 22nd, not on the 21st.
    assert last_matured_day("repurchase_rate_30d", date(2026, 11, 22)) == date(2026, 10, 22)
    assert last_matured_day("aov", date(2026, 11, 22)) == date(2026, 11, 21)


def test_an_unknown_kpi_is_the_callers_error() -> None:
    with pytest.raises(CallerError, match="'conversions'"):
        value("conversions", {})


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_ratio_of_columns_is_the_ratio_of_their_values(numerator: int, denominator: int) -> None:
    columns = pl.DataFrame({"n": [numerator], "d": [denominator]}).select(ratio_of(pl.col("n"), pl.col("d")))
    assert columns.item() == ratio(numerator, denominator)


def test_ids_are_unique_and_lower_case() -> None:
    ids = [kpi.id for kpis in GROUPS.values() for kpi in kpis]
    assert sorted(ids) == sorted(set(ids))
    assert all(name.replace("_", "").isalnum() and name == name.lower() for name in ids)


@pytest.mark.parametrize("kpi", KPIS.values(), ids=lambda kpi: kpi.id)
def test_a_kpi_takes_only_measures_that_somebody_makes(kpi: Any) -> None:
    match kpi.formula:
        case Quantile():
            assert kpi.formula.histogram in HISTOGRAMS
        case Survival():
            assert kpi.formula.ages == "repurchase_ages"
        case Gauge():
            assert kpi.formula.name in GAUGES
        case formula:
            assert set(formula.columns()) <= SUMS


@pytest.mark.parametrize("kpi", KPIS.values(), ids=lambda kpi: kpi.id)
def test_a_kpi_needs_only_events_of_the_catalogue(kpi: Any) -> None:
    assert set(kpi.events) <= {named.canonical for named in catalogue().exact.values()}


def test_every_kpi_is_used_on_a_screen_of_the_checklist() -> None:
    letters = {code[0] for kpi in KPIS.values() for code in kpi.screens}
    assert letters <= set("ETOGAPX")
    assert [kpi.id for kpi in KPIS.values() if not kpi.screens] == []


def test_a_number_with_a_sample_states_its_minimum() -> None:
    needing = [kpi for kpi in KPIS.values() if isinstance(kpi.formula, Ratio | Quantile)]
    assert {kpi.minimum_sample for kpi in needing} == {SMALL, SMALL_P99}
    assert {kpi.id for kpi in needing if kpi.counts == "nothing"} == set()


def test_guardrails_are_better_lower() -> None:
    lower = {kpi.id for kpi in KPIS.values() if kpi.better is Better.LOWER}
    assert {"unsubscribe_rate", "personalization_error_rate", "churn_rate", "queue_lag_s"} <= lower


def test_what_has_a_moving_window_or_is_a_percentile_carries_no_verdict() -> None:
    assert {kpi.uplift for kpi in KPIS.values() if isinstance(kpi.formula, Quantile | Gauge)} == {Uplift.DESCRIBED}
