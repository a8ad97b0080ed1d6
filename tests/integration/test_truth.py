"""What is planted in the simulated shop comes out of the KPIs, through the log, the parts and the derived tables.

A share of n independent events lies within 3.9 standard errors of what was planted in 9,999 of 10,000 cases, and so
does the quantile q of n lognormal times: its relative error is sigma * sqrt(q (1 - q) / n) / density of the normal
distribution there, to which the histogram adds its 1 % and the millisecond of the timestamps its own. The seed is
fixed, so a failure is a bug or one of those cases, the same every time.
"""

from collections import Counter
from math import exp, sqrt
from random import Random
from statistics import NormalDist

import pytest

from cockpit.kpis.registry import value
from cockpit.measures.histogram import RELATIVE_ERROR
from cockpit.simulator.shop import Shop
from cockpit.simulator.stream import happenings
from cockpit.simulator.truth import Scenario, load
from tests.oracle.pipeline import Pipeline
from tests.oracle.stream import DEMO, START, ZONE, drafts, through_network
from tests.simulator.shop import band

EVENTS = 25_000
ERRORS = 3.9
PLANTED = [
    "incidents=[]", "visits_per_second=0.05", "season_depth=0.0", "recovery_share=0.0", "refund_share=0.2",
    "use_cases.recommendations.failure_rate=0.1", "use_cases.recommendations.uplift=0.0", "use_cases.cart.uplift=0.0",
    "use_cases.churn.uplift=0.0", "segments.vip.cart_share=0.6", "segments.new.cart_share=0.3",
    "segments.returning.cart_share=0.5", "segments.at_risk.cart_share=0.4",
]  # fmt: skip


@pytest.fixture(scope="module")
def planted() -> Scenario:
    return load(DEMO.read_text(encoding="utf-8"), PLANTED)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, planted: Scenario) -> Pipeline:
    """Two days of that shop, over a network that delays and doubles."""
    shop = happenings(planted, Random(11), run="t", start=START, zone=ZONE)
    made = sorted(through_network([next(shop) for _ in range(EVENTS)], Random(12)), key=lambda sent: sent.received_us)
    entries = list(drafts(made, Random(13), 5_000))
    product = Pipeline(tmp_path_factory.mktemp("truth"))
    product.append(entries)
    product.take_in(entries[-1][1])
    return product


def measures(product: Pipeline, family: str, **dimensions: str) -> dict[str, int]:
    """A family's measures, added up over what has these dimensions."""
    found: Counter[str] = Counter()
    for cell, number in product.day_measures().items():
        if cell.family == family and all(getattr(cell, name) == wanted for name, wanted in dimensions.items()):
            found[cell.measure] += number
    return dict(found)


def events(product: Pipeline, use_case: str) -> dict[str, int]:
    """The measures of personalizations of a use case, from the events by name and reason."""
    found: Counter[str] = Counter()
    rows = product.rows("event_measures").select("name", "use_case", "reason", "events")
    for name, case, reason, count in rows.iter_rows():
        if case == use_case and name.startswith("personalization_"):
            found[name.removeprefix("personalization_")] += count
            found["fallbacks"] += count if (name, reason) == ("personalization_delivered", "fallback") else 0
    return dict(found)


def assert_share(kpi_id: str, found: dict[str, int], planted: float, n: str) -> None:
    got = value(kpi_id, found)
    assert got is not None
    assert abs(got - planted) < band(planted, found[n]), f"{kpi_id} {got:.4f}, planted {planted:.4f} of {found[n]}"


@pytest.mark.parametrize("segment", ["vip", "returning", "new", "at_risk"])
def test_conversion_per_session_is_the_planted_one_of_each_segment(
    product: Pipeline, planted: Scenario, segment: str
) -> None:
    truth = planted.truth
    carts = truth.view_share * truth.segments[segment].cart_share
    found = measures(product, "sessions", segment=segment)
    assert_share("conversion_rate_session", found, carts * truth.checkout_share * truth.purchase_share, "sessions")


