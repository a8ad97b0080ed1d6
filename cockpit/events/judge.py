"""Judging: every event of a commit becomes a row or a refusal. Each is judged alone: a bad one costs itself only.

Law: whatever the bytes, rows and refusals together are as many as the events; nothing else escapes. The ordinary
event is decoded by strict types and screened together with its neighbours; only what a screen holds back is looked at
one by one.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

import msgspec
import polars as pl

from cockpit.errors import SenderError
from cockpit.events.arrival import Arrival, Member, Parcel
from cockpit.events.call import ILLEGAL_IDS, NOTHING, Content, call_name, call_properties, check_ids, content
from cockpit.events.catalogue import Catalogue
from cockpit.events.codes import Code
from cockpit.events.frame import DEAD_LETTER_SCHEMA, EVENT_SCHEMA
from cockpit.events.rows import Accepted, event_rows
from cockpit.events.sent import MAX_MESSAGE_ID, UNREADABLE, Sent, parse_leniently, read_carefully, read_strictly
from cockpit.events.split import split_object
from cockpit.events.values import clean_text
from cockpit.events.wire import ESCAPED_NUL, MAX_EVENT_BYTES

PLAIN_TYPES = frozenset({"track", "page", "screen", "identify"})  # the others need ids of their own
NO_EVENTS = EVENT_SCHEMA.to_frame()
NO_DEAD_LETTERS = DEAD_LETTER_SCHEMA.to_frame()
PORTION = 2_000


class Refusal(msgspec.Struct, frozen=True):
    """An event turned away: its place in its frame, its id as far as it can be read, and what was sent of it."""

    source: str
    received_us: int
    index: int
    message_id: str | None
    code: Code
    message: str
    original: bytes


class Verdict(msgspec.Struct, frozen=True):
    """`events` and `dead_letters` have the schemas of their names; `refusals` has one list per parcel."""

    events: pl.DataFrame
    dead_letters: pl.DataFrame
    refusals: list[list[Refusal]]


class Judge:
    """Judges by one catalogue. `new_id` gives the id of a message that came without one."""

    def __init__(self, catalogue: Catalogue, new_id: Callable[[], str]) -> None:
        self._catalogue = catalogue
        self._new_id = new_id

    def judge(self, parcels: Sequence[Parcel]) -> Verdict:
        refusals: list[list[Refusal]] = []
        frames = [NO_EVENTS]
        for some in portions(parcels):
            accepted, refused = self._ordinary(some) or self._one_by_one(some)
            refusals += refused
            if accepted.sents:
                ids = [sent.message_id or self._new_id() for sent in accepted.sents]
                frames.append(event_rows(accepted, self._catalogue, ids))
        return Verdict(pl.concat(frames, how="diagonal"), dead_letters(refusals), refusals)

    def _ordinary(self, parcels: Sequence[Parcel]) -> tuple[Accepted, list[list[Refusal]]] | None:
        """All the events at once, if none of them needs to be looked at; else None."""
        if not all(parcel.is_ordinary and parcel.arrival.sender.events is None for parcel in parcels):
            return None
        members = list(chain.from_iterable([parcel.members for parcel in parcels]))
        try:
            sents = list(map(read_strictly, members))
        except UNREADABLE:
            return None
        if not is_plain(sents):
            return None
        tracks = {event: self._catalogue.named(event) for event in {sent.event for sent in sents} if event}
        names = [tracks[sent.event] if sent.type == "track" else call_name(sent) for sent in sents]  # type: ignore[index]
        properties = [sent.properties or NOTHING if sent.type == "track" else call_properties(sent) for sent in sents]
        if any(named.implied for named in tracks.values()):
            properties = [{**name.implied, **own} for name, own in zip(names, properties, strict=True)]
        places = [place for place, parcel in enumerate(parcels) for _ in parcel.members]
        arrivals = [parcel.arrival for parcel in parcels]
        return Accepted(sents, names, properties, arrivals, places), [[] for _ in parcels]

    def _one_by_one(self, parcels: Sequence[Parcel]) -> tuple[Accepted, list[list[Refusal]]]:
        accepted = Accepted([], [], [], [parcel.arrival for parcel in parcels], [])
        refusals: list[list[Refusal]] = [[] for _ in parcels]
        for place, parcel in enumerate(parcels):
            for index, member in enumerate(parcel.members):
                try:
                    sent = read_one(member)
                    named, properties = self._said(sent, parcel.arrival)
                except SenderError as error:
                    refusals[place].append(refusal(bytes(member), index, parcel.arrival, error))
                else:
                    accepted.sents.append(sent)
                    accepted.names.append(named)
                    accepted.properties.append(properties)
                    accepted.places.append(place)
        return accepted, refusals

    def _said(self, sent: Sent, arrival: Arrival) -> Content:
        """SenderError when the ids or the name are wrong."""
        said = content(sent, self._catalogue)
        check_ids(sent)
        allowed = arrival.sender.events
        if allowed is not None and said.named.canonical not in allowed:
            raise SenderError(Code.UNPLANNED, "this key may not send events of this name")
        return said


def portions(parcels: Sequence[Parcel]) -> Iterator[Sequence[Parcel]]:
    """Runs of about PORTION events: few enough for the processor's cache, many enough to share the overhead."""
    start = count = 0
    for at, parcel in enumerate(parcels):
        count += len(parcel.members)
        if count >= PORTION:
            yield parcels[start : at + 1]
            start, count = at + 1, 0
    if start < len(parcels):
        yield parcels[start:]


