"""Judging in one line, for the tests of events."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import polars as pl

from cockpit.events.arrival import Arrival, Member, Sender
from cockpit.events.catalogue import catalogue
from cockpit.events.judge import Judge, Refusal, Verdict

NOON_US = 1_795_348_800_000_000  # 2026-11-22T12:00:00Z
SHOP = Sender("shop", is_secret=True, currency="BRL")
SITE = Sender("site", is_secret=False, currency="BRL")


class Frame(NamedTuple):
    members: Sequence[Member]
    arrival: Arrival
    is_ordinary: bool = False


def new_judge() -> Judge:
    made = iter(range(10**9))
    return Judge(catalogue(), lambda: f"made-{next(made)}")


def judged(texts: Sequence[bytes], arrival: Arrival = Arrival(SHOP, NOON_US)) -> Verdict:  # noqa: B008 - frozen
    return new_judge().judge([Frame(texts, arrival)])


def row(event: dict[str, Any], arrival: Arrival = Arrival(SHOP, NOON_US)) -> dict[str, Any]:  # noqa: B008 - frozen
    """The stored row of a track by u-1 with these fields over it."""
    text = json.dumps({"type": "track", "event": "view_item", "userId": "u-1", "messageId": "m-1", **event}).encode()
    verdict = judged([text], arrival)
    assert not verdict.refusals[0], verdict.refusals[0]
    return verdict.events.row(0, named=True)


def refused(text: bytes | dict[str, Any], arrival: Arrival = Arrival(SHOP, NOON_US)) -> Refusal:  # noqa: B008 - frozen
    verdict = judged([text if isinstance(text, bytes) else json.dumps(text).encode()], arrival)
    assert verdict.events.height == 0, verdict.events.row(0, named=True)
    (refusal,) = verdict.refusals[0]
    return refusal


def microseconds(frame: pl.DataFrame, column: str) -> list[int | None]:
    return frame[column].to_physical().to_list()
