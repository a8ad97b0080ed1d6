"""Orders and refunds, buyers over time, tickets, answers to NPS and cancelled subscriptions, one by one."""

from collections import Counter, defaultdict
from collections.abc import Iterator

import polars as pl

from cockpit.measures.histogram import bucket_of
from tests.oracle.facts import DAY, Cell, Event, History, Tally, by_person, in_time


def order_tally(history: History) -> Tally:
    tally = Tally()
    orders = history.orders()
    by_transaction: dict[tuple[str, str | None], Event] = {
        (order.source, order.transaction_id): order for order in orders if order.transaction_id
    }
    for order in orders:
        value = order.money
        cost = order.cost_cents if value is not None else None
        tally[_of_source(history, order, "orders")] += 1
        tally[_of_source(history, order, "value_cents")] += value or 0
        tally[_of_source(history, order, "costed_value_cents")] += (value or 0) if cost is not None else 0
        tally[_of_source(history, order, "cost_cents")] += cost or 0
        tally[_of_source(history, order, "coupon_orders")] += order.coupon is not None
    for refund in history.named("refund"):
        about = by_transaction.get((refund.source, refund.transaction_id), refund)
        tally[_of_source(history, about, "refunds")] += 1
        tally[_of_source(history, about, "refund_cents")] += refund.money or 0
    return tally


def retention_tally(history: History) -> Tally:
    tally = Tally()
    for orders in by_person(history.orders()).values():
        first = orders[0]
        age = [order.at - first.at for order in orders]
        tally[_plain(history, first, "retention", "new_buyers")] += 1
        for days in (30, 60, 90):
            again = len(orders) > 1 and age[1] <= days * DAY
            tally[_plain(history, first, "retention", f"repurchased_{days}d")] += again
        for days in (90, 365):
            young = [order for order, since in zip(orders, age, strict=True) if since <= days * DAY]
            tally[_plain(history, first, "retention", f"ltv_{days}d_cents")] += sum(one.money or 0 for one in young)
            tally[_plain(history, first, "retention", f"ltv_{days}d_margin_cents")] += sum(map(_margin, young))
    return tally


def _margin(order: Event) -> int:
    """Value less cost where both are known."""
    return order.money - order.cost_cents if order.money is not None and order.cost_cents is not None else 0


def tickets(history: History) -> list[list[Event]]:
    found: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in history.named("support_ticket_opened", "support_ticket_replied", "support_ticket_resolved"):
        found[event.source, event.sent()["ticket_id"]].append(event)
    return list(found.values())


def ticket_tally(history: History) -> Tally:
    tally = Tally()
    for events in tickets(history):
        opened = next((event for event in events if event.name.endswith("opened")), None)
        if opened:
            for measure in _of_ticket(events, opened):
                tally[_plain(history, opened, "tickets", measure)] += 1
    return tally


def _of_ticket(events: list[Event], opened: Event) -> Iterator[str]:
    answers = [event for event in events if _author(event) in ("agent", "bot")]
    yield "tickets_opened"
    if answers and answers[0].at - opened.at <= DAY:
        yield "tickets_answered"
    if (took := resolution_us(events, opened)) is not None and took <= 7 * DAY:
        yield "tickets_resolved"
    if answers and _author(answers[0]) == "bot":
        yield "tickets_bot_first"
        if any(_author(event) == "agent" for event in answers[1:]):
            yield "tickets_handed_over"


def resolution_us(events: list[Event], opened: Event) -> int | None:
    """From the opening to the resolution that holds; None while the last word on the ticket is another."""
    last = in_time(events)[-1]
    return last.at - opened.at if last.name == "support_ticket_resolved" else None


def _author(event: Event) -> str | None:
    return event.sent().get("author") if event.name == "support_ticket_replied" else None


def nps_tally(history: History) -> Tally:
    tally = Tally()
    for event in history.named("nps_response"):
        score = event.sent()["score"]
        if 0 <= score <= 10:
            tally[_plain(history, event, "nps", "nps_responses")] += 1
            tally[_plain(history, event, "nps", "nps_promoters")] += score >= 9
            tally[_plain(history, event, "nps", "nps_detractors")] += score <= 6
    return tally


def subscription_tally(history: History) -> Tally:
    tally = Tally()
    for event in history.named("subscription_cancelled"):
        tally[_plain(history, event, "subscriptions", "subscriptions_cancelled")] += 1
        by_payment = event.reason == "payment"
        tally[_plain(history, event, "subscriptions", "subscriptions_cancelled_payment")] += by_payment
        cell = _plain(history, event, "subscriptions", "subscription_cancelled_cents")
        tally[cell] += event.sent().get("value_cents") or 0
    return tally


def _plain(history: History, event: Event, family: str, measure: str) -> Cell:
    return Cell(history.day(event.at), family, measure, None, event.channel, event.segment)


def _of_source(history: History, event: Event, measure: str) -> Cell:
    return _plain(history, event, "orders", measure)._replace(source=event.source)


def ticket_histograms(history: History) -> Counter[tuple[object, ...]]:
    """Tickets by (opening day, family, measure, channel, segment, bucket of the waiting time)."""
    waits: list[tuple[Event, str, int]] = []
    for events in tickets(history):
        opened = next((event for event in events if event.name.endswith("opened")), None)
        if opened is None:
            continue
        answer = next((event for event in events if _author(event) in ("agent", "bot")), None)
        if answer:
            waits.append((opened, "first_response_us", answer.at - opened.at))
        if (took_us := resolution_us(events, opened)) is not None:
            waits.append((opened, "resolution_us", took_us))
    us = pl.DataFrame({"us": [max(0, wait) for _, _, wait in waits]}, schema={"us": pl.Int64})
    buckets = us.select(bucket_of(pl.col("us"))).to_series()
    return Counter(
        (history.day(opened.at), "tickets", measure, opened.channel, opened.segment, bucket)
        for (opened, measure, _), bucket in zip(waits, buckets, strict=True)
    )
