"""Rules replayed over a time that is over: what would have fired, for how long, and who would have been told what.

Laws: the rules are judged by what judges them on duty, at simulated instants a minute apart or as far as the rule says.
Nobody acknowledges or silences anything. What nothing keeps the past of is left out and named, never passed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from cockpit.alerts.conditions import are_apart, comes_before
from cockpit.alerts.film import Episode, Film, Line
from cockpit.alerts.machine import Kind
from cockpit.alerts.metrics import ALERT_METRICS, OfExperiments, OfKpi, OfProcesses, Read, columns_of
from cockpit.alerts.past import Past, Rerun
from cockpit.alerts.readings import readings
from cockpit.alerts.rules import Rule, RuleFile
from cockpit.alerts.world import HOUR, MINUTE, Reads, Span

STEPS = 100  # of the progress

Progress = Callable[[float], object]
Due = tuple[Rule, datetime]


class Cause(StrEnum):
    """Why a rule is not replayed."""

    DISABLED = "disabled"
    OF_NOW = "of_now"  # read off a process: nothing keeps what it was
    OF_EXPERIMENTS = "of_experiments"  # their state is kept as it is, not as it was at an hour
    NOTHING_KEPT = "nothing_kept"


class Stretch(msgspec.Struct, frozen=True):
    """Evaluations from `first` on, before `end`, every `step`; event times."""

    first: datetime
    end: datetime
    step: timedelta

    def instants(self) -> Iterator[datetime]:
        at = self.first
        while at < self.end:
            yield at
            at += self.step


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. `messages`: how many of each kind, by receiver."""

    rule: Rule
    stretches: tuple[Stretch, ...]
    episodes: tuple[Episode, ...]
    lines: tuple[Line, ...]
    messages: Mapping[str, Mapping[Kind, int]]


class LeftOut(msgspec.Struct, frozen=True):
    rule: Rule
    cause: Cause


class Replay(msgspec.Struct, frozen=True):
    """From `start` up to, not including, `end`; both lists in the order of the file."""

    start: datetime
    end: datetime
    rules: tuple[Replayed, ...]
    left_out: tuple[LeftOut, ...]


class Kept(NamedTuple):
    """Since when anything is known, and since when by the hour and by the minute."""

    first_at: datetime
    hours_from: datetime
    minutes_from: datetime


