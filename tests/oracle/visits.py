"""Sessions, profiles and known events, from single events."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta

from tests.oracle.facts import MINUTE, Cell, Event, History, Tally

GAP = 30 * MINUTE
STEPS = ("home", "view_item", "add_to_cart", "begin_checkout", "purchase")
PAGES = ("page_view", "screen_view")
KNOWN = ("u:", "e:", "p:")
Group = tuple[date, int, str | None, str | None, str]


def sessions(history: History) -> list[list[Event]]:
    """The client events of a person and source, cut where more than 30 minutes pass between two of them."""
    found: list[list[Event]] = []
    last: tuple[str, str, int] = ("", "", 0)
    for event in sorted(
        (event for event in history.events if event.is_client),
        key=lambda event: (event.person, event.source, event.at, event.message_id),
    ):
        if (event.person, event.source) != last[:2] or event.at - last[2] > GAP:
            found.append([])
        found[-1].append(event)
        last = (event.person, event.source, event.at)
    return found


def session_tally(history: History) -> Tally:
    tally = Tally()
    for events in sessions(history):
        first = events[0]
        for measure, value in _of_session(events):
            cell = Cell(history.day(first.at), "sessions", measure, first.source, first.channel, first.segment)
            tally[cell] += value
    return tally


def _of_session(events: list[Event]) -> Iterator[tuple[str, int]]:
    pages = sum(event.name in PAGES for event in events)
    orders = [event for event in events if event.order]
    length_us = events[-1].at - events[0].at
    names = {event.name for event in events}
    checkout = "begin_checkout" in names
    yield "sessions", 1
    yield "session_ms", length_us // 1000
    yield "pages", pages
    yield "engaged_sessions", int(length_us > 10_000_000 or pages >= 2 or bool(orders))
    yield "converted_sessions", int(bool(orders))
    yield "session_value_cents", sum(order.money or 0 for order in orders)
    yield "engagement_ms", sum(_engagement_ms(event) for event in events)
    yield "reco_impressions", sum(_is_of_reco(event, "view_item_list") for event in events)
    yield "reco_clicks", sum(_is_of_reco(event, "select_item") for event in events)
    yield "checkout_sessions", int(checkout)
    yield "checkout_purchased", int(checkout and bool(orders))
    reached = [pages > 0, "view_item" in names, "add_to_cart" in names, checkout, bool(orders)]
    for place, step in enumerate(STEPS):
        yield f"step_{step}", int(any(reached[place:]))


def _engagement_ms(event: Event) -> int:
    return int(event.sent()["engagement_time_msec"]) if "engagement_time_msec" in event.properties else 0


def _is_of_reco(event: Event, name: str) -> bool:
    return event.name == name and str(event.sent().get("item_list_id")).startswith("reco:")


def identity_tally(history: History) -> Tally:
    tally = Tally()
    for event in history.events:
        day = history.day(event.at)
        tally[Cell(day, "identity", "profile_events", event.source)] += 1
        tally[Cell(day, "identity", "known_events", event.source)] += event.person.startswith(KNOWN)
    return tally


def people(history: History, days: range, windows: tuple[int, ...], first: date) -> dict[Group, int]:
    """How many persons each measure has seen in so many days up to a day, by channel and segment ("*": any).

    `days` counts from `first`; the key is (last day, length of the window, channel, segment, measure).
    """
    seen: dict[tuple[date, str | None, str | None, str], set[str]] = defaultdict(set)
    for event in history.events:
        for measure in _roles(event):
            seen[history.day(event.at), event.channel, event.segment, measure].add(event.person)
    found: dict[Group, set[str]] = defaultdict(set)
    ends = [first + timedelta(days=number) for number in days]
    for (day, channel, segment, measure), persons in seen.items():
        for end, length in ((end, length) for end in ends for length in windows):
            if end - timedelta(days=length) < day <= end:
                for group in {("*", "*"), (channel, "*"), ("*", segment), (channel, segment)}:
                    found[end, length, *group, measure] |= persons
    return {group: len(persons) for group, persons in found.items()}


def _roles(event: Event) -> Iterator[str]:
    yield "profiles"
    if event.order:
        yield "buyers"
    if event.name == "personalization_delivered":
        yield "covered_profiles"
    if event.name == "message_sent":
        yield "messaged_profiles"
    if event.name == "experiment_viewed":
        yield "exposed_profiles"
        if event.sent().get("variant_id") == "control":
            yield "control_profiles"
