"""Incremental equals full: what the product keeps up batch by batch is what a second implementation counts at once.

The events are simulated over ten days, delivered out of order, partly twice and up to 48 hours late, with people who
turn out to be one in the middle; the warehouse is restarted and folded on the way. COCKPIT_ORACLE_EVENTS says how many
(`make oracle`: a million).
"""

import os
import time
from collections import Counter
from random import Random
from types import ModuleType
from typing import Any, NamedTuple

import polars as pl
import pytest

from cockpit.clock import from_us
from cockpit.events.frame import Flag, from_bytes
from cockpit.measures.folds import FAMILIES
from cockpit.measures.people import WINDOWS
from tests.oracle import carts, customers, expected, identity, latency, visits
from tests.oracle.expected import differences
from tests.oracle.facts import HOUR, MINUTE, History, Tally, history, once
from tests.oracle.pipeline import Pipeline
from tests.oracle.stream import START, ZONE, drafts, sent

EVENTS = int(os.environ.get("COCKPIT_ORACLE_EVENTS", "20000"))
ENTRY_EVENTS = 2_000
RUNS = 2 if EVENTS < 100_000 else 6  # of the warehouse, each with a fold at its end, which costs the same for few
FIRST = START.astimezone(ZONE).date()


class Both(NamedTuple):
    """The same events on both ways."""

    log: pl.DataFrame
    stored: pl.DataFrame
    wanted: History
    tally: Tally  # of the oracle
    product: Pipeline


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Both:
    began = time.monotonic()
    entries = list(drafts(sent(EVENTS), Random(1), ENTRY_EVENTS))
    log = pl.concat([from_bytes(draft.payload) for draft, _ in entries])
    stored = once(log)
    latest: Any = log.filter((pl.col("flags") & int(Flag.LATE)) == 0)["occurred_at"].to_physical().max()
    now = from_us(latest + 3_600_000_000)
    made = time.monotonic()
    product = Pipeline(tmp_path_factory.mktemp("oracle"))
    for share in range(RUNS):
        product.append(entries[len(entries) * share // RUNS : len(entries) * (share + 1) // RUNS])
        product.take_in(now if share == RUNS - 1 else entries[len(entries) * (share + 1) // RUNS - 1][1])
    taken = time.monotonic()
    wanted = history(stored, identity.people_of(stored), ZONE, now)
    if pytestconfig.getoption("--measure"):
        rate = log.height / (taken - made)
        print(f"\n{log.height} events: made in {made - began:.0f} s, taken in and folded at {rate:.0f}/s")  # noqa: T201
    return Both(log, stored, wanted, expected.day_measures(wanted), product)


def test_the_stream_is_as_nasty_as_it_says(both: Both) -> None:
    log, wanted = both.log, both.wanted
    late_us = (pl.col("received_at") - pl.col("occurred_at")).dt.total_microseconds()
    delays = log.filter((pl.col("flags") & int(Flag.LATE)) == 0).select(late_us).to_series()
    moved = sum(event.person != event.profile for event in wanted.events)
    assert 0.01 < 1 - both.stored.height / log.height < 0.03, "two in a hundred come twice"
    assert 0.2 < (delays > 3_600_000_000).mean() < 0.35, "three in ten come hours late"  # type: ignore[operator]
    assert moved > 0.005 * len(wanted.events), "some events change hands"
    assert {source for (source,) in log.select("source").unique().iter_rows()} == {"site", "app", "engine"}
    measures = {cell.measure for cell, value in expected.day_measures(wanted).items() if value}
    assert {"carts_recovered", "carts_returned", "carts_owed", "messages_unsubscribed", "refunds"} <= measures


def test_the_oracle_counts_every_measure_that_is_derived(both: Both) -> None:
    counted_by_oracle = {(cell.family, cell.measure) for cell in both.tally}
    assert counted_by_oracle == {(family.name, measure) for family in FAMILIES for measure in family.measures}


def test_every_derived_measure_is_what_the_oracle_counts(both: Both) -> None:
    wrong = differences(both.product.day_measures(), both.tally)
    by_measure = Counter((cell.family, cell.measure) for cell in wrong)
    assert wrong == {}, f"{by_measure}\n{dict(list(wrong.items())[:20])}"


@pytest.mark.parametrize(("module", "rule", "other"), [(visits, "GAP", 29 * MINUTE), (carts, "IDLE", 22 * HOUR)])
def test_a_rule_that_is_a_little_different_would_be_noticed(
    both: Both, monkeypatch: pytest.MonkeyPatch, module: ModuleType, rule: str, other: int
) -> None:
    monkeypatch.setattr(module, rule, other)
    assert differences(both.product.day_measures(), expected.day_measures(both.wanted))


def test_people_of_every_window_are_who_the_oracle_counts(both: Both) -> None:
    found = both.product.counts("people", "value", ["day", "days", "channel", "segment", "measure"])
    last = max(day for day, *_ in found)
    wanted = visits.people(both.wanted, range((last - FIRST).days + 1), WINDOWS, FIRST)
    wrong = differences(found, wanted)
    assert wrong == {}, f"{len(wrong)} of {len(wanted)}: {dict(list(wrong.items())[:20])}"


def test_latencies_of_every_stage_lie_in_the_oracles_buckets(both: Both) -> None:
    keys = ["day", "stage", "channel", "use_case", "bucket"]
    found = counted(by_day(both.product.rows("latency_measures")), keys, "actions")
    assert differences(found, latency.histograms(latency.took(both.wanted, both.stored))) == {}


def test_tickets_waited_as_long_as_the_oracle_says(both: Both) -> None:
    found = both.product.counts("day_histograms", "count", ["day", "family", "measure", "channel", "segment", "bucket"])
    assert differences(found, customers.ticket_histograms(both.wanted)) == {}


def test_every_event_was_received_stored_or_a_duplicate(both: Both) -> None:
    rows = both.product.rows("intake")
    late = both.stored.filter((pl.col("flags") & int(Flag.LATE)) != 0).height
    assert counted(rows, ["outcome"], "events") == {
        ("stored",): both.stored.height - late,
        ("stored:late",): late,
        ("duplicate",): both.log.height - both.stored.height,
    }


def test_events_by_name_and_day_are_those_of_the_log(both: Both) -> None:
    keys = ["day", "source", "channel", "segment", "name", "use_case", "reason"]
    found = counted(by_day(both.product.rows("event_measures")), keys, "events")
    wanted = Counter(
        (both.wanted.day(one.at), one.source, one.channel, one.segment, one.name, one.use_case, one.reason)
        for one in both.wanted.events
    )
    assert differences(found, wanted) == {}


@pytest.mark.parametrize("by", [[], ["day"], ["channel", "segment"]], ids=["whole", "day", "channel and segment"])
def test_named_reads_answer_with_the_oracles_sums(both: Both, by: list[str]) -> None:
    window = {"first": str(min(cell.day for cell in both.tally)), "last": str(max(cell.day for cell in both.tally))}
    found: Counter[tuple[Any, ...]] = Counter()
    wanted: Counter[tuple[Any, ...]] = Counter()
    with both.product.reading() as ask:
        for family in FAMILIES:
            if {"day", *family.dimensions} >= set(by):
                for row in ask("measures", **window, by=by, names=family.measures).iter_rows(named=True):
                    key = [row[name] for name in by]
                    found.update({(*key, measure): row[measure] or 0 for measure in family.measures})
    for cell, count in both.tally.items():
        if by != ["channel", "segment"] or cell.family != "identity":
            wanted[*(getattr(cell, name) for name in by), cell.measure] += count
    assert differences(found, wanted) == {}


def test_kpis_are_the_formulas_of_the_oracles_sums(both: Both) -> None:
    sums: Counter[str] = Counter()
    for cell, count in both.tally.items():
        sums[cell.measure] += count
    day = both.wanted.day(both.wanted.now)
    asked = {"first": str(FIRST), "last": str(day), "ids": ["conversion_rate_session", "aov", "pages_per_session"]}
    with both.product.reading() as ask:
        answer = ask("kpis", **asked).row(0, named=True)
    assert answer["conversion_rate_session"] == pytest.approx(sums["converted_sessions"] / sums["sessions"])
    assert answer["aov"] == pytest.approx(sums["value_cents"] / sums["orders"])
    assert answer["pages_per_session"] == pytest.approx(sums["pages"] / sums["sessions"])
    assert answer["conversion_rate_session_n"] == sums["sessions"]


def by_day(rows: pl.DataFrame) -> pl.DataFrame:
    """With the business day of `began_at`."""
    return rows.with_columns(day=pl.col("began_at").dt.convert_time_zone(ZONE.key).dt.date())


def counted(rows: pl.DataFrame, keys: list[str], value: str) -> Counter[tuple[Any, ...]]:
    found: Counter[tuple[Any, ...]] = Counter()
    for *key, count in rows.select(*keys, value).iter_rows():
        found[tuple(key)] += count
    return found
