"""A replay in words and numbers of one language: what would have fired and who would have been told.

Law: a result stands beside how closely it was looked at, and what could not be looked at is named with its reason.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from cockpit.alerts.film import Episode
from cockpit.alerts.messages import amount, span
from cockpit.alerts.replay import Cause, Replay, Replayed
from cockpit.alerts.rules import Labels, Rule, Severity
from cockpit.alerts.world import HOUR, MINUTE
from cockpit.i18n import dates
from cockpit.i18n.format import MISSING, num
from cockpit.i18n.translate import translate
from cockpit.views.alert_words import WARNED, Cell, Table, Words

MOST = 100  # episodes of a rule, the newest ones
COLUMNS = ("about", "began", "fired", "lasted", "peak", "messages")
FIRED, BLIND = "⬣", "⌀"


@dataclass(frozen=True)
class ReplayWords:
    """`words` say what is said of alerts anyway."""

    words: Words

    def say(self, key: str, **values: object) -> str:
        return translate(f"alerts.replay.{key}", self.words.language, **values)

    def cause(self, cause: Cause) -> str:
        return self.say(f"cause.{cause}")

    def thing(self, rule: Rule, labels: Labels) -> str:
        """What a line or an episode is about; the rule itself, if it tells nothing apart."""
        told = {name: value for name, value in labels.items() if name not in rule.where}
        return " · ".join(self.words.labels(told)) or self.words.rule(rule)

    def kind(self, episode: Episode) -> str:
        """How bad it was; of one without data, that."""
        return self.say("of_no_data") if episode.is_about_data else self.words.say(f"severity.{episode.severity}")

    def sentence(self, found: Replayed, end: datetime) -> str:
        """Whether it would have fired, for how long, and who would have been told."""
        episodes = found.episodes
        if not episodes:
            return self.say("never")
        lasted = span(sum((each.lasted(end) for each in episodes), timedelta()).total_seconds())
        key = "once" if len(episodes) == 1 else "times"
        parts = [self.say(key, count=num(len(episodes), self.words.language), lasted=lasted), *self._more(episodes)]
        return "; ".join((*parts, self._told([found]))) + "."

    def notes(self, found: Replayed, asked_from: datetime) -> Iterator[str]:
        """How closely it was looked at, from `asked_from` on, and on which terms."""
        first, last = found.stretches[0], found.stretches[-1]
        if first.first - asked_from > max(first.step, HOUR):
            yield self.say("begins_late", start=self.words.moment(first.first))
        if first.step > max(found.rule.every, MINUTE):
            yield self.say("by_hour", end=self.words.moment(first.end))
        start, end = (dates.instant(at, self.words.language, self.words.zone) for at in (last.first, last.end))
        yield self.say("judged", step=span(last.step.total_seconds()), start=start, end=end)
        yield self.say("assumes")

    def summary(self, found: Replay) -> str:
        """Of a whole file."""
        counts = {
            "replayed": len(found.rules),
            "rules": len(found.rules) + len(found.left_out),
            "days": (found.end - found.start).days,
            "episodes": sum(len(each.episodes) for each in found.rules),
        }
        said = self.say("summary", **{name: num(count, self.words.language) for name, count in counts.items()})
        return f"{said}; {self._told(found.rules)}."

    def episodes(self, found: Replayed, end: datetime) -> Table:
        """The newest first."""
        newest = found.episodes[::-1][:MOST]
        head = tuple(self.say(f"column.{name}") for name in COLUMNS)
        notes = (self.say("days_note", most=MOST),) if len(found.episodes) > MOST else ()
        rows = tuple(self._episode(found.rule, each, end) for each in newest)
        return Table(head, rows, (*notes, self.words.say("times_note", zone=self.words.zone.key)))

    def _told(self, found: Iterable[Replayed]) -> str:
        """How many messages to whom."""
        counts: Counter[str] = Counter()
        for each in found:
            counts.update({receiver: sum(kinds.values()) for receiver, kinds in each.messages.items()})
        if not counts:
            return self.say("told_nobody")
        numbers = {name: num(count, self.words.language) for name, count in counts.items()}
        told = (self.say("told_one", count=number, receiver=name) for name, number in numbers.items())
        return self.say("told", receivers=", ".join(told))

    def _more(self, episodes: Iterable[Episode]) -> Iterator[str]:
        blind = sum(each.is_about_data for each in episodes)
        if blind:
            yield self.say("of_data", count=num(blind, self.words.language))
        if any(each.resolved_at is None for each in episodes):
            yield self.say("goes_on")

    def _episode(self, rule: Rule, episode: Episode, end: datetime) -> tuple[Cell, ...]:
        words = self.words
        is_warning = episode.severity is Severity.WARN
        glyph, tone = (WARNED, "warn") if is_warning else (FIRED, "bad")
        if episode.is_about_data:
            glyph, tone = BLIND, "soft"
        lasted = Cell(span(episode.lasted(end).total_seconds()), () if episode.resolved_at else (words.say("goes_on"),))
        return (
            Cell(f"{glyph} {self.thing(rule, episode.labels)}", (self.kind(episode),), tone),
            Cell(words.moment(episode.opened_at)),
            Cell(words.moment(episode.fired_at)),
            lasted,
            Cell(MISSING if episode.peak is None else amount(rule.unit, episode.peak, words.language)),
            Cell(num(episode.messages, words.language)),
        )
