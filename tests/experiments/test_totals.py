from collections.abc import Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.experiments.metrics import TOTALS
from cockpit.experiments.rules import Rules
from cockpit.experiments.totals import EXPOSURE_SCHEMA, TOTAL_SCHEMA, UNVERSIONED, Folded, Parts, folded
from tests.experiments.meetings import RULES, meetings, mixed_up, of
from tests.fold_tables import DAY, HOUR, MIDNIGHT, MINUTE, Row, order, same, table, touch, visit

GREENWICH = ZoneInfo("Etc/GMT")
SHOWN = 10 * HOUR
Given = Mapping[tuple[str, str], Rules]


def view(at: int = SHOWN, variant_id: str = "new", **columns: Any) -> Row:
    return touch("experiment_viewed", at, **{"subject": "x", "detail": "1", "variant_id": variant_id, **columns})


def ruled(**fields: Any) -> Given:
    return {("x", "1"): Rules("x", "1", **fields)}


def fold(*rows: Row, rules: Given | None = None) -> Folded:
    """Of rows of any part: orders have a key, visits an end."""
    orders = [row for row in rows if "order_key" in row]
    visits = [row for row in rows if "last_at" in row]
    touches = [row for row in rows if "name" in row]
    parts = Parts(table("touches", touches), table("orders", orders), table("visits", visits))
    return folded(parts, rules or {}, GREENWICH)


def exposure(*rows: Row, rules: Given | None = None) -> dict[str, Any]:
    return fold(*rows, rules=rules).exposures.row(0, named=True)


def totals(*rows: Row, rules: Given | None = None) -> dict[str, int]:
    """What is not 0, over all days."""
    found = fold(*rows, rules=rules).totals
    return {name: total for name in TOTALS if (total := int(found[name].sum()))}


def test_the_first_view_exposes_and_says_segment_and_channel_for_ever() -> None:
    found = exposure(view(segment="vip", channel="app"), view(SHOWN + DAY, segment="new", channel="site"))
    assert (found["first_exposed_us"], found["day"]) == (MIDNIGHT + SHOWN, date(2026, 11, 20))
    assert (found["segment"], found["channel"], found["is_mixed"]) == ("vip", "app", False)


def test_a_view_without_a_version_is_of_the_first_one_and_without_a_variant_of_none() -> None:
    assert exposure(view(detail=None))["version"] == UNVERSIONED
    assert fold(view(variant_id=None)).exposures.is_empty()  # type: ignore[arg-type]


def test_a_second_variant_makes_a_profile_mixed_also_while_nobody_is_enrolled() -> None:
    assert exposure(view(), view(SHOWN + DAY, "control"))["is_mixed"]
    pause = ruled(enrolment=((0, MIDNIGHT + SHOWN + HOUR),))
    assert exposure(view(), view(SHOWN + DAY, "control"), rules=pause)["is_mixed"]


def test_where_treatments_move_only_the_control_beside_another_makes_mixed() -> None:
    moving = ruled(treatments_move=True)
    found = exposure(view(), view(SHOWN + DAY, "newer"), rules=moving)
    assert (found["variant_id"], found["is_mixed"]) == ("new", False)
    assert exposure(view(), view(SHOWN + DAY, "control"), rules=moving)["is_mixed"]


def test_an_end_says_how_long_each_was_watched() -> None:
    assert exposure(view())["watched_days"] is None
    assert exposure(view(), rules=ruled(ends_us=MIDNIGHT + SHOWN + 3 * DAY - 1))["watched_days"] == 2


def test_another_version_or_experiment_mixes_nobody() -> None:
    found = fold(view(), view(variant_id="control", detail="2"), view(variant_id="control", subject="y"))
    assert found.exposures.height == 3
    assert not found.exposures["is_mixed"].any()


def test_who_is_first_seen_in_a_pause_is_exposed_when_it_is_seen_again() -> None:
    spans = ((MIDNIGHT, MIDNIGHT + HOUR), (MIDNIGHT + DAY, None))
    found = exposure(view(), view(DAY + HOUR), rules=ruled(enrolment=spans))
    assert found["first_exposed_us"] == MIDNIGHT + DAY + HOUR
    assert fold(view(), rules=ruled(enrolment=spans)).exposures.is_empty()


def test_a_version_that_never_started_exposes_nobody() -> None:
    assert fold(view(), rules=ruled(enrolment=())).exposures.is_empty()


def test_the_epoch_counts_the_changes_of_shares_until_the_first_view() -> None:
    changed = ruled(epochs_us=(MIDNIGHT + SHOWN, MIDNIGHT + 2 * DAY))
    epochs = [exposure(view(at), rules=changed)["epoch"] for at in (SHOWN - 1, SHOWN, DAY, 2 * DAY, 3 * DAY)]
    assert epochs == [0, 1, 1, 2, 2]


