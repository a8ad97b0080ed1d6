from cockpit.measures.subscriptions import subscription_measures
from tests.fold_tables import DAY, day_of, folded, totals, touch, touches

CANCELLED = "subscription_cancelled"


def test_each_cancellation_counts_payment_failures_also_apart_and_unknown_value_adds_nothing() -> None:
    rows = [
        touch(CANCELLED, 0, subject="1", detail="payment", amount=100),
        touch(CANCELLED, 1, subject="2", detail="voluntary", amount=40),
        touch(CANCELLED, 2, subject=None, detail=None, amount=None),
        touch("refund", 3, detail="payment", amount=7),
    ]
    assert totals(folded(subscription_measures, touches(*rows))) == {
        "subscriptions_cancelled": 3,
        "subscriptions_cancelled_payment": 1,
        "subscription_cancelled_cents": 140,
    }


def test_cancellations_have_their_day_and_dimensions() -> None:
    found = folded(subscription_measures, touches(touch(CANCELLED, DAY, channel="app", segment=None)))
    assert found.select("day", "channel", "segment", "subscriptions_cancelled").rows() == [
        (day_of(DAY), "app", None, 1)
    ]
