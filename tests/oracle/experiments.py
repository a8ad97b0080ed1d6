"""Experiments, one profile after the other: who was exposed to what, what they did since, and the sums over them.

From the definitions in statistics.md sections 3, 4, 7, 9 and 11 and kpis.md section 8. The metrics are written down
here once more, by their names. Every number is computed from the events, whole, each time it is asked for.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from cockpit.experiments.rules import Rules
from tests.oracle.facts import DAY, Event, History, by_person, in_time
from tests.oracle.visits import sessions

Version = tuple[str, str]  # experiment and version
Totals = Counter[str]


class Exposure(NamedTuple):
    """The columns of the table, instants in microseconds."""

    experiment_id: str
    version: str
    profile_id: str
    variant_id: str
    day: date
    first_exposed_at: int
    epoch: int
    segment: str | None
    channel: str | None
    watched_days: int | None  # whole times 24 hours until the version's end, None while it has none
    is_mixed: bool
    is_contaminated: bool
    was_buyer: bool
    pre_orders: int
    pre_value_cents: int
    pre_sessions: int


class Outcome(NamedTuple):
    """So much was added to one total, on this day, so many whole days of 24 hours after the first exposure."""

    day: date
    age_days: int
    total: str
    amount: int


class Exposed(NamedTuple):
    exposure: Exposure
    outcomes: list[Outcome]

    def until(self, day: date) -> Totals:
        return added_up(one for one in self.outcomes if one.day <= day)

    def younger_than(self, days: int) -> Totals:
        return added_up(one for one in self.outcomes if one.age_days < days)

    def in_week(self, monday: date) -> Totals:
        return added_up(one for one in self.outcomes if monday_of(one.day) == monday)


class Counted(NamedTuple):
    """When what a profile does is an outcome, in microseconds."""

    since: int
    ends: float  # not included

    @classmethod
    def of(cls, rules: Rules, first: int) -> "Counted":
        return cls(first, float("inf") if rules.ends_us is None else rules.ends_us)

    def has(self, event: Event) -> bool:
        return self.since <= event.at < self.ends


class Life(NamedTuple):
    """All of one profile: its events and its client sessions, in order of time."""

    events: list[Event]
    sessions: list[list[Event]]


def added_up(outcomes: Iterable[Outcome]) -> Totals:
    totals: Totals = Counter()
    for one in outcomes:
        totals[one.total] += one.amount
    return totals


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def exposed(history: History, registered: Mapping[Version, Rules]) -> dict[Version, list[Exposed]]:
    """Of every version that was registered or seen, the profiles that count, by profile."""
    found: dict[Version, list[Exposed]] = defaultdict(list)
    for life in lives(history).values():
        for (experiment_id, version), views in views_by_version(life).items():
            rules = registered.get((experiment_id, version), Rules(experiment_id, version))
            exposure = exposure_of(history, rules, views, life)
            if exposure:
                counted = Counted.of(rules, exposure.first_exposed_at)
                found[experiment_id, version].append(Exposed(exposure, outcomes_of(history, counted, life)))
    return dict(found)


def lives(history: History) -> dict[str, Life]:
    own = defaultdict(list)
    for session in sessions(history):
        own[session[0].person].append(session)
    return {person: Life(in_time(events), own[person]) for person, events in by_person(history.events).items()}


def views_by_version(life: Life) -> dict[Version, list[Event]]:
    views = defaultdict(list)
    for event in life.events:
        if event.name == "experiment_viewed" and {"experiment_id", "variant_id"} <= event.sent().keys():
            views[event.sent()["experiment_id"], event.sent().get("version") or "1"].append(event)
    return views


def variant_of(view: Event) -> str:
    return str(view.sent()["variant_id"])


def exposure_of(history: History, rules: Rules, views: list[Event], life: Life) -> Exposure | None:
    """By the first view inside the enrolment; None where there is none."""
    enrolled = [view for view in views if _is_in_span(rules, view.at)]
    if not enrolled:
        return None
    first = min(enrolled, key=lambda view: (view.at, variant_of(view), view.segment or "", view.channel or ""))
    counted, variant = Counted.of(rules, first.at), variant_of(first)
    before = [event for event in life.events if event.order and event.at < first.at]
    lately = first.at - rules.lookback_days * DAY
    return Exposure(
        rules.experiment_id,
        rules.version,
        first.person,
        variant,
        day=history.day(first.at),
        first_exposed_at=first.at,
        epoch=sum(change <= first.at for change in rules.epochs_us),
        segment=first.segment,
        channel=first.channel,
        watched_days=None if rules.ends_us is None else (rules.ends_us - first.at) // DAY,
        is_mixed=len({_told_apart(rules, variant_of(view)) for view in views if counted.has(view)}) > 1,
        is_contaminated=variant == rules.control and any(_is_withheld(rules, event, counted) for event in life.events),
        was_buyer=bool(before),
        pre_orders=sum(order.at >= lately for order in before),
        pre_value_cents=sum(order.money or 0 for order in before if order.at >= lately),
        pre_sessions=sum(lately <= session[0].at < first.at for session in life.sessions),
    )


def _is_in_span(rules: Rules, at: int) -> bool:
    return any(begins <= at and (ends is None or at < ends) for begins, ends in rules.enrolment)


def _told_apart(rules: Rules, variant: str) -> str | bool:
    """By the variant; where treatments move, by whether it is the control."""
    return variant == rules.control if rules.treatments_move else variant


def _is_withheld(rules: Rules, event: Event, counted: Counted) -> bool:
    """A personalization that a control should not have got."""
    is_meant = rules.use_case is not None and rules.use_case in ("*", event.use_case)
    return event.name == "personalization_delivered" and is_meant and counted.has(event)


def outcomes_of(history: History, counted: Counted, life: Life) -> list[Outcome]:
    return [
        Outcome(history.day(at), (at - counted.since) // DAY, total, amount)
        for at, total, amount in _outcomes(counted, life)
        if amount
    ]


def _outcomes(counted: Counted, life: Life) -> Iterator[tuple[int, str, int]]:
    """What adds to which total, and when; a session that had begun before counts from the exposure."""
    for event in life.events:
        if counted.has(event):
            for total, amount in _of_event(event):
                yield event.at, total, amount
    for session in life.sessions:
        began = max(session[0].at, counted.since)
        if session[-1].at >= counted.since and began < counted.ends:
            yield began, "sessions", 1
            yield began, "returns", int(session[0].at > counted.since)
            yield began, "converted_sessions", int(any(event.order and counted.has(event) for event in session))


def _of_event(event: Event) -> Iterator[tuple[str, int]]:
    if event.order:
        yield "orders", 1
        yield "value_cents", event.money or 0
        if event.money is not None and event.cost_cents is not None:
            yield "costed_value_cents", event.money
            yield "cost_cents", event.cost_cents
    elif event.name == "refund":
        yield "refund_cents", event.money or 0
    elif event.name == "message_unsubscribed":
        yield "unsubscribes", 1
    elif event.name == "subscription_cancelled":
        yield "cancellations", 1
    elif event.name == "nps_response" and 0 <= event.sent()["score"] <= 10:
        yield "responses", 1
        yield "promoters", int(event.sent()["score"] >= 9)
        yield "detractors", int(event.sent()["score"] <= 6)


Total = Callable[[Totals], int]


class Metric(NamedTuple):
    """How y, and for a ratio z, come of a profile's totals. `has_past`: the same is known from before the exposure."""

    y: Total
    z: Total = lambda _: 0
    has_past: bool = False
    days: int | None = None  # counts what happened so many days from the exposure, once they have passed
    of_buyers: bool = False
    is_capped: bool = False  # since the start; a week's are as they are


