"""The life of each experiment version, folded from what was decided about it, oldest first.

Laws: the same entries give the same experiments; spans of enrolment are in order and never overlap; what has stopped
never enrols again. `TRANSITIONS` is all that can happen.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from cockpit.clock import to_us
from cockpit.errors import CallerError
from cockpit.experiments.registration import Name, Registration
from cockpit.experiments.rules import Rules

Action = Literal["register", "start", "pause", "resume", "stop", "conclude", "reallocate"]
Key = tuple[str, str]  # experiment and version
Text = Annotated[str, msgspec.Meta(max_length=10_000)]
Decision = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
SMALLEST_DIFFERENCE = 1e-6  # of shares, as in a registration


class Status(StrEnum):
    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    CONCLUDED = "concluded"


TRANSITIONS: Mapping[tuple[Status, Action], Status] = {
    (Status.DRAFT, "start"): Status.RUNNING,
    (Status.DRAFT, "stop"): Status.STOPPED,  # registered and never run
    (Status.RUNNING, "pause"): Status.PAUSED,
    (Status.PAUSED, "resume"): Status.RUNNING,
    (Status.RUNNING, "stop"): Status.STOPPED,
    (Status.PAUSED, "stop"): Status.STOPPED,
    (Status.STOPPED, "conclude"): Status.CONCLUDED,
    (Status.RUNNING, "reallocate"): Status.RUNNING,
    (Status.PAUSED, "reallocate"): Status.PAUSED,
}


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One decision: who took it, when, and what it says beside its name (see DETAILS)."""

    at: datetime
    actor: Name
    role: Name
    experiment_id: Name
    version: Name = "1"
    action: Action
    details: dict[str, Any] = {}

    @property
    def key(self) -> Key:
        return self.experiment_id, self.version


