from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from cockpit.alerts.digest import Digest
from cockpit.alerts.facts import Facts, item_of
from cockpit.alerts.machine import Kind
from cockpit.alerts.messages import Tone
from cockpit.alerts.rules import Receiver
from ingest.warehouse.composing import composer
from ingest.warehouse.outbox import Waiting
from tests.ingest.warehouse.notices import NOON
from tests.ingest.warehouse.test_alert_store import FILE, RULE, fired

COMPOSE = composer(
    replace(FILE, receivers=(*FILE.receivers, Receiver(name="lead", url_env="X", language="en"))),
    ZoneInfo("America/Sao_Paulo"),
    "https://cockpit.example",
)
FACTS = Facts(
    kind=Kind.FIRING, at=NOON, items=(item_of(RULE, fired()[0]),), total=1, owner="integracoes", page="/alerts"
)
NOTICE = Waiting(
    key="f1/1/firing/oncall/0",
    dedup_key="f1",
    receiver="oncall",
    kind="firing",
    alerts=("f1",),
    says=FACTS,
    queued_at=NOON,
    next_try_at=NOON,
)


@pytest.mark.parametrize(("receiver", "words"), [("oncall", "Taxa de erro"), ("lead", "Error rate")])
def test_a_notice_is_worded_in_its_receivers_language_and_keeps_its_keys(receiver: str, words: str) -> None:
    message = COMPOSE(replace(NOTICE, receiver=receiver))
    assert words in message.title
    assert (message.receiver, message.key, message.dedup_key) == (receiver, NOTICE.key, "f1")
    assert message.tone is Tone.FAILURE
    assert "https://cockpit.example/alerts" in message.body


def test_a_receiver_that_is_no_longer_in_the_file_is_told_all_the_same() -> None:
    assert "Taxa de erro" in COMPOSE(replace(NOTICE, receiver="gone")).title


def test_who_is_told_in_the_place_of_another_is_told_why() -> None:
    assert COMPOSE(replace(NOTICE, receiver="lead", stands_for="oncall")).body.endswith("oncall could not be reached.")
    assert "reached" not in COMPOSE(replace(NOTICE, receiver="lead")).body


@pytest.mark.parametrize(("kind", "tone"), [("firing", Tone.FAILURE), ("resolved", Tone.SUCCESS)])
def test_facts_that_cannot_be_read_are_told_by_their_key(kind: str, tone: Tone) -> None:
    message = COMPOSE(replace(NOTICE, kind=kind, says=None))
    assert (message.title, message.body, message.tone) == (kind, NOTICE.key, tone)


DIGEST = Digest("digest/x/oncall", "oncall", NOON, NOON + timedelta(hours=1), (fired()[1],))


@pytest.mark.parametrize("says", [None, DIGEST], ids=["unreadable", "without a name of the rule"])
def test_a_digest_that_has_no_words_is_told_by_its_key_and_opens_no_incident(says: Digest | None) -> None:
    """Edge 18 of alerts.md, of what is about no alert."""
    nameless = replace(FILE, rules=(replace(RULE, name={}),))
    compose = composer(nameless, ZoneInfo("UTC"), "")
    message = compose(replace(NOTICE, kind="digest", key=DIGEST.key, alerts=(), says=says))
    assert (message.title, message.body, message.tone) == ("digest", DIGEST.key, Tone.INFO)


def test_a_digest_is_told_also_about_rules_that_are_gone() -> None:
    ended = replace(fired()[1], at=NOON + timedelta(minutes=18))
    digest = Digest(
        "digest/x/oncall", "oncall", NOON, NOON + timedelta(hours=1), (ended, replace(ended, rule_id="gone"))
    )
    message = COMPOSE(replace(NOTICE, kind="digest", alerts=(), says=digest))
    assert message.title
    assert "Taxa de erro" in message.body
    assert COMPOSE(
        replace(NOTICE, kind="digest", says=replace(digest, episodes=(replace(ended, rule_id="gone"),)))
    ).title
