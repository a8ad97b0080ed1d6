from collections import Counter, defaultdict
from datetime import timedelta
from statistics import median

import msgspec
import pytest

from cockpit.clock import to_us
from cockpit.simulator.tape import Happening
from cockpit.simulator.truth import Incident, Scenario, UseCaseName
from tests.simulator.shop import START, Json, band, events, named, scenario, share_of, who

ACTIONS = ("personalization_delivered", "personalization_failed", "personalization_suppressed")
USE_CASES: tuple[UseCaseName, ...] = ("recommendations", "cart", "churn")


@pytest.fixture(scope="module")
def plain() -> tuple[Scenario, list[Happening]]:
    of = scenario("use_cases.recommendations.failure_rate=0.05", "segments.at_risk.share=0.4")
    return of, events(of, 200_000)


def actions(given: list[Happening], use_case: str) -> list[Happening]:
    return [one for one in named(given, *ACTIONS) if one.message["properties"]["use_case"] == use_case]


def exposures(given: list[Happening], experiment_id: str) -> list[Json]:
    viewed = named(given, "experiment_viewed")
    return [one.message for one in viewed if one.message["properties"]["experiment_id"] == experiment_id]


def conversion(exposed: list[Json], key: str, converted: set[str]) -> dict[str, tuple[int, float]]:
    """By variant: exposures, and the share of them that converted."""
    outcomes: dict[str, list[bool]] = defaultdict(list)
    for message in exposed:
        properties = message["properties"]
        outcomes[properties["variant_id"]].append(properties[key] in converted)
    return {variant: (len(each), sum(each) / len(each)) for variant, each in outcomes.items()}


def assert_ratio(by_variant: dict[str, tuple[int, float]], planted: float) -> None:
    """The relative uplift is recovered within 4 standard errors of the logarithm of the ratio (delta method)."""
    (n_c, control), (n_t, treated) = by_variant["control"], by_variant["personalized"]
    error = ((1 - control) / (n_c * control) + (1 - treated) / (n_t * treated)) ** 0.5
    assert error < planted / 3, "too few to tell the planted uplift from none"
    assert abs(treated / control / (1 + planted) - 1) < 4 * error


def test_an_action_follows_its_trigger_and_belongs_to_the_same_profile(plain: tuple[Scenario, list[Happening]]) -> None:
    seen: dict[str, Happening] = {}
    checked = 0
    for one in plain[1]:
        if one.message.get("event") in ACTIONS:
            trigger = seen[one.message["properties"]["trigger_id"]]
            assert trigger.at_us < one.at_us
            assert who(trigger.message) == who(one.message)
            checked += 1
        seen[one.message["messageId"]] = one
    assert checked > 10_000


@pytest.mark.parametrize("use_case", USE_CASES)
def test_the_latency_has_the_planted_median(plain: tuple[Scenario, list[Happening]], use_case: UseCaseName) -> None:
    of, given = plain
    case = of.truth.use_cases[use_case]
    at_us = {one.message["messageId"]: one.at_us for one in given}
    waits_ms = [(one.at_us - at_us[one.message["properties"]["trigger_id"]]) / 1000 for one in actions(given, use_case)]
    assert len(waits_ms) > 300
    # the median's standard error is 1.2533 sigma / sqrt(n) on the scale of the logarithm
    error = 1.2533 * case.latency_sigma / len(waits_ms) ** 0.5
    assert median(waits_ms) == pytest.approx(case.latency_median_ms, rel=4 * error)


@pytest.mark.parametrize("use_case", USE_CASES)
def test_the_control_share_is_planted_by_profile_and_a_profile_keeps_its_variant(
    plain: tuple[Scenario, list[Happening]], use_case: UseCaseName
) -> None:
    of, given = plain
    case = of.truth.use_cases[use_case]
    variants: dict[str, set[str]] = defaultdict(set)
    for message in exposures(given, case.experiment_id):
        variants[who(message)].add(message["properties"]["variant_id"])
    assert all(len(each) == 1 for each in variants.values())
    controls = [next(iter(each)) for each in variants.values()]
    assert share_of(controls, "control") == pytest.approx(
        case.control_share, abs=band(case.control_share, len(controls))
    )


def test_variants_of_two_experiments_are_independent(plain: tuple[Scenario, list[Happening]]) -> None:
    of, given = plain
    both = [
        {
            who(m)
            for m in exposures(given, of.truth.use_cases[use_case].experiment_id)
            if m["properties"]["variant_id"] == "control"
        }
        for use_case in ("recommendations", "churn")
    ]
    exposed = {who(m) for m in exposures(given, "churn-offer")} & {who(m) for m in exposures(given, "reco-vitrine")}
    controls = both[1] & exposed
    planted = of.truth.use_cases["recommendations"].control_share
    assert len(controls & both[0]) / len(controls) == pytest.approx(planted, abs=band(planted, len(controls)))


