"""Messages, impressions, recommendations and offers, one by one."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from tests.oracle.facts import DAY, HOUR, Cell, Event, History, Tally, any_within, by_person


def message_tally(history: History) -> Tally:
    """One message per source and delivery id; it belongs to the day it was sent, else to that of its delivery."""
    steps: dict[tuple[str, str], dict[str, list[Event]]] = defaultdict(lambda: defaultdict(list))
    for event in history.events:
        if event.name.startswith("message_"):
            steps[event.source, event.sent()["delivery_id"]][event.name.removeprefix("message_")].append(event)
    orders = by_person(history.orders())
    tally = Tally()
    for message in steps.values():
        anchor = _first(message.get("sent", [])) or _first(message.get("delivered", []))
        if anchor:
            for measure in _of_message(message, orders.get(anchor.person, [])):
                tally[_cell(history, anchor, "messages", measure)] += 1
    return tally


def _of_message(message: dict[str, list[Event]], orders: Sequence[Event]) -> Iterator[str]:
    sent, delivered = _first(message.get("sent", [])), _first(message.get("delivered", []))
    if sent:
        yield "messages_sent"
        if delivered and delivered.at - sent.at <= 24 * HOUR:
            yield "messages_sent_delivered"
    if not delivered:
        return
    yield "messages_delivered"
    for step, days in (("opened", 7), ("clicked", 5), ("replied", 7), ("unsubscribed", 7)):
        if any_within(message.get(step, []), delivered.at, days * DAY):
            yield f"messages_{step}"
    click = _first(message.get("clicked", []))
    if click and any_within(orders, click.at, 5 * DAY):
        yield "messages_converted"


def impression_tally(history: History) -> Tally:
    """A click counts when it comes at most 24 hours after the impression, or before it, as clocks differ."""
    clicks: dict[tuple[str | None, ...], list[int]] = defaultdict(list)
    for event in history.named("personalization_clicked"):
        clicks[event.source, event.person, event.experience_id, event.trigger_id].append(event.at)
    tally = Tally()
    for event in history.named("personalization_delivered"):
        own = clicks.get((event.source, event.person, event.experience_id, event.trigger_id), [])
        tally[_cell(history, event, "impressions", "impressions")] += 1
        clicked = event.trigger_id is not None and any(at - event.at <= 24 * HOUR for at in own)
        tally[_cell(history, event, "impressions", "impressions_clicked")] += clicked
    return tally


class Bought(NamedTuple):
    order: Event
    item_id: str
    value_cents: int


def recommendation_tally(history: History) -> Tally:
    clicks: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in history.named("select_item"):
        if event.item_id and str(event.sent().get("item_list_id")).startswith("reco:"):
            clicks[event.person, event.item_id].append(event)
    bought: dict[tuple[str, str], list[Event]] = defaultdict(list)
    tally = Tally()
    for one in items(history):
        bought[one.order.person, one.item_id].append(one.order)
        since = [one.order.at - click.at for click in clicks.get((one.order.person, one.item_id), [])]
        for name, window in (("24h", 24 * HOUR), ("7d", 7 * DAY)):
            counts = any(0 <= wait <= window for wait in since)
            cell = _by_segment(history, one.order, "recommendations", f"reco_value_{name}_cents")
            tally[cell] += one.value_cents if counts else 0
    for key, events in clicks.items():
        for click in events:
            converted = any_within(bought.get(key, []), click.at, 24 * HOUR)
            tally[_by_segment(history, click, "recommendations", "reco_item_clicks")] += 1
            tally[_by_segment(history, click, "recommendations", "reco_converted")] += converted
    return tally


def items(history: History) -> Iterator[Bought]:
    """What was bought: price times quantity in whole cents."""
    for order in history.orders():
        for item in order.sent().get("items", []):
            exact = Decimal(repr(item["price"])) * Decimal(repr(item.get("quantity", 1))) * 100
            yield Bought(order, item["item_id"], int(exact.quantize(Decimal(1), ROUND_HALF_EVEN)))


def offer_tally(history: History) -> Tally:
    """An offer shown counts once per person, promotion and day, taken within 24 hours of the day's first view."""
    taken: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in history.named("select_promotion"):
        taken[event.person, event.sent()["promotion_id"]].append(event)
    tally, seen = Tally(), set()
    for event in history.named("view_promotion"):
        promotion = (event.person, event.sent()["promotion_id"])
        if (*promotion, history.day(event.at)) in seen:
            continue
        seen.add((*promotion, history.day(event.at)))
        is_taken = any_within(taken.get(promotion, []), event.at, 24 * HOUR)
        tally[_by_segment(history, event, "offers", "offers_shown")] += 1
        tally[_by_segment(history, event, "offers", "offers_taken")] += is_taken
    return tally


def _first(events: Sequence[Event]) -> Event | None:
    return min(events, key=lambda event: (event.at, event.message_id), default=None)


def _cell(history: History, event: Event, family: str, measure: str) -> Cell:
    plain = _by_segment(history, event, family, measure)
    return plain._replace(use_case=event.use_case, experience_id=event.experience_id)


def _by_segment(history: History, event: Event, family: str, measure: str) -> Cell:
    return Cell(history.day(event.at), family, measure, None, event.channel, event.segment)