def windowed(days: int, y: Total, *, of_buyers: bool = False, has_past: bool = True) -> Metric:
    return Metric(y, has_past=has_past, days=days, of_buyers=of_buyers)


def _ordered(totals: Totals) -> int:
    return int(totals["orders"] > 0)


def _value(totals: Totals) -> int:
    return totals["value_cents"]


METRICS: dict[str, Metric] = {
    "conversion_rate_profile": Metric(_ordered, has_past=True),
    "revenue_per_profile": Metric(_value, has_past=True),
    "orders_per_profile": Metric(lambda totals: totals["orders"], has_past=True),
    "sessions_per_profile": Metric(lambda totals: totals["sessions"], has_past=True),
    "return_rate": Metric(lambda totals: int(totals["returns"] > 0)),
    "aov": Metric(_value, lambda totals: totals["orders"], has_past=True),
    "revenue_per_session": Metric(_value, lambda totals: totals["sessions"], has_past=True),
    "conversion_rate_session": Metric(lambda totals: totals["converted_sessions"], lambda totals: totals["sessions"]),
    "margin_per_profile": Metric(
        lambda totals: totals["costed_value_cents"] - totals["cost_cents"] - totals["refund_cents"], is_capped=True
    ),
    "net_revenue_per_profile": Metric(lambda totals: totals["value_cents"] - totals["refund_cents"], is_capped=True),
    "unsubscribe_rate_profile": Metric(lambda totals: int(totals["unsubscribes"] > 0)),
    "nps": Metric(lambda totals: totals["promoters"] - totals["detractors"], lambda totals: totals["responses"]),
    "repurchase_rate_30d": windowed(30, _ordered, of_buyers=True),
    "repurchase_rate_60d": windowed(60, _ordered, of_buyers=True),
    "repurchase_rate_90d": windowed(90, _ordered, of_buyers=True),
    "inactive_rate_60d": windowed(60, lambda totals: 1 - _ordered(totals), of_buyers=True),
    "cancellation_rate_30d": windowed(30, lambda totals: int(totals["cancellations"] > 0), has_past=False),
    "ltv_30d": windowed(30, _value),
    "ltv_90d": windowed(90, _value),
}