def test_the_control_gets_nothing(plain: tuple[Scenario, list[Happening]]) -> None:
    of, given = plain
    for use_case in USE_CASES:
        experiment_id = of.truth.use_cases[use_case].experiment_id
        control = {who(m) for m in exposures(given, experiment_id) if m["properties"]["variant_id"] == "control"}
        assert control
        assert not control & {who(one.message) for one in actions(given, use_case)}


def test_the_global_control_is_viewed_at_the_start_of_every_visit_in_its_planted_shares(
    plain: tuple[Scenario, list[Happening]],
) -> None:
    of, given = plain
    control = of.truth.global_control
    assert control is not None
    viewed = exposures(given, control.experiment_id)
    homes = [one for one in named(given, "page", "screen") if one.message["name"] == "Home"]
    assert [(m["timestamp"], who(m)) for m in viewed] == [(one.message["timestamp"], who(one.message)) for one in homes]
    variants: dict[str, set[str]] = defaultdict(set)
    for message in viewed:
        assert message["properties"]["version"] == control.version
        variants[who(message)].add(message["properties"]["variant_id"])
    assert all(len(each) == 1 for each in variants.values())
    share = share_of([next(iter(each)) for each in variants.values()], "control")
    assert share == pytest.approx(control.control_share, abs=band(control.control_share, len(variants)))


def test_whom_the_global_control_holds_out_is_in_no_experiment_and_gets_nothing(
    plain: tuple[Scenario, list[Happening]],
) -> None:
    of, given = plain
    viewed = exposures(given, "global-control")
    held_out = {who(m) for m in viewed if m["properties"]["variant_id"] == "control"}
    assert len(held_out) > 1000
    for case in of.truth.use_cases.values():
        assert not held_out & {who(m) for m in exposures(given, case.experiment_id)}
    messages = [one for one in given if str(one.message.get("event", "")).startswith("message_")]
    assert not held_out & {who(one.message) for one in [*named(given, *ACTIONS), *messages]}


def test_a_global_control_that_holds_nobody_out_changes_nothing_else() -> None:
    with_it, without = scenario("global_control.control_share=0.0"), scenario()
    without = msgspec.structs.replace(without, truth=msgspec.structs.replace(without.truth, global_control=None))

    def told(given: list[Happening]) -> list[object]:
        rest = [one for one in given if one.message.get("properties", {}).get("experiment_id") != "global-control"]
        return [(one.at_us, one.message.get("event"), who(one.message)) for one in rest]

    one, other = told(events(with_it, 8_000)), told(events(without, 8_000))
    assert one == other[: len(one)]
    assert len(one) < 8_000


def test_failures_and_suppressions_have_their_planted_rates(plain: tuple[Scenario, list[Happening]]) -> None:
    of, given = plain
    case = of.truth.use_cases["recommendations"]
    counts = Counter(one.message["event"] for one in actions(given, "recommendations"))
    delivered, failed, suppressed = (counts[name] for name in ACTIONS)
    attempts = delivered + failed
    assert failed / attempts == pytest.approx(0.05, abs=band(0.05, attempts))
    total = attempts + suppressed
    assert suppressed / total == pytest.approx(case.suppressed_share, abs=band(case.suppressed_share, total))
    for one in actions(given, "recommendations"):
        properties = one.message["properties"]
        assert ("error_code" in properties) == (one.message["event"] == "personalization_failed")


def test_nothing_reaches_who_ever_refuses_before_or_after_they_say_so(plain: tuple[Scenario, list[Happening]]) -> None:
    _, given = plain
    answers = named(given, "consent_updated")
    refused = {who(one.message) for one in answers if not one.message["properties"]["granted"]}
    assert len(refused) > 30
    assert not refused & {who(one.message) for one in answers if one.message["properties"]["granted"]}
    messages = [one for one in given if str(one.message.get("event", "")).startswith("message_")]
    reached = {who(one.message) for one in [*named(given, *ACTIONS[:2]), *messages]}
    assert not refused & reached
    suppressed = named(given, "personalization_suppressed")
    of_refused = {one.message["properties"]["reason"] for one in suppressed if who(one.message) in refused}
    assert of_refused == {"consent"}
    assert not reached & {who(one.message) for one in suppressed if one.message["properties"]["reason"] == "consent"}


@pytest.mark.parametrize("use_case", USE_CASES)
def test_consent_suppresses_the_planted_share_of_profiles(
    plain: tuple[Scenario, list[Happening]], use_case: UseCaseName
) -> None:
    of, given = plain
    reasons: dict[str, set[str]] = defaultdict(set)
    for one in actions(given, use_case):
        reasons[who(one.message)].add(one.message["properties"].get("reason", ""))
    refusing = share_of(["consent" in each for each in reasons.values()], True)
    planted = of.truth.refusal_share
    assert refusing == pytest.approx(planted, abs=band(planted, len(reasons)))


def test_the_uplift_of_recommendations_is_recovered_from_visits() -> None:
    of = scenario("use_cases.recommendations.uplift=0.6", "use_cases.recommendations.control_share=0.5")
    given = events(of, 250_000)
    bought = {one.message["properties"]["session_id"] for one in named(given, "purchase")}
    exposed = exposures(given, "reco-vitrine")
    # what is still under way at the end has had no time to buy
    early = [m for m in exposed if m["timestamp"] < given[-20_000].message["timestamp"]]
    assert_ratio(conversion(early, "session_id", bought), of.truth.use_cases["recommendations"].uplift_by_intention)


