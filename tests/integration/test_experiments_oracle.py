"""Experiments incrementally equal experiments at once: what the product keeps is what a second implementation counts.

Ten days of a shop in three takings with restarts between them, out of order, partly twice and hours late; before it
some days in which people bought, after it a hundred in which they come back, and three in which nothing happens. Two
versions are registered, one of them late, with a pause, changed shares and a stop; the others are only seen.
COCKPIT_ORACLE_EVENTS says how many events.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from random import Random
from typing import Any, NamedTuple

import msgspec
import polars as pl
import pytest

from cockpit.events.frame import from_bytes
from cockpit.experiments.lifecycle import Action, Entry
from cockpit.experiments.registration import EVERYTHING, Registration, Variant
from cockpit.experiments.rules import Rules
from tests.oracle import identity
from tests.oracle.expected import differences
from tests.oracle.experiments import METRICS, Exposed, Exposure, Sums, Version, caps, exposed, since_start, weeks
from tests.oracle.facts import DAY, History, history, once
from tests.oracle.pipeline import Pipeline
from tests.oracle.stream import START, ZONE, deeds, drafts, sent

EVENTS = int(os.environ.get("COCKPIT_ORACLE_EVENTS", "10000"))
ENTRY_EVENTS = 2_000
BEFORE_DAYS, LATER_DAYS = 10, 100
WEEK = timedelta(days=7)
FIRST = START.astimezone(ZONE).date()
KEYS_OF_DAY = ("day", "epoch", "variant_id")
KEYS = ("variant_id", "epoch", "segment", "channel")

SHOWCASE, REMINDER = ("reco-vitrine", "3"), ("cart-reminder", "2")
SEEN_ONLY = {("cart-reminder", "1"), ("churn-offer", "1")}


def days(number: float) -> int:
    """Microseconds since 1970."""
    return int(START.timestamp() * 1e6) + int(number * DAY)


RULES = {
    SHOWCASE: Rules(
        *SHOWCASE, use_case="recommendations", lookback_days=2, enrolment=((days(1), days(3)), (days(4.5), days(9))),
        ends_us=days(9), epochs_us=(days(2), days(6)), treatments_move=True,
    ),
    REMINDER: Rules(*REMINDER, control="personalized", use_case=EVERYTHING, enrolment=((days(2), None),)),
}  # fmt: skip
SHARES = {"control": 0.25, "personalized": 0.25, "bold": 0.25, "other": 0.25}
MOVED = {"control": 0.25, "personalized": 0.05, "bold": 0.5, "other": 0.2}


def registration(version: Version) -> Registration:
    rules = RULES[version]
    return Registration(
        experiment_id=version[0], version=version[1], use_case=rules.use_case, control=rules.control,
        lookback_days=rules.lookback_days, variants=tuple(Variant(*share) for share in SHARES.items()),
    )  # fmt: skip


def decision(day: float, version: Version, action: Action, **details: Any) -> Entry:
    return Entry(
        at=START + timedelta(days=day), actor="ana", role="operator", experiment_id=version[0], version=version[1],
        action=action, details=details,
    )  # fmt: skip


def decisions() -> list[Entry]:
    """What leads to RULES, oldest first; the reminder runs for days before anybody says so."""
    (showcase, reminder) = (msgspec.to_builtins(registration(version)) for version in (SHOWCASE, REMINDER))
    return [
        decision(0, SHOWCASE, "register", registration=showcase),
        decision(1, SHOWCASE, "start"),
        decision(2, SHOWCASE, "reallocate", shares=MOVED),
        decision(3, SHOWCASE, "pause"),
        decision(4.5, SHOWCASE, "resume"),
        decision(6, SHOWCASE, "reallocate", shares=SHARES),
        decision(8, REMINDER, "register", registration=reminder),
        decision(8, REMINDER, "start", at=START + timedelta(days=2)),
        decision(9, SHOWCASE, "stop"),
    ]


class Both(NamedTuple):
    """The same events on both ways."""

    product: Pipeline
    wanted: History
    exposed: dict[Version, list[Exposed]]
    today: date


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    events = sent(EVENTS, seed=5)
    parts = [
        list(drafts(some, Random(place), ENTRY_EVENTS))
        for place, some in enumerate(
            [
                deeds(events, days(-BEFORE_DAYS), BEFORE_DAYS, seed=7),
                *(events[begin:end] for begin, end in pairwise((0, EVENTS // 2, EVENTS * 4 // 5, len(events)))),
                deeds(events, events[-1].received_us, LATER_DAYS, seed=8),
            ]
        )
    ]
    product, waiting, now = Pipeline(tmp_path_factory.mktemp("experiments")), decisions(), START
    for part in parts:
        now = max(now, part[-1][1])
        product.decide(entry for entry in waiting if entry.at <= now)
        waiting = [entry for entry in waiting if entry.at > now]
        product.append(part)
        product.take_in(now, only_experiments=True)
    now += timedelta(days=3)
    product.take_in(now, only_experiments=True)
    log = pl.concat([from_bytes(draft.payload) for part in parts for draft, _ in part])
    stored = once(log)
    wanted = history(stored, identity.people_of(stored), ZONE, now)
    return Both(product, wanted, exposed(wanted, RULES), wanted.day(wanted.now))


Cells = Counter[tuple[Any, ...]]


def tall(rows: pl.DataFrame, keys: Sequence[str]) -> Cells:
    """Values of all other columns by keys and column, added up."""
    found: Cells = Counter()
    for row in rows.iter_rows(named=True):
        key = tuple(row.pop(name) for name in keys)
        for name, value in row.items():
            found[*key, name] += int(value)
    return found


def named(key: tuple[Any, ...], sums: Sums) -> Cells:
    return Counter({(*key, name): value for name, value in sums._asdict().items()})


def assert_same(found: Mapping[tuple[Any, ...], int], wanted: Mapping[tuple[Any, ...], int]) -> None:
    wrong = differences(found, wanted)
    assert wrong == {}, f"{len(wrong)} of {len(wanted)}: {dict(sorted(wrong.items(), key=str)[:20])}"


def test_the_stream_has_what_experiments_must_stand(both: Both) -> None:
    assert {SHOWCASE, REMINDER, *SEEN_ONLY} <= set(both.exposed)
    for version, profiles in both.exposed.items():
        exposures = [one.exposure for one in profiles]
        assert any(one.is_mixed for one in exposures), version
        assert any(one.is_contaminated for one in exposures) == (version in RULES), "only where a use case is known"
        assert any(one.was_buyer for one in exposures), version
        assert {"control", "personalized", "bold"} <= {one.variant_id for one in exposures}
    assert {one.exposure.epoch for one in both.exposed[SHOWCASE]} == {0, 1, 2}
    moved = sum(event.person != event.profile for event in both.wanted.named("experiment_viewed"))
    assert moved > 20, "views that changed hands"


@pytest.mark.parametrize("metric_id", METRICS)
def test_every_metric_has_something_to_count(both: Both, metric_id: str) -> None:
    found = [
        cell
        for profiles in both.exposed.values()
        for cell in since_start(profiles, METRICS[metric_id], both.today, both.today).values()
    ]
    assert sum(cell.nonzero for cell in found) > 10
    everybody = metric_id == "sessions_per_profile"  # the exposure itself lies in a session
    assert (sum(cell.n for cell in found) == sum(cell.nonzero for cell in found)) == everybody


def test_exposures_are_those_of_the_oracle(both: Both) -> None:
    rows = both.product.rows("experiment_exposures").rename({"first_exposed_us": "first_exposed_at"})
    found = Counter(rows.select(Exposure._fields).iter_rows())
    assert_same(found, Counter(tuple(one.exposure) for profiles in both.exposed.values() for one in profiles))


def test_totals_of_every_profile_day_and_age_are_those_of_the_oracle(both: Both) -> None:
    keys = ["experiment_id", "version", "profile_id", "day", "age_days"]
    found = tall(both.product.rows("experiment_totals"), keys)
    wanted: Cells = Counter()
    for profiles in both.exposed.values():
        for exposure, outcomes in profiles:
            for one in outcomes:
                wanted[*exposure[:3], one.day, one.age_days, one.total] += one.amount
    assert_same(found, wanted)


def moments(both: Both, scope: str) -> pl.DataFrame:
    rows = both.product.rows("experiment_moments").filter(pl.col("scope") == scope)
    return rows.drop("scope")


@pytest.mark.parametrize("day", [2, 9, 45, None])
def test_moments_since_the_start_are_those_of_the_oracle_at_the_end_of_any_day(both: Both, day: int | None) -> None:
    until = both.today if day is None else FIRST + timedelta(days=day)
    windowed = pl.col("metric").is_in([name for name, metric in METRICS.items() if metric.days is not None])
    rows = moments(both, "since_start").filter(pl.col("day") <= until, ~windowed | (pl.col("day") < both.today))
    wanted: Cells = Counter()
    for version, profiles in both.exposed.items():
        for metric_id, metric in METRICS.items():
            for group, sums in since_start(profiles, metric, until, both.today).items():
                wanted.update(named((*version, metric_id, *group), sums))
    assert_same(tall(rows.drop("day"), ["experiment_id", "version", "metric", *KEYS]), wanted)


def test_moments_of_weeks_are_those_of_the_oracle(both: Both) -> None:
    wanted: Cells = Counter()
    for version, profiles in both.exposed.items():
        for metric_id, metric in METRICS.items():
            if metric.days is None:
                for (monday, group), sums in weeks(profiles, metric).items():
                    wanted.update(named((*version, metric_id, monday, *group), sums))
    assert_same(tall(moments(both, "week"), ["experiment_id", "version", "metric", "day", *KEYS]), wanted)


def test_caps_of_signed_metrics_are_those_of_the_oracle(both: Both) -> None:
    found = both.product.rows("experiment_caps").select("experiment_id", "version", "metric", "low", "high")
    wanted = {
        (*version, metric_id, *limits)
        for version, profiles in both.exposed.items()
        for metric_id, metric in METRICS.items()
        if (limits := caps(profiles, metric, both.today))
    }
    assert set(found.iter_rows()) == wanted


@pytest.mark.parametrize("by", [[], ["segment"], ["channel", "epoch"]], ids=["whole", "segment", "channel and epoch"])
def test_the_read_of_moments_adds_up_what_is_asked_for(both: Both, by: list[str]) -> None:
    with both.product.reading() as ask:
        for version, profiles in both.exposed.items():
            named_version = dict(zip(("experiment_id", "version"), version, strict=True))
            found = tall(ask("experiment_moments", **named_version, by=by), ["variant_id", "metric", *by])
            wanted: Cells = Counter()
            for metric_id, metric in METRICS.items():
                for group, sums in since_start(profiles, metric, both.today, both.today).items():
                    keyed = dict(zip(KEYS, group, strict=True))
                    wanted.update(named((group[0], metric_id, *(keyed[name] for name in by)), sums))
            assert_same(found, wanted)


def test_the_read_of_exposures_counts_by_day_epoch_and_variant(both: Both) -> None:
    with both.product.reading() as ask:
        for version, profiles in both.exposed.items():
            wanted: Cells = Counter()
            for one, _ in profiles:
                key = (one.day, one.epoch, one.variant_id)
                wanted[*key, "exposed"] += 1
                wanted[*key, "mixed"] += one.is_mixed
                wanted[*key, "contaminated"] += one.is_contaminated
            found = tall(ask("experiment_exposed", experiment_id=version[0], version=version[1]), KEYS_OF_DAY)
            assert_same(found, wanted)


def test_the_read_of_weeks_has_all_who_were_exposed_by_their_end(both: Both) -> None:
    with both.product.reading() as ask:
        for version, profiles in both.exposed.items():
            clean = [one.exposure for one in profiles if not one.exposure.is_mixed]
            rows = ask("experiment_weeks", experiment_id=version[0], version=version[1])
            found = {
                (week, variant_id): n for week, variant_id, n in rows.select("week", "variant_id", "n").iter_rows()
            }
            assert found == {
                (week, variant_id): sum(one.variant_id == variant_id and one.day < week + WEEK for one in clean)
                for week, variant_id in found
            }
            values = tall(rows.select("week", "variant_id", "metric", "y"), ["week", "variant_id", "metric"])
            wanted: Cells = Counter()
            for metric_id, metric in METRICS.items():
                for (monday, group), sums in weeks(profiles, metric).items() if metric.days is None else ():
                    wanted[monday, group[0], metric_id, "y"] += sums.y
            assert_same(values, wanted)


def test_the_read_of_ages_knows_how_long_former_buyers_waited(both: Both) -> None:
    with both.product.reading() as ask:
        for version, profiles in both.exposed.items():
            rows = ask("experiment_ages", experiment_id=version[0], version=version[1])
            wanted: Cells = Counter()
            for exposure, outcomes in profiles:
                if exposure.was_buyer and not exposure.is_mixed:
                    waited = min((one.age_days for one in outcomes if one.total == "orders"), default=None)
                    passed = (both.today - exposure.day).days
                    observed = passed if exposure.watched_days is None else min(passed, exposure.watched_days)
                    wanted[exposure.variant_id, waited, observed, "profiles"] += 1
            assert_same(tall(rows, ["variant_id", "waited_days", "observed_days"]), wanted)


def test_the_list_of_experiments_counts_the_exposed_of_each_version(both: Both) -> None:
    with both.product.reading() as ask:
        rows = ask("experiments").select(
            "experiment_id", "version", "exposed", "mixed", "contaminated", "control_exposed"
        )
    assert {(row[0], row[1]): row[2:] for row in rows.iter_rows()} == {
        version: (
            len(profiles),
            sum(one.exposure.is_mixed for one in profiles),
            sum(one.exposure.is_contaminated for one in profiles),
            sum(one.exposure.variant_id == RULES.get(version, Rules(*version)).control for one in profiles),
        )
        for version, profiles in both.exposed.items()
    }


def test_a_rule_that_is_a_little_different_would_be_noticed(both: Both) -> None:
    later = msgspec.structs.replace(RULES[SHOWCASE], enrolment=((days(1.1), days(3)), (days(4.5), days(9))))
    shorter = msgspec.structs.replace(RULES[SHOWCASE], lookback_days=1)
    for rules in (later, shorter):
        changed = exposed(both.wanted, {SHOWCASE: rules})[SHOWCASE]
        assert {one.exposure for one in changed} != {one.exposure for one in both.exposed[SHOWCASE]}