class Sums(NamedTuple):
    """The sums over profiles, under their names in the tables."""

    n: int = 0
    nonzero: int = 0
    y: int = 0
    z: int = 0
    x: int = 0
    w: int = 0
    yy: int = 0
    yz: int = 0
    yx: int = 0
    yw: int = 0
    zz: int = 0
    zx: int = 0
    zw: int = 0
    xx: int = 0
    xw: int = 0
    ww: int = 0


def sums(profiles: Iterable[tuple[int, int, int, int]]) -> Sums:
    """Of the y, z, x and w of each profile."""
    rows = list(profiles)

    def products(one: int, other: int) -> int:
        return sum(row[one] * row[other] for row in rows)

    return Sums(
        len(rows),
        sum(row[0] != 0 for row in rows),
        *(sum(row[place] for row in rows) for place in range(4)),
        *(products(one, other) for one in range(4) for other in range(one, 4)),
    )


Group = tuple[str, int, str | None, str | None]  # variant, epoch, segment, channel
Caps = tuple[int, int] | None


def group_of(exposure: Exposure) -> Group:
    return exposure.variant_id, exposure.epoch, exposure.segment, exposure.channel


def caps(profiles: Sequence[Exposed], metric: Metric, today: date) -> Caps:
    """P1 and P99 by nearest rank of the totals that are not 0, as of the end of yesterday; None without any.

    0 lies between them always: who did nothing neither earned nor lost anything.
    """
    yesterday = today - timedelta(days=1)
    totals = (metric.y(one.until(yesterday)) for one in profiles if not one.exposure.is_mixed)
    ranked = sorted(total for total in totals if total)
    if not metric.is_capped or not ranked:
        return None
    low, high = ranked[-(-len(ranked) // 100) - 1], ranked[-(-len(ranked) * 99 // 100) - 1]
    return min(0, low), max(0, high)


def since_start(profiles: Sequence[Exposed], metric: Metric, until: date, today: date) -> dict[Group, Sums]:
    """As of the end of a day; the caps are today's."""
    limits = caps(profiles, metric, today)
    found: dict[Group, list[tuple[int, int, int, int]]] = defaultdict(list)
    for one in profiles:
        if _counts(one.exposure, metric, until, today):
            totals = one.until(until) if metric.days is None else one.younger_than(metric.days)
            found[group_of(one.exposure)].append(_values(metric, totals, one.exposure, limits))
    return {group: sums(values) for group, values in found.items()}


def _counts(exposure: Exposure, metric: Metric, until: date, today: date) -> bool:
    """Exposed by then; for what takes days, so long ago, and before the end, that they have all passed."""
    if exposure.is_mixed or (metric.of_buyers and not exposure.was_buyer):
        return False
    if metric.days is not None and exposure.watched_days is not None and exposure.watched_days < metric.days:
        return False
    ripe = exposure.day + timedelta(days=metric.days or 0)
    return ripe <= until and (metric.days is None or ripe < today)


def _values(metric: Metric, totals: Totals, exposure: Exposure, limits: Caps) -> tuple[int, int, int, int]:
    y = metric.y(totals)
    if limits:
        y = max(limits[0], min(limits[1], y))
    past = Counter(orders=exposure.pre_orders, value_cents=exposure.pre_value_cents, sessions=exposure.pre_sessions)
    return y, metric.z(totals), *((metric.y(past), metric.z(past)) if metric.has_past else (0, 0))


def weeks(profiles: Sequence[Exposed], metric: Metric) -> dict[tuple[date, Group], Sums]:
    """Of what happened inside each week, where anything did; how many were exposed is not said here: n is 0."""
    found: dict[tuple[date, Group], list[tuple[int, int, int, int]]] = defaultdict(list)
    for one in profiles:
        if not one.exposure.is_mixed:
            for monday in sorted({monday_of(outcome.day) for outcome in one.outcomes}):
                totals = one.in_week(monday)
                found[monday, group_of(one.exposure)].append((metric.y(totals), metric.z(totals), 0, 0))
    return {key: sums(values)._replace(n=0) for key, values in found.items()}