def test_steps_of_the_funnel_are_the_planted_shares(product: Pipeline, planted: Scenario) -> None:
    truth, found = planted.truth, measures(product, "sessions")
    assert_share("checkout_abandonment_rate", found, 1 - truth.purchase_share, "checkout_sessions")
    got = found["step_begin_checkout"] / found["step_add_to_cart"]
    assert abs(got - truth.checkout_share) < band(truth.checkout_share, found["step_add_to_cart"])
    got = found["step_view_item"] / found["sessions"]
    assert abs(got - truth.view_share) < band(truth.view_share, found["sessions"])


def test_orders_are_worth_what_the_shelves_and_the_baskets_say(product: Pipeline, planted: Scenario) -> None:
    """The first x of the shelf are drawn with a chance of sqrt(x); 3 in 10 of those who saw two products take both."""
    products = Shop(planted.catalogue).products
    chances = [sqrt((place + 1) / len(products)) - sqrt(place / len(products)) for place in range(len(products))]
    price = sum(chance * one.price_cents for chance, one in zip(chances, products, strict=True))
    spread = sum(chance * one.price_cents**2 for chance, one in zip(chances, products, strict=True))
    pieces, squares, items = 0.85 + 0.15 * 2, 0.85 + 0.15 * 4, 1 + 0.3 * 0.6
    worth = items * pieces * price
    variance = items * (squares * spread - (pieces * price) ** 2) + 0.18 * 0.82 * (pieces * price) ** 2
    found = measures(product, "orders")
    got = value("aov", found)
    assert got is not None
    assert abs(got - worth) < ERRORS * sqrt(variance / found["orders"]), f"{got:.0f} cents, planted {worth:.0f}"


def test_coupons_and_refunds_have_their_planted_shares(product: Pipeline, planted: Scenario) -> None:
    found = measures(product, "orders")
    assert_share("coupon_order_rate", found, planted.truth.coupon_share, "orders")
    assert_share("refund_rate", found, planted.truth.refund_share, "orders")


@pytest.mark.parametrize("use_case", ["recommendations", "cart", "churn"])
def test_errors_suppressions_and_fallbacks_have_their_planted_rates(
    product: Pipeline, planted: Scenario, use_case: str
) -> None:
    case = next(one for name, one in planted.truth.use_cases.items() if name == use_case)
    found = events(product, use_case)
    found["attempts"] = found["delivered"] + found.get("failed", 0)
    found["decisions"] = found["attempts"] + found["suppressed"]
    assert_share("personalization_error_rate", found, case.failure_rate, "attempts")
    assert_share("suppression_rate", found, case.suppressed_share, "decisions")
    if case.fallback_share:
        assert_share("fallback_rate", found, case.fallback_share, "delivered")


@pytest.mark.parametrize("use_case", ["recommendations", "cart", "churn"])
@pytest.mark.parametrize(("kpi_id", "q"), [("event_to_action_ms_p50", 0.5), ("event_to_action_ms", 0.95)])
def test_latency_from_event_to_action_is_the_planted_one(
    product: Pipeline, planted: Scenario, use_case: str, kpi_id: str, q: float
) -> None:
    case = next(one for name, one in planted.truth.use_cases.items() if name == use_case)
    buckets: Counter[int] = Counter()
    rows = product.rows("latency_measures").select("stage", "use_case", "bucket", "actions")
    for stage, name, bucket, actions in rows.iter_rows():
        if (stage, name) == ("event_to_action", use_case):
            buckets[bucket] += actions
    normal = NormalDist()
    z = normal.inv_cdf(q)
    wanted_ms = case.latency_median_ms * exp(case.latency_sigma * z)
    error = case.latency_sigma * sqrt(q * (1 - q) / buckets.total()) / normal.pdf(z)
    got = value(kpi_id, {"event_to_action_us": dict(buckets)})
    assert got is not None
    assert abs(got / wanted_ms - 1) < ERRORS * error + RELATIVE_ERROR + 1 / wanted_ms, f"{got:.0f} of {wanted_ms:.0f}"


@pytest.mark.parametrize("channel", ["whatsapp", "email", "push"])
def test_messages_are_delivered_opened_and_clicked_as_planted(
    product: Pipeline, planted: Scenario, channel: str
) -> None:
    rates = planted.truth.messages[channel]
    found = measures(product, "messages", channel=channel)
    assert_share("message_delivery_rate", found, rates.delivered, "messages_sent")
    assert_share("message_open_rate", found, rates.opened, "messages_delivered")
    assert_share("message_click_rate", found, rates.clicked, "messages_delivered")