def read_one(member: Member) -> Sent:
    text = bytes(member)
    if len(text) > MAX_EVENT_BYTES:
        raise SenderError(Code.TOO_LARGE, f"{len(text)} bytes, at most {MAX_EVENT_BYTES}")
    if ESCAPED_NUL in text:
        return read_carefully(text)
    try:
        return read_strictly(text)
    except UNREADABLE:
        return read_carefully(text)


def is_plain(sents: Sequence[Sent]) -> bool:
    """Whether all have a plain type, a name if they are tracks, and ids that are ids: then none is looked at alone."""
    if not PLAIN_TYPES.issuperset([sent.type for sent in sents]):
        return False
    if not all(sent.event or sent.type != "track" for sent in sents):
        return False
    users = [sent.user_id for sent in sents]
    anonymous = [sent.anonymous_id for sent in sents]
    if not all(users) and not all(map(any, zip(users, anonymous, strict=True))):
        return False
    ids = {*users, *anonymous, *[sent.message_id for sent in sents]}
    return ILLEGAL_IDS.isdisjoint([given.lower() for given in ids if given is not None])


def refusal(event: bytes, index: int, arrival: Arrival, error: SenderError) -> Refusal:
    return Refusal(
        source=arrival.sender.name,
        received_us=arrival.received_us,
        index=index,
        message_id=readable_id(event),
        code=Code(error.code),
        message=error.message,
        original=event[:MAX_EVENT_BYTES],
    )


def readable_id(event: bytes) -> str | None:
    """The messageId as far as it can be read at all, so that the sender finds the event again."""
    try:
        found = parse_leniently(split_object(event.decode(errors="replace"))["messageId"].encode())
    except (SenderError, KeyError, UnicodeEncodeError):
        return None
    return clean_text(found)[:MAX_MESSAGE_ID] if isinstance(found, str) else None


def dead_letters(refusals: Sequence[Sequence[Refusal]]) -> pl.DataFrame:
    """Rows of DEAD_LETTER_SCHEMA."""
    rows = [
        (each.source, each.received_us, each.index, each.message_id, each.code.value, each.message, each.original)
        for some in refusals
        for each in some
    ]
    if not rows:
        return NO_DEAD_LETTERS
    columns = {**DEAD_LETTER_SCHEMA, "received_at": pl.Int64()}
    return pl.DataFrame(rows, schema=columns, orient="row").cast({"received_at": DEAD_LETTER_SCHEMA["received_at"]})
