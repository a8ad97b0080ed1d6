"""Carts, one by one: their activities, the purchase that closes them, the reminder after them."""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from tests.oracle.facts import DAY, HOUR, Cell, Event, History, Tally, by_person

ACTIVITIES = ("add_to_cart", "remove_from_cart", "view_cart", "begin_checkout")
REMINDERS = ("message_sent", "personalization_delivered")
IDLE = 24 * HOUR
WEEK = 7 * DAY
OWED_AFTER = 24 * HOUR


class Cart(NamedTuple):
    """`opened` by the first product put in, active until `last`, and bought if it was bought.

    `last` ends the first run of activities: after a day without one the cart is left, and whoever acts on it again has
    come back to it.
    """

    opened: Event
    last: int
    purchase: Event | None


def cart(activities: list[Event], purchase: Event | None) -> Iterator[Cart]:
    """One or none: without a product put in it is no cart."""
    opened = next((event for event in activities if event.name == "add_to_cart"), None)
    if opened is None:
        return
    last = opened.at
    for event in activities:
        if last < event.at <= last + IDLE:
            last = event.at
    yield Cart(opened, last, purchase)


def carts(history: History) -> Iterator[Cart]:
    """Of each source, person and cart id. A purchase closes the cart; what comes after it is another one."""
    threads: dict[tuple[str, str, str | None], list[Event]] = defaultdict(list)
    for event in history.named(*ACTIVITIES, "purchase"):
        if event.name != "purchase" or event.order:
            threads[event.source, event.person, event.sent().get("cart_id")].append(event)
    for thread in threads.values():
        activities: list[Event] = []
        for event in thread:
            if event.name != "purchase":
                activities.append(event)
            else:
                yield from cart(activities, event)
                activities = []
        yield from cart(activities, None)


def cart_tally(history: History) -> Tally:
    reminders = by_person(event for event in history.named(*REMINDERS) if event.use_case == "cart")
    tally = Tally()
    for one in carts(history):
        opened = one.opened
        for measure in _of_cart(one, reminders.get(opened.person, []), history.now):
            cell = Cell(history.day(opened.at), "carts", measure, opened.source, opened.channel, opened.segment)
            tally[cell] += 1
    return tally


def _of_cart(cart: Cart, reminders: list[Event], now: int) -> Iterator[str]:
    age = now - cart.last
    if age < IDLE:
        return
    yield "carts"
    bought = cart.purchase.at - cart.last if cart.purchase else None
    if bought is not None and bought <= IDLE:
        yield "carts_purchased"
        return
    yield "carts_abandoned"
    reminder = next((one for one in reminders if 0 < one.at - cart.last <= WEEK), None)
    came_too_late = reminder and cart.purchase and cart.purchase.at < reminder.at  # it reminded of nothing
    if reminder and not came_too_late:
        yield "carts_reminded"
        if cart.purchase and 0 <= cart.purchase.at - reminder.at <= WEEK:
            yield "carts_recovered"
        return
    if age >= WEEK:
        yield "carts_unreminded"
        if bought is not None and bought <= WEEK + IDLE:
            yield "carts_returned"
    if OWED_AFTER < age <= WEEK and cart.purchase is None:
        yield "carts_owed"
