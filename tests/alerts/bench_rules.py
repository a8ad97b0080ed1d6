"""How long a round takes: 500 rules of 20 label sets each, on DuckDB in memory and a real file of alerts.

`python -m tests.alerts.bench_rules` prints medians. At a new minute every window is asked for again; between minutes
nothing is. `quiet`: every alert is fine; `storm`: every rule fires, with all that its messages say. Limit: 500 ms.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import cycle, islice, product
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import polars as pl

from cockpit.alerts.metrics import infos
from cockpit.alerts.rules import Known
from cockpit.events.frame import INSTANT
from cockpit.store.database import Database
from cockpit.store.writer import Progress
from ingest.log import Tail
from ingest.warehouse.alert_file import AlertFile
from ingest.warehouse.asking import Asking
from ingest.warehouse.duty import Around, Duty, Inputs
from ingest.warehouse.errand import Errand
from ingest.warehouse.rule_watch import RuleWatch
from ingest.warehouse.vitals import Vitals
from tests.alerts.shop import HOUR, MINUTE, SECOND, WEEK, ZONE
from tests.ingest.warehouse.duties import RECEIVER, AtOnce, Machine, rule_text
from tests.warehouse_events import NOON

RULES, SETS, MINUTES, LIMIT_MS = 500, 20, 12, 500.0
CHANNELS = [f"channel{number}" for number in range(SETS)]
USE_CASES = ["cart", "churn", "recommendations"]
NAMES = [
    "personalization_delivered", "personalization_failed", "personalization_suppressed", "view_item",
    "message_delivered", "message_unsubscribed",
]  # fmt: skip
KINDS: list[dict[str, Any]] = [
    {"metric": "integration_error_rate", "window": "5m"},
    {"metric": "integration_error_rate", "window": "15m", "where": {"use_case": "cart"}},
    {"metric": "fallback_rate", "window": "1h"},
    {"metric": "suppression_rate", "window": "5m"},
    {"metric": "unsubscribe_rate", "window": "1h", "where": {"use_case": "churn"}},
    {"metric": "event_to_action_p95_ms", "window": "5m"},
    {"metric": "channel_events_of_baseline", "window": "10m"},
    {"metric": "personalizations_of_baseline", "window": "10m", "where": {"use_case": "cart"}},
]


def rules(*, is_storm: bool) -> Iterator[str]:
    for number, kind in enumerate(islice(cycle(KINDS), RULES)):
        falls = "baseline" in kind["metric"]
        limit = ("< 9" if falls else ">= 0") if is_storm else ("< 0" if falls else "> 1000000")
        yield rule_text(**{"id": f"rule{number}", "min_count": 0, "fire": limit, "for": "0s", **kind})


def fill(database: Database, until: datetime) -> None:
    """Two hours by the minute, and the same hours of four weeks."""
    minutes = [until - number * MINUTE for number in range(1, 121)]
    hours = [until.replace(minute=0) + number * HOUR - week * WEEK for week in range(1, 5) for number in (-1, 0, 1)]
    for times, tier in ((minutes, 1), (hours, 60)):
        rows = list(product(times, CHANNELS, USE_CASES, NAMES))
        columns = dict(zip(("began_at", "channel", "use_case", "name"), zip(*rows, strict=True), strict=True))
        frame = pl.DataFrame(columns, schema_overrides={"began_at": INSTANT})
        other = dict.fromkeys(
            ("segment", "experience_id", "experiment_id", "variant_id", "integration", "error_code", "reason"),
            pl.lit(None, pl.String),
        )
        sums = dict.fromkeys(("orders", "value_cents", "costed_value_cents", "cost_cents"), pl.lit(0, pl.Int64))
        database.append(
            "event_measures",
            frame.with_columns(
                tier=pl.lit(tier, pl.Int16), source=pl.lit("shop"), events=pl.lit(7 * tier, pl.Int64), **other, **sums
            ),
        )
    stages = ("event_to_action", "ingest", "decide", "report")
    texts = dict.fromkeys(("channel", "use_case", "stage"), pl.String)
    waits = pl.DataFrame(
        list(product(minutes, CHANNELS, USE_CASES, stages, range(400, 420))),
        schema={"began_at": INSTANT, **texts, "bucket": pl.Int32},
        orient="row",
    )
    database.append(
        "latency_measures",
        waits.with_columns(tier=pl.lit(1, pl.Int16), actions=pl.lit(3, pl.Int64), clipped=pl.lit(0, pl.Int64)),
    )


@contextmanager
def duty_of(*, is_storm: bool) -> Iterator[tuple[Duty, Machine]]:
    machine = Machine(NOON + 20 * SECOND)
    progress = Progress("e", 1, ZONE.key, "BRL")
    gateway = Errand("the gateway", lambda: True, MINUTE, AtOnce(), machine.monotonic)
    vitals = Vitals(lambda _: Tail(0, 0, None), lambda: progress, gateway, machine.monotonic)
    with tempfile.TemporaryDirectory() as folder, Database.open(None) as database:
        fill(database, NOON + (MINUTES + 2) * MINUTE)
        path = Path(folder) / "alerts.toml"
        path.write_text(RECEIVER + "".join(rules(is_storm=is_storm)))
        watch = RuleWatch(path, Known(infos(), frozenset({"/alerts"})))
        store = AlertFile(Path(folder) / "alerts.sqlite")
        inputs = Inputs(watch, Asking(database.cursor(), ZONE, time.monotonic), vitals)
        yield Duty(inputs, store, Around(machine.clock, machine.monotonic, ZONE)), machine
        store.close()


class Took(NamedTuple):
    """Milliseconds of one round, by the clock and of the processor."""

    wall: float
    cpu: float


def measured(*, is_storm: bool) -> tuple[list[Took], list[Took]]:
    """The rounds at a new minute, and those between."""
    fresh: list[Took] = []
    between: list[Took] = []
    with duty_of(is_storm=is_storm) as (duty, machine):
        duty.round()
        for number in range(1, 4 * MINUTES + 1):
            machine.pass_(15 * SECOND)
            began, began_cpu = time.perf_counter(), time.process_time()
            duty.round()
            took = Took(1000 * (time.perf_counter() - began), 1000 * (time.process_time() - began_cpu))
            (between if number % 4 else fresh).append(took)
    return fresh, between


def said(rounds: list[Took]) -> str:
    return f"{median(took.wall for took in rounds):.0f} ms (processor {median(took.cpu for took in rounds):.0f} ms)"


def main() -> int:
    is_fast = True
    for name, is_storm in (("quiet", False), ("storm", True)):
        fresh, between = measured(is_storm=is_storm)
        rounds = fresh + between
        sys.stdout.write(
            f"{name}: {RULES} rules x {SETS} label sets: median round {said(rounds)}, "
            f"at a new minute {said(fresh)}, between {said(between)}\n"
        )
        is_fast = is_fast and median(took.wall for took in rounds) <= LIMIT_MS
    return 0 if is_fast else 1


if __name__ == "__main__":
    sys.exit(main())