def test_outcomes_count_from_the_first_view_on_and_until_the_end() -> None:
    rows = [view(), order("before", SHOWN - 1, 1), order("at", SHOWN, 20), order("end", SHOWN + DAY, 300)]
    assert totals(*rows) == {"orders": 2, "value_cents": 320}
    assert totals(*rows, rules=ruled(ends_us=MIDNIGHT + SHOWN + DAY)) == {"orders": 1, "value_cents": 20}


def test_what_came_before_is_the_covariate_within_the_look_back() -> None:
    rows = [view(30 * DAY), *(order(f"{day}", day * DAY, 100) for day in (1, 2, 3, 29))]
    found = exposure(*rows, visit(29 * DAY, 29 * DAY + MINUTE), visit(DAY))
    assert (found["was_buyer"], found["pre_orders"], found["pre_value_cents"]) == (True, 3, 300)
    assert found["pre_sessions"] == 1
    week = exposure(*rows, rules=ruled(lookback_days=7))
    assert (week["pre_orders"], week["was_buyer"]) == (1, True)


def test_a_control_profile_that_was_personalized_is_contaminated_and_stays() -> None:
    delivered = touch("personalization_delivered", SHOWN + 1, use_case="cart")
    assert exposure(view(variant_id="control"), delivered, rules=ruled(use_case="cart"))["is_contaminated"]
    assert exposure(view(variant_id="control"), delivered, rules=ruled(use_case="*"))["is_contaminated"]
    clean = [
        exposure(view(variant_id="control"), delivered, rules=ruled(use_case="churn")),
        exposure(view(variant_id="control"), delivered, rules=ruled()),
        exposure(view(), delivered, rules=ruled(use_case="cart")),
        exposure(view(SHOWN + HOUR, "control"), delivered, rules=ruled(use_case="cart")),
    ]
    assert not any(found["is_contaminated"] for found in clean)


def test_the_session_of_the_exposure_counts_and_only_a_later_one_is_a_return() -> None:
    under_way, later = visit(SHOWN - MINUTE, SHOWN + MINUTE), visit(SHOWN + 2 * HOUR)
    assert totals(view(), under_way, later) == {"sessions": 2, "returns": 1}
    assert totals(view(), visit(SHOWN - 2 * HOUR)) == {}


def test_a_session_converts_by_an_order_within_it_after_the_exposure() -> None:
    under_way = visit(SHOWN - HOUR, SHOWN + MINUTE)
    assert totals(view(), under_way, order("o", SHOWN + 1))["converted_sessions"] == 1
    assert "converted_sessions" not in totals(view(), under_way, order("o", SHOWN - 1))
    twice = totals(view(), under_way, order("o", SHOWN + 1), order("p", SHOWN + 2))
    assert twice["converted_sessions"] == 1
    assert "converted_sessions" not in totals(view(), under_way, order("o", SHOWN + 1, source="crm"))


def test_refunds_answers_and_farewells_count_by_their_own_instant() -> None:
    rows = [
        touch("refund", SHOWN + 1, amount=250, profile_id="u:1"),
        touch("message_unsubscribed", SHOWN + 1),
        touch("subscription_cancelled", SHOWN + 1),
        *(touch("nps_response", SHOWN + n, amount=score, message_id=f"{n}") for n, score in enumerate([10, 8, 0, 11])),
    ]
    assert totals(view(), *rows) == {
        "refund_cents": 250, "unsubscribes": 1, "cancellations": 1, "responses": 3, "promoters": 1, "detractors": 1,
    }  # fmt: skip


def test_days_are_business_days_and_ages_whole_24_hours() -> None:
    found = fold(view(23 * HOUR), order("a", 25 * HOUR), order("b", 47 * HOUR)).totals.sort("day", "age_days")
    assert found.select("day", "age_days", "orders").rows() == [
        (date(2026, 11, 21), 0, 1), (date(2026, 11, 21), 1, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_the_parts_changes_nothing(seed: int) -> None:
    found, again = (folded(parts, RULES, GREENWICH) for parts in (meetings(seed), mixed_up(meetings(seed), seed)))
    same(found.exposures, again.exposures)
    same(found.totals, again.totals)
    assert found.exposures.schema == EXPOSURE_SCHEMA
    assert found.totals.schema == TOTAL_SCHEMA


@settings(max_examples=10)
@given(st.integers(0, 100), st.sets(st.sampled_from([f"{kind}:{n}" for kind in "uaep" for n in range(5)])))
def test_profiles_do_not_know_of_each_other(seed: int, chosen: set[str]) -> None:
    """So any of them can be folded again by itself."""
    parts = meetings(seed)
    whole, some = folded(parts, RULES, GREENWICH), folded(of(parts, chosen), RULES, GREENWICH)
    is_chosen = pl.col("profile_id").is_in(list(chosen))
    same(whole.exposures.filter(is_chosen), some.exposures)
    same(whole.totals.filter(is_chosen), some.totals)
