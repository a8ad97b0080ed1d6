"""From a record to what goes on the wire: its id and its dates."""

import hashlib
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from ingest.replay.mapping import Record
from ingest.window import Outgoing

Dates = Literal["own", "history", "now"]
MAX_MESSAGE_ID = 100
encode = msgspec.json.Encoder().encode


class Dress(msgspec.Struct, frozen=True, kw_only=True):
    """How the records of a file are sent. `shift` is added to their times when dates are `now`.

    A message without an id gets `<file>:<line>`, so a second replay doubles nothing; a line's second step and those
    after it get `.<step>` behind it. Shifted events are other events than the original ones and get other ids; `again`
    makes still others.
    """

    file: str
    dates: Dates = "history"
    shift: timedelta = timedelta()
    again: str = ""

    @property
    def suffix(self) -> str:
        return ("@now" if self.dates == "now" else "") + (f"+{self.again}" if self.again else "")

    def outgoing(self, record: Record) -> Outgoing:
        message = dict(record.message)
        given = message.get("messageId")
        name = given if isinstance(given, str) and given else f"{self.file}:{record.line}"
        message["messageId"] = self.renamed(f"{name}.{record.step}" if record.step else name)
        if self.dates == "history":
            message["historical"] = True
        if record.at is not None:
            message |= _dates(message, record.at + self.shift)
        properties = message.get("properties")
        if self.suffix and isinstance(properties, dict) and isinstance(properties.get("trigger_id"), str):
            # a reference to another message of the file follows that message to its new id
            message["properties"] = {**properties, "trigger_id": self.renamed(properties["trigger_id"])}
        return Outgoing(encode(message), record.line)

    def renamed(self, message_id: str) -> str:
        """Short enough for the gateway, and the same for the same id."""
        longest = MAX_MESSAGE_ID - len(self.suffix)
        if len(message_id) > longest:
            digest = hashlib.sha256(message_id.encode()).hexdigest()[:24]
            message_id = f"{digest}-{message_id[-40:]}"
        return message_id + self.suffix


def _dates(message: dict[str, Any], at: datetime) -> dict[str, str]:
    """Both fields that the clock rule reads, where both are there, say the same."""
    text = at.isoformat(timespec="milliseconds" if at.microsecond % 1000 == 0 else "microseconds")
    named = {"timestamp", "originalTimestamp"} & message.keys() or {"timestamp"}
    return dict.fromkeys(named, text.replace("+00:00", "Z"))
