"""A message sent on purpose, to see whether a receiver is reached: it is about no alert."""

from datetime import datetime

import msgspec

from cockpit.alerts.messages import Place, Text, Tone, moment
from cockpit.alerts.scrubbing import scrubbed
from cockpit.i18n.translate import language_of, translate


class Drill(msgspec.Struct, frozen=True, kw_only=True):
    """Asked for by a person; `key` is unique."""

    key: str
    receiver: str
    by: str
    at: datetime


def drill_text(drill: Drill, place: Place) -> Text:
    """What the receiver reads: that nothing is wrong, and who asked."""
    language = language_of(place.language)
    asked = {"receiver": drill.receiver, "by": scrubbed(drill.by), "time": moment(drill.at, drill.at, place)}
    return Text(translate("alerts.drill.title", language), translate("alerts.drill.body", language, **asked), Tone.INFO)
