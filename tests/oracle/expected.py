"""All that the oracle says of a history, under the names of the contract."""

from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

from tests.oracle import carts, customers, outreach, visits
from tests.oracle.facts import History, Tally

ORACLES: tuple[Callable[[History], Tally], ...] = (
    visits.session_tally,
    visits.identity_tally,
    carts.cart_tally,
    customers.order_tally,
    customers.retention_tally,
    customers.ticket_tally,
    customers.nps_tally,
    customers.subscription_tally,
    outreach.message_tally,
    outreach.impression_tally,
    outreach.recommendation_tally,
    outreach.offer_tally,
)

Key = TypeVar("Key", bound=Hashable)


def day_measures(history: History) -> Tally:
    tally = Tally()
    for oracle in ORACLES:
        tally.update(oracle(history))
    return tally


def differences(found: Mapping[Key, int], wanted: Mapping[Key, int]) -> dict[Key, tuple[int, int]]:
    """Where two counts are not the same: (found, wanted). What is not there counts as 0."""
    return {
        key: (found.get(key, 0), wanted.get(key, 0))
        for key in found.keys() | wanted.keys()
        if found.get(key, 0) != wanted.get(key, 0)
    }