def test_the_uplift_of_cart_reminders_is_recovered_from_carts() -> None:
    overrides = (
        "recovery_share=0.2",
        "recovery_minutes=2.0",
        "use_cases.cart.control_share=0.5",
        "use_cases.cart.uplift=1.0",
    )
    of = scenario(*overrides, *(f"segments.{name}.cart_share=0.6" for name in ("vip", "returning", "new", "at_risk")))
    given = events(of, 250_000)
    bought = {one.message["properties"]["cart_id"] for one in named(given, "purchase")}
    # an exposure follows the view of the cart that was left, in the same visit
    left = {
        one.message["properties"]["session_id"]: one.message["properties"]["cart_id"]
        for one in named(given, "view_cart")
    }
    exposed = exposures(given, "cart-reminder")
    early = [m for m in exposed if m["timestamp"] < given[-60_000].message["timestamp"]]
    back = {session_id for session_id, cart_id in left.items() if cart_id in bought}
    assert_ratio(conversion(early, "session_id", back), of.truth.use_cases["cart"].uplift_by_intention)


def test_a_failing_integration_fails_at_its_rate_while_it_lasts_and_no_other() -> None:
    incident = Incident(
        kind="failing_integration",
        target="vitrine_web",
        lasts_minutes=10,
        begins_at=START + timedelta(minutes=10),
        strength=0.75,
    )
    of = scenario("use_cases.recommendations.failure_rate=0.0", incidents=(incident,))
    failed: dict[tuple[str, bool], list[bool]] = defaultdict(list)
    for one in actions(events(of, 100_000), "recommendations"):
        properties = one.message["properties"]
        minute = (one.at_us - to_us(START)) / 60e6
        if (
            one.message["event"] != "personalization_suppressed"
            and not 19.9 < minute < 20.2
            and not 9.9 < minute < 10.2
        ):
            failed[properties["integration"], 10 < minute < 20].append(one.message["event"] == "personalization_failed")
    during = failed["vitrine_web", True]
    assert share_of(during, True) == pytest.approx(0.75, abs=band(0.75, len(during)))
    assert not any(failed["vitrine_web", False])
    assert not any(failed["vitrine_app", True])


def test_slow_decisions_take_longer_by_their_factor() -> None:
    slow = Incident(kind="slow_decisions", target="recommendations", lasts_minutes=1e9, strength=8.0)
    given = events(scenario(incidents=(slow,)), 40_000)
    at_us = {one.message["messageId"]: one.at_us for one in given}
    waits_ms = [
        (one.at_us - at_us[one.message["properties"]["trigger_id"]]) / 1000 for one in actions(given, "recommendations")
    ]
    assert median(waits_ms) == pytest.approx(8 * 180, rel=0.06)


def test_a_bad_variant_turns_the_uplift_round() -> None:
    bad = Incident(kind="bad_variant", target="recommendations", lasts_minutes=1e9, strength=-0.8)
    of = scenario("use_cases.recommendations.control_share=0.5", incidents=(bad,))
    given = events(of, 150_000)
    bought = {one.message["properties"]["session_id"] for one in named(given, "purchase")}
    by_variant = conversion(exposures(given, "reco-vitrine"), "session_id", bought)
    assert by_variant["personalized"][1] < 0.5 * by_variant["control"][1]


def test_a_message_is_sent_before_it_is_delivered_and_delivered_before_it_is_read(
    plain: tuple[Scenario, list[Happening]],
) -> None:
    steps: dict[str, list[str]] = defaultdict(list)
    for one in plain[1]:
        if str(one.message.get("event", "")).startswith("message_"):
            steps[one.message["properties"]["delivery_id"]].append(one.message["event"])
    assert len(steps) > 1000
    for each in steps.values():
        assert each[0] == "message_sent"
        assert each[1:2] in ([], ["message_delivered"])
        assert len(set(each)) == len(each)


def test_people_answer_on_whatsapp_at_the_planted_rate(plain: tuple[Scenario, list[Happening]]) -> None:
    of, given = plain
    by_channel: Counter[tuple[str, str]] = Counter()
    horizon_us = given[-1].at_us - 40 * 60_000_000  # older than nearly every answer takes
    delivered = {
        one.message["properties"]["delivery_id"] for one in named(given, "message_delivered") if one.at_us < horizon_us
    }
    for one in named(given, "message_delivered", "message_replied"):
        if one.message["properties"]["delivery_id"] in delivered:
            by_channel[one.message["properties"]["channel"], one.message["event"]] += 1
    n = by_channel["whatsapp", "message_delivered"]
    planted = of.truth.messages["whatsapp"].replied
    assert by_channel["whatsapp", "message_replied"] / n == pytest.approx(planted, abs=band(planted, n))
    assert by_channel["push", "message_replied"] == 0
