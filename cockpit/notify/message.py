"""What is told to whom, what became of it, and who can do it."""

from enum import StrEnum
from typing import NamedTuple, Protocol

import msgspec

from cockpit.alerts.messages import Tone


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Words for one receiver. `key`: of this notice; `dedup_key`: of the alert it is about."""

    receiver: str
    key: str
    dedup_key: str
    tone: Tone
    title: str
    body: str


class Outcome(StrEnum):
    """UNKNOWN: no answer in time, it may have arrived."""

    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NO_SUCH_RECEIVER = "no_such_receiver"


class Receipt(NamedTuple):
    """What became of a message; the HTTP status of a refusal, where there was one."""

    outcome: Outcome
    http_status: int | None = None


class Sender(Protocol):
    def send(self, message: Message) -> Receipt:
        """One attempt. Used by several threads at once."""
        ...
