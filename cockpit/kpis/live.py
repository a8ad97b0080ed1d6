"""The live snapshot: what the feed publishes and the operational page draws.

Instants are whole ms since 1970; null is unknown.
"""

from typing import Literal

import msgspec


class Quantiles(msgspec.Struct, frozen=True):
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    n: int


class Today(msgspec.Struct, frozen=True, kw_only=True):
    """The business day so far, by occurred_at."""

    events: int
    events_by_name: dict[str, int]
    profiles: int
    sessions: int
    buyers: int
    orders: int
    revenue_cents: int | None
    conversion_rate: float | None
    revenue_per_profile_cents: float | None
    gross_margin_cents: int | None
    gross_margin_rate: float | None
    margin_coverage: float | None
    delivered: int
    failed: int
    suppressed: int


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """One channel, or all. The 5 minutes are the running minute and the four before it."""

    active_sessions: int
    events_per_minute: int | None
    deliveries_per_minute: int | None
    error_rate_5m: float | None
    attempts_5m: int
    latency_5m: Quantiles
    last_event_at: int | None
    today: Today


class MinuteScope(msgspec.Struct, frozen=True, kw_only=True):
    events: dict[str, int]
    delivered: int
    failed: int
    suppressed: int
    error_rate: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    actions: int


class Minute(msgspec.Struct, frozen=True):
    minute: int
    scopes: dict[str, MinuteScope]


class Active(msgspec.Struct, frozen=True):
    """Sessions whose last client-side event is at most five minutes old."""

    channel: str
    segment: str | None
    sessions: int


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """What the log holds and the tables do not yet."""

    entries: int
    events: int
    oldest_age_s: float | None
    in_per_s: float | None
    out_per_s: float | None


class IntakeToday(msgspec.Struct, frozen=True, kw_only=True):
    """By received_at: received = stored + duplicate + refused, always."""

    received: int
    stored: int
    duplicate: int
    refused: int
    refused_by_code: dict[str, int]


class OpenAlert(msgspec.Struct, frozen=True, kw_only=True):
    """`title`: the rule and what it is about, by language. `since`: since when it has been wrong."""

    fingerprint: str
    title: dict[str, str]
    state: str
    severity: str
    since: int | None
    is_acked: bool


class Alerts(msgspec.Struct, frozen=True, kw_only=True):
    """What goes on, as of the last round of evaluation; null: none has ended. `worst`: the first of them.

    `critical` and `warning` count what is beyond a limit or recovering, `no_data` what nobody can say that of.
    """

    evaluated_at: int | None
    critical: int
    warning: int
    no_data: int
    worst: list[OpenAlert]


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    op: Literal["snapshot"] = "snapshot"
    seq: int
    feed: str
    full: bool
    published_at: int
    processed_at: int | None
    last_event_at: int | None
    last_received_at: int | None
    demo: bool
    time_zone: str
    currency: str
    day_start: int
    queue: Queue
    intake_today: IntakeToday
    scopes: dict[str, Scope]
    sessions: list[Active]
    minutes: list[Minute]
    alerts: Alerts | None = None
