"""What changed in the business shortly before an alert began: a deploy, a campaign, an experiment.

Law: only what was there before it began is named, and never that it is the cause. Another rule file is no change of
the business.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal, NamedTuple, get_args

import msgspec

from cockpit.alerts.machine import Context
from cockpit.alerts.scrubbing import scrubbed
from cockpit.errors import CallerError
from cockpit.experiments.lifecycle import Entry, Key, Starting, details_of

NEARBY = timedelta(minutes=60)
AHEAD = timedelta(minutes=1)  # by how much the clock of whoever says it may be ahead
LONGEST = 200
Kind = Literal["deploy", "campaign", "content", "other"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MOVING = ("start", "pause", "resume", "stop", "reallocate")  # what is done to an experiment that people may notice
Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class Annotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody, or a pipeline, says has changed. `text` is scrubbed: it is never taken back."""

    at: Instant
    text: str
    kind: Kind
    by: str
    role: str


class Noting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The wish to say so. `at`: when it changed, such as the beginning of a deploy; None: now."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST)]
    kind: Kind
    by: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    role: str
    at: Instant | None = None


class Marker(NamedTuple):
    """A change as a message names it. `act`: what was done to the experiment `text`; empty: `text` says it all."""

    at: datetime
    text: str
    act: str = ""


def annotation_of(noting: Noting, now: datetime) -> Annotation:
    """As it is kept. CallerError: nothing is left of the text, or it has not happened yet."""
    text = scrubbed(noting.text, LONGEST)
    if not text:
        raise CallerError("the text says nothing that may be kept: say what changed, without links or personal data")
    at = noting.at or now
    if at > now + AHEAD:
        raise CallerError("`at` is in the future: say it when it has happened")
    return Annotation(at=min(at, now), text=text, kind=noting.kind, by=noting.by, role=noting.role)


def markers(annotations: Iterable[Annotation], entries: Iterable[Entry]) -> tuple[Marker, ...]:
    """Of what people said and of what was decided about experiments, oldest first."""
    said = (Marker(annotation.at, annotation.text) for annotation in annotations)
    return tuple(sorted([*said, *_of_experiments(entries)]))


def nearby(known: Sequence[Marker], began_at: datetime) -> Context:
    """The last of `known`, oldest first, in the hour before an alert began; empty if there is none."""
    place = bisect_right(known, began_at, key=lambda marker: marker.at)
    if not place or began_at - known[place - 1].at > NEARBY:
        return {}
    last = known[place - 1]
    found: Context = {"change": last.text, "change_at": last.at.timestamp()}
    return found | {"change_act": last.act} if last.act else found


def _of_experiments(entries: Iterable[Entry]) -> Iterator[Marker]:
    """What never ran changed nothing when it was stopped."""
    started: set[Key] = set()
    for entry in entries:
        details = details_of(entry)
        at = details.at if isinstance(details, Starting) else None
        if entry.action == "start":
            started.add(entry.key)
        if entry.action in MOVING and entry.key in started:
            yield Marker(at or entry.at, " · ".join(entry.key), entry.action)
