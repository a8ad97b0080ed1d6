"""What every page says of the alerts' engine: nobody evaluates, a rule file is refused, messages are held back.

Law: silence means that rules were evaluated a minute ago or less. Who cannot know whether they were says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from cockpit.alerts.messages import Place, moment, span
from cockpit.alerts.rules import Mute, RuleFile
from cockpit.i18n.translate import translate
from cockpit.views.alerts import Engine
from cockpit.views.reads import Reads


@dataclass(frozen=True)
class Line:
    """`tone`: bad, warn or soft. The text says it all; the glyph says the tone without its colour."""

    tone: str
    glyph: str
    text: str


@dataclass(frozen=True)
class Reader:
    """At which instant, in which language, by the clocks of which zone."""

    now: datetime
    language: str
    zone: ZoneInfo

    def say(self, key: str, **values: object) -> str:
        return translate(f"alerts.duty.{key}", self.language, **values)

    def moment(self, at: datetime) -> str:
        return moment(at, self.now, Place(self.language, self.zone))


def engine(reads: Reads) -> Engine:
    (row,) = reads("alert_engine").to_dicts()
    file = RuleFile() if row["file"] is None else msgspec.json.decode(row["file"], type=RuleFile)
    return Engine(row["evaluated_at"], file, {}, row["error"])


def state(known: Engine | None, reader: Reader) -> Iterator[Line]:
    """Whether rules are evaluated, and by which file. None: nobody answers."""
    if known is None:
        yield Line("warn", "▲", reader.say("unknown"))
        return
    if known.evaluated_at is None:
        yield Line("bad", "⬣", reader.say("never"))
    elif known.is_late(reader.now):
        age = span((reader.now - known.evaluated_at).total_seconds())
        yield Line("bad", "⬣", reader.say("late", age=age, time=reader.moment(known.evaluated_at)))
    if known.error:
        yield Line("warn", "▲", reader.say("refused"))


def mutes(known: Engine | None, reader: Reader) -> Iterator[Line]:
    """Those planned for a time, now in force. Weekly hours are no news: they are on the alerts page."""
    for mute in known.file.mutes if known else ():
        if mute.end is not None and mute.covers(reader.now):
            yield Line("soft", "○", _muted(mute, mute.end, reader))


def _muted(mute: Mute, end: datetime, reader: Reader) -> str:
    return reader.say("muted", name=mute.name, reason=mute.reason, until=reader.moment(end))
