"""The oracle of experiments itself, on cases small enough to count on one's fingers."""

from datetime import date, timedelta
from typing import Any

from cockpit.experiments.rules import Rules
from tests.oracle.experiments import METRICS, Exposed, Sums, caps, exposed, since_start, sums, weeks
from tests.oracle.facts import DAY, HOUR
from tests.oracle.test_oracle_by_hand import LATER, NOON, Row, at, of

TODAY = LATER.date()
MONDAY = NOON.date()
NOON_US = int(NOON.timestamp()) * 1_000_000


def view(hours: float, variant_id: str = "new", version: str | None = "1", **columns: str) -> Row:
    sent = {"experiment_id": "x", "variant_id": variant_id, "version": version}
    return at(hours, "experiment_viewed", {name: value for name, value in sent.items() if value}, **columns)


def order(hours: float, cents: int | None = 1_000) -> Row:
    return at(hours, "purchase", transaction_id=f"t{hours}", value_cents=cents, currency="BRL")


def profiles(*rows: Row, rules: Rules | None = None) -> list[Exposed]:
    return exposed(of(*rows), {("x", "1"): rules} if rules else {}).get(("x", "1"), [])


def only(*rows: Row, rules: Rules | None = None) -> Exposed:
    (one,) = profiles(*rows, rules=rules)
    return one


def rules(**fields: Any) -> Rules:
    return Rules("x", "1", **fields)


def totals(one: Exposed) -> dict[str, int]:
    return dict(one.until(date.max))


def test_what_happens_before_the_exposure_is_past_and_what_happens_at_it_or_later_is_outcome() -> None:
    one = only(order(-1), view(0), order(0, 300), order(50, 200))
    assert totals(one) == {
        "orders": 2, "value_cents": 500, "sessions": 2, "returns": 1, "converted_sessions": 2,
    }  # fmt: skip
    exposure = one.exposure
    assert (exposure.was_buyer, exposure.pre_orders, exposure.pre_value_cents, exposure.pre_sessions) == (
        True, 1, 1_000, 1,
    )  # fmt: skip


def test_the_session_of_the_exposure_counts_on_its_day_but_is_no_return() -> None:
    midnight = 15 - 3 * 4  # hours from noon: 0.25 h before midnight in Sao Paulo the session begins
    begun, later = at(midnight + 8.75, "page_view"), view(midnight + 9.1)
    one = only(begun, later)
    assert totals(one) == {"sessions": 1}
    assert one.outcomes[0].day == one.exposure.day == MONDAY + timedelta(days=1)
    assert one.outcomes[0].age_days == 0


def test_a_session_that_ended_before_the_exposure_is_none_and_its_order_converts_nothing() -> None:
    assert totals(only(order(0), view(0.51))) == {"sessions": 1}
    assert totals(only(order(0), view(0.5))) == {"sessions": 1}, "in the session, but before the exposure"


def test_orders_older_than_the_look_back_make_a_buyer_and_no_covariate() -> None:
    exposure = only(order(-24.5), order(-24, 70), view(0), rules=rules(lookback_days=1)).exposure
    assert (exposure.was_buyer, exposure.pre_orders, exposure.pre_value_cents) == (True, 1, 70)


def test_two_variants_make_a_profile_mixed_and_the_first_is_its_own() -> None:
    exposure = only(view(1, "control"), view(2, "new")).exposure
    assert (exposure.variant_id, exposure.is_mixed) == ("control", True)
    assert not only(view(1, "new"), view(2, "new")).exposure.is_mixed


def test_views_before_the_first_exposure_or_behind_the_end_mix_nobody() -> None:
    limited = rules(enrolment=((NOON_US, NOON_US + HOUR),), ends_us=NOON_US + 2 * HOUR)

    def is_mixed(hours: float) -> bool:
        return only(view(0.5, "control"), view(hours, "new"), rules=limited).exposure.is_mixed

    assert [is_mixed(hours) for hours in (-1, 0.9, 1.5, 2)] == [False, True, True, False]


def test_where_treatments_move_only_the_control_beside_another_makes_mixed() -> None:
    moving = rules(treatments_move=True)
    assert not only(view(1, "new"), view(2, "bold"), rules=moving).exposure.is_mixed
    assert only(view(1, "new"), view(2, "control"), rules=moving).exposure.is_mixed


def test_a_merge_of_two_people_in_two_variants_is_mixed_too() -> None:
    seen = [view(1, "control", profile_id="a:dev"), view(2, "new", profile_id="u:ana", user_id="ana")]
    assert len(profiles(*seen)) == 2
    merged = only(*seen, at(3, "login", profile_id="u:ana", user_id="ana", anonymous_id="dev"))
    assert (merged.exposure.profile_id, merged.exposure.is_mixed) == ("u:ana", True)


def test_nobody_is_enrolled_during_a_pause() -> None:
    paused = rules(enrolment=((NOON_US, NOON_US + HOUR), (NOON_US + 2 * HOUR, None)))
    assert profiles(view(-0.1), rules=paused) == []
    assert profiles(view(1), rules=paused) == [], "the end of a span is not in it"
    assert only(view(1.5), view(2), rules=paused).exposure.first_exposed_at == NOON_US + 2 * HOUR
    assert only(view(0), view(1.5), rules=paused).exposure.first_exposed_at == NOON_US


