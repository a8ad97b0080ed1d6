"""When an event happened, out of three clocks: the event's, the sender's at sending, and ours at receipt.

Network delay is never negative, so `sent > received` proves a fast clock at the sender, while `sent < received` may
be delay, a stale sent-at or a slow clock. A clock is therefore corrected only when its error is certain or large.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cockpit.events.frame import Flag

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

UNKNOWN = (
    int(np.iinfo(np.int64).min) // 4
)  # an instant that there is none of; the differences taken below stay within 64 bits
FAST_US = 5_000_000
SLOW_US = 15 * 60 * 1_000_000
YEAR_2000_US = 946_684_800_000_000

RULES = ("received", "client", "skew_fast", "client_retry", "skew_slow")
RECEIVED, CLIENT, SKEW_FAST, CLIENT_RETRY, SKEW_SLOW = range(len(RULES))


class Instants(NamedTuple):
    """One element per event, in microseconds; UNKNOWN for an original that is none or no date, and for no sent."""

    original: Ints
    sent: Ints
    received: Ints
    lateness: Ints
    is_retry: Bools
    is_historical: Bools


class Placed(NamedTuple):
    """`rule` counts in RULES; `flags` are FUTURE, LATE and HISTORICAL."""

    occurred: Ints
    rule: Ints
    flags: Ints


def place_in_time(instants: Instants) -> Placed:
    original, sent, received, *_ = instants
    corrected = received - (sent - original)
    earlier = np.minimum(original, received)
    conditions: list[tuple[Bools, Ints, int]] = [  # the first that applies
        (original == UNKNOWN, received, RECEIVED),
        ((sent == UNKNOWN) | (sent < original), earlier, CLIENT),
        (sent - received > FAST_US, corrected, SKEW_FAST),
        (received - sent <= SLOW_US, original, CLIENT),
        (instants.is_retry, original, CLIENT_RETRY),
    ]
    holds = [condition for condition, _, _ in conditions]
    occurred = np.select(holds, [instant for _, instant, _ in conditions], corrected)
    rule = np.select(holds, [rule for _, _, rule in conditions], SKEW_SLOW)
    future = np.where(occurred > received, int(Flag.FUTURE), 0)
    occurred = np.minimum(occurred, received)
    return Placed(occurred, rule, future | lateness(occurred, instants))


def lateness(occurred: Ints, instants: Instants) -> Ints:
    """LATE for what came too long after it happened and was not declared history, HISTORICAL for what was."""
    late, historical = int(Flag.LATE), int(Flag.HISTORICAL)
    is_over = instants.received - occurred > instants.lateness
    return np.select([occurred < YEAR_2000_US, instants.is_historical, is_over], [late, historical, late], 0)
