"""What a rule reads of a shop, as a new evaluator sees it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cockpit.alerts.conditions import read_condition
from cockpit.alerts.machine import Alert, Input, Reading, judge
from cockpit.alerts.metrics import fitted
from cockpit.alerts.readings import readings
from cockpit.alerts.rules import Rule
from cockpit.alerts.world import Gauges, World
from tests.alerts.rounds import alert_of, file_of, rule_of
from tests.alerts.shop import MINUTE, SECOND, ZONE, Shop
from tests.warehouse_events import NOON

AT = NOON + 5 * MINUTE  # the watermark: the five minutes from noon on are over
DELAY = 20 * SECOND
WHATSAPP = {"channel": "whatsapp"}


def rule(metric: str = "integration_error_rate", **changes: Any) -> Rule:
    """Over the five minutes that are over, every quarter of a minute."""
    base = {"window": 5 * MINUTE, "every": 15 * SECOND, "fire": read_condition("> 0.05"), "recover": None}
    return fitted(file_of(rule_of(metric=metric, **{**base, **changes}))).rules[0]


def look(
    shop: Shop, asked: Rule, at: datetime = AT, *, alerts: tuple[Alert, ...] = (), gauges: Gauges | None = None
) -> Mapping[tuple[str, ...], Reading]:
    """As a new evaluator sees it when the rule's delay has passed."""
    world = World(shop.reads, ZONE)
    world.turn(at + DELAY, gauges or {})
    return readings(asked, at, world, alerts)


def numbers(found: Mapping[tuple[str, ...], Reading]) -> dict[tuple[str, ...], Any]:
    """Value and count."""
    return {values: (reading.value, reading.count) for values, reading in found.items()}


def given_as(asked: Rule, reading: Reading) -> Input:
    """What the machine makes of it, of an alert that was fine."""
    return judge(asked, alert_of(asked), reading)[0]