def test_what_happens_at_the_stop_or_later_is_no_outcome() -> None:
    stopped = rules(ends_us=NOON_US + 2 * HOUR)
    assert totals(only(view(0), order(1.9), order(2), order(3), rules=stopped)) == {
        "orders": 1, "value_cents": 1_000, "sessions": 2, "returns": 1, "converted_sessions": 1,
    }  # fmt: skip


def test_a_version_that_is_not_said_is_the_first() -> None:
    assert only(view(0, version=None)).exposure.version == "1"
    assert exposed(of(at(0, "experiment_viewed", {"experiment_id": "x"})), {}) == {}, "no variant, no exposure"


def test_only_a_control_that_got_the_use_case_since_its_exposure_is_contaminated() -> None:
    got: Row = at(1, "personalization_delivered", use_case="cart")

    def is_contaminated(use_case: str | None, *rows: Row) -> bool:
        return only(*rows, rules=rules(use_case=use_case)).exposure.is_contaminated

    assert is_contaminated("cart", view(0, "control"), got)
    assert is_contaminated("*", view(0, "control"), got)
    assert not is_contaminated("churn", view(0, "control"), got)
    assert not is_contaminated(None, view(0, "control"), got)
    assert not is_contaminated("cart", view(0, "new"), got)
    assert not is_contaminated("cart", view(1.1, "control"), got)


def test_the_epoch_counts_the_changes_of_shares_until_the_exposure() -> None:
    changed = rules(epochs_us=(NOON_US, NOON_US + HOUR))
    assert [only(view(hours), rules=changed).exposure.epoch for hours in (-1, 0, 0.5, 1)] == [0, 1, 1, 2]


def test_products_of_two_profiles_by_hand() -> None:
    found = sums([(2, 1, 3, 0), (0, 1, 5, 2)])
    assert found == Sums(
        n=2, nonzero=1, y=2, z=2, x=8, w=2, yy=4, yz=2, yx=6, yw=0, zz=2, zx=8, zw=2, xx=34, xw=10, ww=4
    )


def test_squares_are_taken_of_totals_and_grow_with_the_days() -> None:
    seen = profiles(view(0), order(1, 100), order(25, 200))
    metric = METRICS["revenue_per_profile"]
    found = [since_start(seen, metric, MONDAY + timedelta(days=day), TODAY) for day in (-1, 0, 1)]
    assert [{group: (one.y, one.yy) for group, one in each.items()} for each in found] == [
        {}, {("new", 0, None, "site"): (100, 10_000)}, {("new", 0, None, "site"): (300, 90_000)},
    ]  # fmt: skip


def test_a_windowed_metric_waits_for_the_whole_window_and_sees_nothing_behind_it() -> None:
    seen = profiles(order(-1), view(0), order(30 * 24 - 0.1), order(30 * 24, 7))
    ripe = MONDAY + timedelta(days=30)
    value, bought = METRICS["ltv_30d"], METRICS["repurchase_rate_30d"]
    assert since_start(seen, value, ripe, ripe) == {}
    assert since_start(seen, value, ripe - timedelta(days=1), ripe + timedelta(days=1)) == {}
    (found,) = since_start(seen, value, ripe, ripe + timedelta(days=1)).values()
    assert (found.n, found.y, found.x) == (1, 1_000, 1_000)
    (found,) = since_start(seen, bought, ripe, ripe + timedelta(days=1)).values()
    assert (found.n, found.y, found.x) == (1, 1, 1)
    assert since_start(profiles(view(0)), bought, ripe, ripe + timedelta(days=1)) == {}, "of buyers"


def test_who_could_not_be_watched_for_the_whole_window_is_not_in_it() -> None:
    metric, long_after = METRICS["ltv_30d"], MONDAY + timedelta(days=99)

    def counted(days: float) -> int:
        stopped = rules(ends_us=NOON_US + int(days * DAY))
        return len(since_start(profiles(view(0), rules=stopped), metric, long_after, long_after))

    assert (counted(29.99), counted(30)) == (0, 1)


def test_signed_totals_are_cut_at_the_first_and_last_percent_of_those_that_are_not_zero() -> None:
    seen = profiles(
        *(view(number / 1e3, profile_id=f"u:{number}") for number in range(201)),
        *(at(1 + number / 1e3, "refund", value_cents=number, profile_id=f"u:{number}") for number in range(1, 201)),
    )
    metric = METRICS["margin_per_profile"]
    assert caps(seen, metric, TODAY) == (-199, 0), "place 2 of 200 from the lowest; 0 is within"
    assert caps(seen, metric, MONDAY) is None, "yesterday nobody was exposed"
    (found,) = since_start(seen, metric, TODAY, TODAY).values()
    assert (found.n, found.nonzero, found.y) == (201, 200, -sum(range(200)) - 199)


def test_weeks_hold_what_happened_inside_them() -> None:
    seen = profiles(view(0), order(1, 100), order(7 * 24, 300))
    (first, second) = weeks(seen, METRICS["revenue_per_profile"]).items()
    assert (first[0][0], first[1].y, first[1].yy, first[1].n) == (MONDAY, 100, 10_000, 0)
    assert (second[0][0], second[1].y, second[1].yy) == (MONDAY + timedelta(days=7), 300, 90_000)
