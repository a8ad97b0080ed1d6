"""Who sent a frame and when it came: what holds for all of its events."""

from collections.abc import Sequence
from typing import Protocol

import msgspec
from msgspec import Raw

Member = Raw | bytes  # the JSON text of one event, as sent
WEEK_US = 7 * 86_400 * 1_000_000


class Sender(msgspec.Struct, frozen=True):
    """Who the write key stands for. `events`: the only names it may send; None means any."""

    name: str
    is_secret: bool
    currency: str
    events: frozenset[str] | None = None


class Arrival(msgspec.Struct, frozen=True):
    """Instants and the lateness limit in microseconds. `sent_us`: the frame's, for events without their own."""

    sender: Sender
    received_us: int
    sent_us: int | None = None
    is_historical: bool = False
    is_retry: bool = False
    lateness_us: int = WEEK_US


class Parcel(Protocol):
    """The events of one frame or request, in their order.

    `is_ordinary`: none of them is too large or has an escaped NUL (`cockpit.events.wire.is_ordinary`).
    """

    @property
    def members(self) -> Sequence[Member]: ...

    @property
    def arrival(self) -> Arrival: ...

    @property
    def is_ordinary(self) -> bool: ...