def replay(file: RuleFile, span: Span, reads: Reads, zone: ZoneInfo, progress: Progress = lambda _: None) -> Replay:
    """Of a file whose rules are `fitted`. `progress` hears of the share that is done."""
    kept = _kept(reads)
    plans = {rule.id: _plan(rule, span, kept, zone) for rule in file.rules}
    chosen = {id_: plan for id_, plan in plans.items() if not isinstance(plan, Cause)}
    rules = tuple(rule for rule in file.rules if rule.id in chosen)
    world, film = Rerun(Past(reads, _columns(rules)), zone), Film(msgspec.structs.replace(file, rules=rules), span)
    said = 0
    for now, due in _rounds(rules, chosen, span):
        world.turn(now, {})
        film.turn(now, [(rule, readings(rule, at, world, film.known(rule))) for rule, at in due])
        if (done := STEPS * (now - span.start) // (span.end - span.start)) > said:
            said = done
            progress(min(said / STEPS, 1.0))
    progress(1.0)
    left_out = (LeftOut(rule, cause) for rule in file.rules if isinstance(cause := plans[rule.id], Cause))
    return Replay(
        span.start, span.end, tuple(_replayed(rule, chosen[rule.id], film) for rule in rules), tuple(left_out)
    )


def tried(rule: Rule, limit: float, hold: timedelta) -> Rule:
    """The rule with another limit and `for`. What is on the wrong side of the new limit is dropped."""
    fire = msgspec.structs.replace(rule.fire, limit=limit)
    recover = rule.recover if rule.recover is not None and are_apart(fire, rule.recover) else None
    warn = rule.warn if rule.warn is not None and comes_before(rule.warn, fire) else None
    return msgspec.structs.replace(rule, fire=fire, recover=recover, warn=warn, hold=hold)


def cause_of(rule: Rule) -> Cause | None:
    """Why it can never be replayed; None: whether it can depends on what is kept."""
    of = ALERT_METRICS[rule.metric].of
    if not rule.is_enabled:
        return Cause.DISABLED
    if isinstance(of, OfProcesses):
        return Cause.OF_NOW
    return Cause.OF_EXPERIMENTS if isinstance(of, OfExperiments) else None


def _replayed(rule: Rule, stretches: tuple[Stretch, ...], film: Film) -> Replayed:
    return Replayed(
        rule=rule,
        stretches=stretches,
        episodes=film.episodes(rule),
        lines=film.lines(rule),
        messages=film.messages(rule),
    )


def _columns(rules: Iterable[Rule]) -> set[str]:
    """Of the events, that any of the rules tells apart."""
    return {column for rule in rules for column in columns_of((*rule.by, *rule.where)).values()}


def _kept(reads: Reads) -> Mapping[str, Kept]:
    """By read."""
    return {row.pop("read"): Kept(**row) for row in reads("alert_kept").to_dicts()}


def _plan(rule: Rule, span: Span, kept: Mapping[str, Kept], zone: ZoneInfo) -> tuple[Stretch, ...] | Cause:
    """When it is evaluated, or why not."""
    if (cause := cause_of(rule)) is not None:
        return cause
    of = ALERT_METRICS[rule.metric].of
    known = kept.get(of.read if isinstance(of, OfKpi) else Read.EVENTS)
    return (tuple(_stretches(rule, span, known, zone)) if known is not None else ()) or Cause.NOTHING_KEPT


def _stretches(rule: Rule, span: Span, kept: Kept, zone: ZoneInfo) -> Iterator[Stretch]:
    """By the hour where only hours are left, if the window is made of whole ones; then at the rule's own pace."""
    step, fine_from = max(rule.every, MINUTE), _whole_from(kept.minutes_from, rule, kept)
    first = _next_minute(max(span.start, fine_from))
    if kept.hours_from < kept.minutes_from and not rule.window % HOUR:
        coarse_from = _next_hour(max(span.start, _whole_from(kept.hours_from, rule, kept)), zone)
        by_hour = Stretch(coarse_from, min(fine_from + MINUTE, span.end), -(-step // HOUR) * HOUR)
        if by_hour.first < by_hour.end:
            yield by_hour
            first = fine_from + step
    if first < span.end:
        yield Stretch(first, span.end, step)


def _whole_from(known_from: datetime, rule: Rule, kept: Kept) -> datetime:
    """Where the first window ends that holds nothing unknown; before all that is known there was nothing."""
    return known_from if known_from == kept.first_at else known_from + rule.window


def _next_minute(at: datetime) -> datetime:
    minute = at.replace(second=0, microsecond=0)
    return minute if minute == at else minute + MINUTE


def _next_hour(at: datetime, zone: ZoneInfo) -> datetime:
    """Of the wall clock."""
    minute = _next_minute(at)
    return minute + -minute.astimezone(zone).minute % 60 * MINUTE


def _rounds(
    rules: Sequence[Rule], stretches: Mapping[str, Iterable[Stretch]], span: Span
) -> Iterator[tuple[datetime, list[Due]]]:
    """Which rules are due when, and at which event time; every minute at least: messages come due by time alone."""
    least = min((rule.evaluation_delay for rule in rules), default=MINUTE)
    minutes = ((at + least, None) for at in Stretch(_next_minute(span.start), span.end, MINUTE).instants())
    of_rules = (_instants(rule, stretch) for rule in rules for stretch in stretches[rule.id])
    for now, due in groupby(merge(minutes, *of_rules, key=itemgetter(0)), itemgetter(0)):
        yield now, [each for _, each in due if each is not None]


def _instants(rule: Rule, stretch: Stretch) -> Iterator[tuple[datetime, Due]]:
    paced = msgspec.structs.replace(rule, every=stretch.step)
    return ((at + rule.evaluation_delay, (paced, at)) for at in stretch.instants())
