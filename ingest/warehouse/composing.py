"""Notices of the outbox in the words of their receivers. No notice is kept back for its words."""

from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

import msgspec

from cockpit.alerts.digest import Digest, digest_text
from cockpit.alerts.drill import Drill, drill_text
from cockpit.alerts.facts import Facts
from cockpit.alerts.messages import WORDLESS, Place, Text, Tone, text_of
from cockpit.alerts.rules import RuleFile
from cockpit.i18n.translate import DEFAULT, language_of, translate
from cockpit.notify.message import Message
from ingest.warehouse.outbox import Waiting


def composer(file: RuleFile, zone: ZoneInfo, base_url: str) -> Callable[[Waiting], Message]:
    """`base_url`: of the screens, without a slash at its end; empty: no links."""

    def compose(notice: Waiting) -> Message:
        receiver = file.receiver_by_name.get(notice.receiver)
        place = Place(receiver.language if receiver else DEFAULT, zone, base_url)
        text = _worded(notice, file, place)
        return Message(
            receiver=notice.receiver,
            key=notice.key,
            dedup_key=notice.dedup_key,
            tone=text.tone,
            title=text.title,
            body=text.body,
        )

    return compose


def _worded(notice: Waiting, file: RuleFile, place: Place) -> Text:
    """By its key where the words fail: one bad notice must not stop the others."""
    try:
        text = _text(notice, file, place)
        return msgspec.structs.replace(text, body="\n".join((text.body, *_why_you(notice, place))))
    except WORDLESS:
        return _bare(notice)


def _bare(notice: Waiting) -> Text:
    """What is about no alert opens no incident: nothing would close it."""
    tone = Tone.SUCCESS if notice.closes else Tone.FAILURE if notice.alerts else Tone.INFO
    return Text(notice.kind, notice.key, tone)


def _why_you(notice: Waiting, place: Place) -> Iterator[str]:
    if notice.stands_for is not None:
        yield translate("alerts.hint.stands_for", language_of(place.language), receiver=notice.stands_for)


def _text(notice: Waiting, file: RuleFile, place: Place) -> Text:
    match notice.says:
        case Facts():
            return text_of(notice.says, place)
        case Digest():
            known = tuple(episode for episode in notice.says.episodes if episode.rule_id in file.by_id)
            return digest_text(msgspec.structs.replace(notice.says, episodes=known), file, place)
        case Drill():
            return drill_text(notice.says, place)
        case None:
            return _bare(notice)
