"""What Flight clients may read of the alerts and do with them: acknowledge, silence, try a receiver."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import uuid4

import msgspec
import polars as pl

from cockpit.alerts.drill import Drill
from cockpit.alerts.silences import Silence, Text
from cockpit.clock import Clock
from cockpit.errors import CallerError
from ingest.warehouse.alert_frames import AlertFrames
from ingest.warehouse.alert_store import Act, AlertStore, Changes
from ingest.warehouse.duty import Ack, Duty
from ingest.warehouse.flight import Action, Serve

MAY_ACT = ("operator", "admin")
Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


class Between(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From `start` up to, not including, `end`; ISO 8601 with an offset."""

    start: Instant
    end: Instant


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A silence; without an id a new one, with one it takes the place of the other."""

    matchers: dict[str, str]
    starts: Instant
    ends: Instant
    by: str
    role: str
    comment: str
    id: str = ""
    tells_resolved: bool = True


class Trial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A test notification to one receiver."""

    receiver: str
    by: Text
    role: str


Body = TypeVar("Body", Ack, Wanted, Trial)
Params = TypeVar("Params", bound=msgspec.Struct)


def alert_reads(frames: AlertFrames, duty: Duty, clock: Clock) -> Mapping[str, Serve]:
    """Named reads beside those of the tables."""
    return {
        "alert_now": _read(Nothing, lambda _: frames.now()),
        "alert_history": _read(Between, lambda asked: frames.history(asked.start, asked.end)),
        "alert_deliveries": _read(Between, lambda asked: frames.deliveries(asked.start, asked.end)),
        "alert_silences": _read(Nothing, lambda _: frames.silences(clock())),
        "alert_rules": _read(Nothing, lambda _: frames.rules()),
        "alert_audit": _read(Between, lambda asked: frames.audit(asked.start, asked.end)),
        "alert_engine": _read(Nothing, lambda _: frames.engine(duty.error)),
    }


def alert_actions(duty: Duty, store: AlertStore, clock: Clock) -> Mapping[str, Action]:
    """Each is for operators and administrators, and lands in the audit."""

    def acknowledge(body: bytes) -> Mapping[str, object]:
        """Takes alerts in somebody's name, until an instant or until they end."""
        duty.acknowledge(_asked(body, Ack))
        return {}

    def silence(body: bytes) -> Mapping[str, object]:
        """Keeps alerts quiet from an instant to another; with the id of a silence it changes or ends that one."""
        asked = _asked(body, Wanted)
        fields = {name: getattr(asked, name) for name in Silence.__struct_fields__}
        wanted = msgspec.convert(fields | {"id": asked.id or uuid4().hex}, Silence)
        duty.silence(wanted, asked.role)
        return {"id": wanted.id}

    def test(body: bytes) -> Mapping[str, object]:
        """Puts a message that says it is a test into the outbox, for one receiver."""
        asked, now = _asked(body, Trial), clock()
        file = store.rule_file()
        if file is None or asked.receiver not in file.receiver_by_name:
            raise CallerError(f"no receiver {asked.receiver!r} in the rules in force")
        drill = Drill(key=f"test/{uuid4().hex}", receiver=asked.receiver, by=asked.by, at=now)
        act = Act(actor=asked.by, role=asked.role, action="test", details={"receiver": asked.receiver})
        store.write(Changes(at=now, told=(drill,), acts=(act,)))
        return {"key": drill.key}

    return {"alert_ack": acknowledge, "alert_silence": silence, "alert_test": test}


def _read(shape: type[Params], work: Callable[[Params], pl.DataFrame]) -> Serve:
    def serve(params: Mapping[str, Any]) -> pl.DataFrame:
        return work(msgspec.convert(params, shape))

    return serve


def _asked(body: bytes, shape: type[Body]) -> Body:
    """CallerError unless the role may act."""
    asked = msgspec.json.decode(body, type=shape)
    if asked.role not in MAY_ACT:
        raise CallerError(f"the role {asked.role!r} may not do this; {' and '.join(MAY_ACT)} may")
    if not asked.by.strip():
        raise CallerError("say who asks: `by` is empty")
    return asked