class Registering(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    registration: Registration


class Starting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`at`: since when it has been running, not later than now; None: from now on."""

    at: datetime | None = None
    reason: Text = ""


class Turning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: Text = ""


class Concluding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    decision: Decision
    learning: Text = ""


class Reallocating(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shares of all variants. `chances`, of a bandit: how probable it is that each treatment is the best."""

    shares: dict[str, float]
    chances: dict[str, float] = {}
    reason: Text = ""


DETAILS: Mapping[Action, type[msgspec.Struct]] = {
    "register": Registering,
    "start": Starting,
    "pause": Turning,
    "resume": Turning,
    "stop": Turning,
    "conclude": Concluding,
    "reallocate": Reallocating,
}


class Span(NamedTuple):
    """From, up to but not including; None: still open."""

    start: datetime
    end: datetime | None


class Epoch(NamedTuple):
    """The shares of the variants from an instant on."""

    start: datetime
    shares: Mapping[str, float]


class Experiment(msgspec.Struct, frozen=True, kw_only=True):
    """A registered version. `epochs`: the number of an exposure's epoch is its place here; empty before the start."""

    registration: Registration
    registered_at: datetime
    status: Status = Status.DRAFT
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    enrolment: tuple[Span, ...] = ()
    epochs: tuple[Epoch, ...] = ()
    decision: str | None = None
    learning: str | None = None

    @property
    def key(self) -> Key:
        return self.registration.experiment_id, self.registration.version

    @property
    def name(self) -> str:
        return f"experiment {self.registration.experiment_id!r} version {self.registration.version!r}"

    @property
    def shares(self) -> Mapping[str, float]:
        """Of the variants now; before the start and after the end what was planned or last."""
        return self.epochs[-1].shares if self.epochs else self.registration.shares

    @property
    def is_live(self) -> bool:
        """Started and not stopped: it may be paused."""
        return self.status in (Status.RUNNING, Status.PAUSED)

    @property
    def rules(self) -> Rules:
        """What the fold of exposures and outcomes goes by; outcomes count until it is stopped, also in a pause."""
        return Rules(
            experiment_id=self.registration.experiment_id,
            version=self.registration.version,
            control=self.registration.control,
            use_case=self.registration.use_case,
            lookback_days=self.registration.lookback_days,
            enrolment=tuple((to_us(start), None if end is None else to_us(end)) for start, end in self.enrolment),
            ends_us=None if self.stopped_at is None else to_us(self.stopped_at),
            epochs_us=tuple(to_us(epoch.start) for epoch in self.epochs[1:]),
            treatments_move=self.registration.allocation == "thompson" or len(self.epochs) > 1,
        )


Experiments = Mapping[Key, Experiment]


def experiments_of(entries: Iterable[Entry]) -> Experiments:
    """Every version that was registered; CallerError at the first entry that cannot have happened."""
    experiments: Experiments = {}
    for entry in entries:
        experiments = step(experiments, entry)
    return experiments


def step(experiments: Experiments, entry: Entry) -> Experiments:
    """The experiments after one more entry, the same value when it says nothing new.

    CallerError says what cannot be and what to do about it.
    """
    details = details_of(entry)
    found = experiments.get(entry.key)
    if isinstance(details, Registering):
        after = _registered(experiments, entry, details.registration)
    elif found is None:
        raise CallerError(f"no {_named(entry)}: register it first")
    elif (found.status, entry.action) not in TRANSITIONS:
        raise CallerError(_refusal(found, entry.action))
    else:
        status = TRANSITIONS[found.status, entry.action]
        after = msgspec.structs.replace(_acted(experiments, found, entry, details), status=status)
    return experiments if after is found else {**experiments, entry.key: after}


def details_of(entry: Entry) -> msgspec.Struct:
    """The details in their shape; CallerError names what is wrong with them."""
    try:
        return msgspec.convert(entry.details, DETAILS[entry.action])
    except msgspec.ValidationError as error:
        raise CallerError(f"{entry.action} {_named(entry)}: {error}") from error


def salt_of(registration: Registration) -> str:
    return registration.salt or f"{registration.experiment_id}:{registration.version}"


def _registered(experiments: Experiments, entry: Entry, registration: Registration) -> Experiment:
    if (registration.experiment_id, registration.version) != entry.key:
        raise CallerError(f"register {_named(entry)}: the registration is of another experiment or version")
    found = experiments.get(entry.key)
    if found is not None:
        if found.registration != registration:
            raise CallerError(f"{found.name} is registered otherwise: a change is a new version")
        return found
    for other in experiments.values():
        _refuse_shared_salt(registration, other.registration)
    return Experiment(registration=registration, registered_at=entry.at)


def _refuse_shared_salt(one: Registration, other: Registration) -> None:
    """The global control's people must not be the control of anything else; its own versions may keep their people."""
    is_shared = salt_of(one) == salt_of(other) and one.experiment_id != other.experiment_id
    if is_shared and (one.is_program or other.is_program):
        raise CallerError(
            f"the salt {salt_of(one)!r} is already that of {other.experiment_id!r}: "
            "the global control shares its salt with no other experiment; give another salt"
        )


def _acted(experiments: Experiments, found: Experiment, entry: Entry, details: msgspec.Struct) -> Experiment:
    replace = msgspec.structs.replace
    at = max(entry.at, _changed_at(found))  # a machine's clock may have been set back
    if isinstance(details, Starting):
        return _started(experiments, found, entry.at, details.at)
    if isinstance(details, Concluding):
        return replace(found, decision=details.decision, learning=details.learning)
    if isinstance(details, Reallocating):
        return replace(found, epochs=(*found.epochs, Epoch(at, _shares(found, details.shares))))
    if entry.action == "resume":
        return replace(found, enrolment=(*found.enrolment, Span(at, None)))
    closed = tuple(Span(start, at if end is None else end) for start, end in found.enrolment)
    return replace(found, enrolment=closed, stopped_at=at if entry.action == "stop" else None)


def _changed_at(found: Experiment) -> datetime:
    """The last instant at which its enrolment or its shares changed."""
    instants = [instant for span in found.enrolment for instant in span if instant is not None]
    return max([*instants, *(epoch.start for epoch in found.epochs)], default=found.registered_at)


def _started(experiments: Experiments, found: Experiment, now: datetime, since: datetime | None) -> Experiment:
    if since is not None and since.tzinfo is None:
        raise CallerError(f"start {found.name}: `at` needs a time zone, as in 2026-11-20T12:00:00Z")
    at = now if since is None else since
    if at > now:
        raise CallerError(f"start {found.name}: `at` is in the future; start it when the time has come")
    for other in experiments.values():
        if _excludes(found, other) and (other.stopped_at is None or other.stopped_at > at):
            since_when = "is not stopped: stop it first" if other.stopped_at is None else "ran at that time"
            raise CallerError(f"start {found.name}: {other.name} {since_when}")
    return msgspec.structs.replace(
        found, started_at=at, enrolment=(Span(at, None),), epochs=(Epoch(at, found.registration.shares),)
    )


def _excludes(one: Experiment, other: Experiment) -> bool:
    """Versions of one experiment, and global controls, follow each other and never run side by side."""
    if other.started_at is None or one.key == other.key:
        return False
    is_same = one.registration.experiment_id == other.registration.experiment_id
    return is_same or (one.registration.is_program and other.registration.is_program)


def _shares(found: Experiment, shares: Mapping[str, float]) -> Mapping[str, float]:
    """New shares, in the order of the registration."""
    planned, control = found.registration.shares, found.registration.control
    if set(shares) != set(planned):
        raise CallerError(f"reallocate {found.name}: say the shares of {', '.join(planned)}, all and no other")
    if not all(share > 0 for share in shares.values()) or abs(sum(shares.values()) - 1) > SMALLEST_DIFFERENCE:
        raise CallerError(f"reallocate {found.name}: shares are above 0 and add up to 1")
    if abs(shares[control] - planned[control]) > SMALLEST_DIFFERENCE:
        raise CallerError(
            f"reallocate {found.name}: the control keeps its planned share {planned[control]}; "
            "another one is a new version"
        )
    return {**{variant_id: shares[variant_id] for variant_id in planned}, control: planned[control]}


def _refusal(found: Experiment, action: str) -> str:
    possible = [other for status, other in TRANSITIONS if status is found.status]
    ways = f"possible now: {', '.join(possible)}" if possible else "a new version is the way on"
    return f"cannot {action} {found.name}: it is {found.status}; {ways}"


def _named(entry: Entry) -> str:
    return f"experiment {entry.experiment_id!r} version {entry.version!r}"
