"""A month in which nothing is wrong: how many pages does it bring, and is what goes wrong still found?

`python -m tests.alerts.quiet_month` simulates a small shop for four weeks and a month more, with its days, nights and
weekends and without an incident, takes it in as the warehouse does, and evaluates data/alerts.toml through the month.
Then, of the first seed, the incidents of the demo, in copies that part from it where the month begins. It prints every
page and ends with 1 if a month brought more than MOST or an incident none. A page is a message that calls somebody, to
whatever receivers, a warning too. The same seed gives the same pages, however long it takes.

The experiments are the demo's, looked at every six hours instead of every hour. They are healthy: no guardrail holds
them to opt-outs, of which a control that gets no messages has none.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec

from cockpit.alerts.metrics import PAGES, infos
from cockpit.alerts.past import Past, Rerun
from cockpit.alerts.rule_file import read_rules
from cockpit.alerts.rules import Known, Labels, RuleFile
from cockpit.alerts.world import Gauge, Gauges, World
from cockpit.config import ROOT, Config
from cockpit.experiments.registration import Registration
from cockpit.simulator.truth import Incident, IncidentKind
from ingest.registering import EXPERIMENTS, registrations
from tests.alerts.past_reads import Asked
from tests.alerts.quiet_shop import DAY, HOUR, Town, shop_of
from tests.alerts.quiet_watch import MINUTE, Page, Watch, columns, of_experiments

START = datetime(2026, 9, 28, tzinfo=UTC)  # a Monday
RULES = ROOT / "data" / "alerts.toml"
LOOK = 6 * HOUR  # from one look at the experiments to the next
MOST = 1
HISTORY = 28  # days
MOST_DAYS = 28  # until a bad variant has to be told
OPT_OUTS = "unsubscribe_rate_profile"


class Plan(NamedTuple):
    """What is simulated. `rate`: events per second in the mean of the week; `history` and `days` of the month."""

    seed: int
    rate: float
    history: int
    days: int
    file: RuleFile

    @property
    def month_at(self) -> datetime:
        return START + self.history * DAY


class Planted(NamedTuple):
    """An incident, and which page is about it."""

    incident: Incident
    rule_id: str
    labels: Labels

    def told_after(self, pages: Sequence[Page]) -> timedelta | None:
        """How long after it began; None: it was not told."""
        assert self.incident.begins_at is not None, "planted at an instant"
        about = (page.at for page in pages if page.rule_id == self.rule_id and page.is_about(self.labels))
        return next((at - self.incident.begins_at for at in sorted(about) if at >= self.incident.begins_at), None)


class Shop:
    """A town with somebody on duty."""

    def __init__(self, town: Town, file: RuleFile) -> None:
        zone, rules = town.config.zone, of_experiments(file, wanted=False)
        self._town = town
        self._dice = Random(0)
        self._windows = Watch(rules, Rerun(Past(Asked(town.database, zone), columns(rules)), zone))
        self._experiments = Watch(of_experiments(file, wanted=True), World(town.reads, zone), LOOK)

    def pass_day(self, *, is_watched: bool = True) -> None:
        """Take a day in, with a look at the experiments now and then; after it, go through its minutes."""
        day = self._town.now
        for _ in range(DAY // LOOK):
            self.look()
            self._town.go_on(self._town.now + LOOK)
        self._town.keep_up()
        for number in range(DAY // MINUTE if is_watched else 0):
            minute = day + number * MINUTE
            self._windows.round(minute, well(self._dice, self._town.age_s(minute)))

    def look(self) -> None:
        """At the experiments, as they are now."""
        self._town.fold()
        self._experiments.round(self._town.now, {})

    @property
    def pages(self) -> list[Page]:
        return sorted([*self._windows.pages, *self._experiments.pages], key=lambda page: page.at)


def well(dice: Random, age_s: float | None) -> Gauges:
    """The signs of life of processes that are well: an answer each ten seconds, a batch each half a second."""
    return {
        "queue_lag_s": {(): Gauge(dice.expovariate(2.0))},
        "queue_rising_s": {(): Gauge(60.0 * int(dice.expovariate(2.0)))},
        "freshness_s": {(): Gauge(age_s)},
        "heartbeat_age_s": {("gateway",): Gauge(dice.uniform(0, 11)), ("warehouse",): Gauge(dice.expovariate(2.0))},
        "rule_failing_s": {(): Gauge(0.0)},
    }


def month(town: Town, plan: Plan) -> list[Page]:
    """The pages of a month that begins now."""
    shop = Shop(town, plan.file)
    for _ in range(plan.days):
        shop.pass_day()
    shop.look()
    return shop.pages


def incidents(day: datetime) -> tuple[Planted, ...]:
    """Those that a day can show: as in the demo, but for an hour, and on a channel that a small shop would miss."""

    def planted(kind: IncidentKind, target: str, hour: int, strength: float) -> Incident:
        at = day + hour * HOUR
        return Incident(kind=kind, target=target, lasts_minutes=60, begins_at=at, strength=strength)

    failing = planted("failing_integration", "whatsapp_cloud", 14, 0.75)
    slow = planted("slow_decisions", "recommendations", 17, 20.0)
    silent = planted("silent_channel", "whatsapp", 22, 1.0)
    return (
        Planted(failing, "integration_error_rate", {"channel": "whatsapp"}),
        Planted(slow, "site_latency", {"use_case": "recommendations"}),
        Planted(silent, "channel_down", {"channel": "whatsapp"}),
    )


def bad_variant(day: datetime) -> Planted:
    """A treatment that costs orders, from the first day of its experiment on."""
    bad = Incident(kind="bad_variant", target="recommendations", lasts_minutes=1e6, begins_at=day, strength=-0.4)
    return Planted(bad, "uplift_negative", {"experiment": "reco-vitrine"})


def pages_with(config: Config, plan: Plan, wanted: Sequence[Planted], days: int) -> list[Page]:
    """Of the days after the history in which this goes wrong, up to when all of it was told; of one day in full."""
    scenario = shop_of(plan.rate, tuple(each.incident for each in wanted))
    with Town(config, scenario, plan.seed + 1000, plan.month_at) as town:
        shop = Shop(town, plan.file)
        for _ in range(days):
            shop.pass_day(is_watched=days == 1)
            if all(each.told_after(shop.pages) is not None for each in wanted):
                break
        return shop.pages


def run(plan: Plan, folder: Path, *, with_incidents: bool) -> bool:
    """Print what one seed brings; whether it is as it should be."""
    began_s = time.process_time()
    with Town(Config(run_dir=folder / "shop"), shop_of(plan.rate), plan.seed, START) as town:
        town.pass_days(plan.history)
        town.run(healthy())
        events = town.events
        say(f"seed {plan.seed}: {events} events in {plan.history} days of history")
        if with_incidents:
            town.copy(folder / "day")
            town.copy(folder / "weeks")
        pages = month(town, plan)
        say(f"  {len(pages)} pages of {town.events - events} events in {plan.days} days")
    for page in pages:
        say(f"  {page.line}")
    is_told = not with_incidents or are_told(plan, folder)
    say(f"  {time.process_time() - began_s:.0f} s of the processor")
    return len(pages) <= MOST and is_told


def are_told(plan: Plan, folder: Path) -> bool:
    """Print when each incident was told, and whatever else was; whether all were."""
    of_day, of_weeks = incidents(plan.month_at), (bad_variant(plan.month_at),)
    pages = pages_with(Config(run_dir=folder / "day"), plan, of_day, 1)
    pages += pages_with(Config(run_dir=folder / "weeks"), plan, of_weeks, MOST_DAYS)
    planted = (*of_day, *of_weeks)
    for each in planted:
        say(f"  {each.incident.kind} of {each.incident.target} told after {each.told_after(pages)}")
    for page in pages:
        if not any(page.rule_id == each.rule_id and page.is_about(each.labels) for each in planted):
            say(f"    beside it {page.line}")
    return all(each.told_after(pages) is not None for each in planted)


def healthy() -> tuple[Registration, ...]:
    """The demo's experiments."""
    return tuple(
        msgspec.structs.replace(one, guardrails=tuple(rail for rail in one.guardrails if rail.metric != OPT_OUTS))
        for one in registrations(EXPERIMENTS)
    )


def rules_of(path: Path) -> RuleFile:
    return read_rules(path.read_text(encoding="utf-8"), path.name, Known(infos(), PAGES))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.alerts.quiet_month", description=__doc__)
    add = parser.add_argument
    add("--seeds", type=int, nargs="+", default=[1], help="a shop for each (default %(default)s)")
    add("--rate", type=float, default=1.5, help="events per second, in the mean of the week (default %(default)s)")
    add("--days", type=int, default=30, help="of the month (default %(default)s)")
    add("--rules", type=Path, default=RULES, help="rule file (default %(default)s)")
    given = parser.parse_args()
    is_good = True
    for number, seed in enumerate(given.seeds):
        with TemporaryDirectory() as folder:
            plan = Plan(seed, given.rate, HISTORY, given.days, rules_of(given.rules))
            is_good &= run(plan, Path(folder), with_incidents=number == 0)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
