"""What was over before anybody looked: each morning one message about the episodes that ended since the last one."""

from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from cockpit.alerts.machine import Transition
from cockpit.alerts.messages import Place, Text, Tone, amount, moment, named, span
from cockpit.alerts.rules import RuleFile
from cockpit.alerts.scrubbing import scrubbed
from cockpit.i18n.translate import language_of, translate

HOUR = time(9)
LISTED = 20


class Digest(msgspec.Struct, frozen=True):
    """For one receiver. `key` is the same however often it is made."""

    key: str
    receiver: str
    since: datetime
    at: datetime
    episodes: tuple[Transition, ...]


def last_morning(now: datetime, zone: ZoneInfo) -> datetime:
    """The latest 9 o'clock by the business clock. A digest is due if the last one is older."""
    here = now.astimezone(zone)
    today = datetime.combine(here.date(), HOUR, zone)
    return today if today <= here else datetime.combine(here.date() - timedelta(days=1), HOUR, zone)


def digests(rows: Iterable[Transition], file: RuleFile, since: datetime, at: datetime) -> tuple[Digest, ...]:
    """One for each receiver that has something in it: the episodes of its rules that ended from `since` until `at`."""
    over = [row for row in rows if row.is_closing and since <= row.at < at]
    made = (
        Digest(
            f"digest/{at.isoformat()}/{receiver.name}", receiver.name, since, at, tuple(_of(receiver.name, over, file))
        )
        for receiver in file.receivers
        if receiver.wants_digest
    )
    return tuple(digest for digest in made if digest.episodes)


def digest_text(digest: Digest, file: RuleFile, place: Place) -> Text:
    language = language_of(place.language)
    count = len(digest.episodes)
    title = translate("alerts.digest.title", language, count=count, since=moment(digest.since, digest.at, place))
    longest = sorted(digest.episodes, key=lambda episode: episode.lasted, reverse=True)[:LISTED]
    lines = [f"- {_line(episode, file, digest.at, place)}" for episode in longest]
    if count > LISTED:
        lines.append(translate("alerts.digest.more", language, count=count - LISTED))
    return Text(title, "\n".join(lines), Tone.INFO)


def _of(receiver: str, episodes: Iterable[Transition], file: RuleFile) -> Iterator[Transition]:
    for episode in episodes:
        rule = file.by_id.get(episode.rule_id)
        if rule is not None and receiver in rule.receivers:
            yield episode


def _line(row: Transition, file: RuleFile, at: datetime, place: Place) -> str:
    language, rule = language_of(place.language), file.by_id[row.rule_id]
    peak = amount(rule.unit, row.peak, language) if row.peak is not None else ""
    said = translate(
        "alerts.digest.line",
        language,
        what=" ".join((rule.name[language], *(named(name, value, language) for name, value in row.labels.items()))),
        began=moment(row.active_at, at, place),
        ended=moment(row.at, at, place),
        age=span(row.lasted.total_seconds()),
        taken=_taken(row, language),
    )
    return said + (translate("alerts.digest.peak", language, peak=peak) if peak else "")


def _taken(row: Transition, language: str) -> str:
    if not row.acked_by:
        return translate("alerts.digest.not_taken", language)
    return translate("alerts.digest.taken", language, by=scrubbed(row.acked_by.partition("@")[0]))
