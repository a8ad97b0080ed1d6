import logging
import smtplib
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
import requests
from apprise import Apprise, AppriseResultStatus

from cockpit.alerts.messages import Tone
from cockpit.errors import BadSetting
from cockpit.notify.addresses import Address
from cockpit.notify.message import Message, Outcome, Receipt
from cockpit.notify.sender import AppriseSender
from ingest.ports import free_ports
from tests.recorder import Mailbox, Recorder, receiving_mail, recording

# apprise 2.2 imports imghdr where it exists: it left Python with 3.13.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

ONCALL = "oncall"
LINE = "Taxa de erro — WhatsApp: 7,2% (limite 5%) há 6 min"


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with recording() as recorder:
        yield recorder


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with receiving_mail() as mailbox:
        yield mailbox


@pytest.fixture
def internet(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Every https://host/path arrives at the recorder as /host/path."""
    real = requests.Session.request

    def rewritten(session: requests.Session, method: str, url: str, **how: Any) -> requests.Response:
        return real(session, method, url.replace("https://", f"http://127.0.0.1:{recorder.port}/"), **how)

    monkeypatch.setattr(requests.Session, "request", rewritten)
    return recorder


def message(**changes: Any) -> Message:
    said = {
        "receiver": ONCALL,
        "key": "f1/3/firing/oncall/0",
        "dedup_key": "f1",
        "tone": Tone.FAILURE,
        "title": f"[CRÍTICO] {LINE}",
        "body": "Início 15:45\nhttps://cockpit.example/alerts",
    }
    return Message(**{**said, **changes})


def sender_to(url: str, timeout_s: float = 5.0) -> AppriseSender:
    return AppriseSender({ONCALL: Address(url)}, "https://cockpit.example", timedelta(seconds=timeout_s))


def webhook(recorder: Recorder, query: str = "") -> str:
    return f"json://127.0.0.1:{recorder.port}/hook{query}"


def test_an_accepted_message_is_sent_and_carries_the_keys_of_notice_and_alert(recorder: Recorder) -> None:
    assert sender_to(webhook(recorder, "?+X-Token=abc&:rule=wa")).send(message()) == Receipt(Outcome.SENT)
    (got,) = recorder.got
    assert (got.path, got.headers["X-Token"]) == ("/hook", "abc")
    assert got.json == {
        "version": "1.0",
        "title": f"[CRÍTICO] {LINE}",
        "message": "Início 15:45\nhttps://cockpit.example/alerts",
        "attachments": [],
        "type": "failure",
        "rule": "wa",
        "notice_key": "f1/3/firing/oncall/0",
        "dedup_key": "f1",
    }


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_a_refusal_is_failed_with_its_status_and_tried_once(recorder: Recorder, status: int) -> None:
    recorder.status = status
    assert sender_to(webhook(recorder)).send(message()) == Receipt(Outcome.FAILED, status)
    assert len(recorder.got) == 1


def test_no_answer_in_time_is_unknown_because_it_may_have_arrived(recorder: Recorder) -> None:
    recorder.is_open.clear()
    assert sender_to(webhook(recorder), timeout_s=0.3).send(message()) == Receipt(Outcome.UNKNOWN)
    assert len(recorder.got) == 1


def test_a_refused_connection_is_failed_because_nothing_was_sent() -> None:
    (port,) = free_ports(1)
    assert sender_to(f"json://127.0.0.1:{port}/").send(message()) == Receipt(Outcome.FAILED)


def test_a_receiver_without_address_is_no_failed_send(recorder: Recorder) -> None:
    assert sender_to(webhook(recorder)).send(message(receiver="ghost")) == Receipt(Outcome.NO_SUCH_RECEIVER)
    assert recorder.got == []


@pytest.mark.parametrize(
    ("title", "body", "expected"),
    [("[CRÍTICO] x", " \n", "[CRÍTICO] x"), ("", "", "f1/3/firing/oncall/0")],
)
def test_a_message_without_body_is_sent_all_the_same(recorder: Recorder, title: str, body: str, expected: str) -> None:
    assert sender_to(webhook(recorder)).send(message(title=title, body=body)).outcome == Outcome.SENT
    assert recorder.got[0].json["message"] == expected


@pytest.mark.parametrize("url", ["nonsense://host", "json://", "slack://SECRET", "://"])
def test_an_address_that_apprise_does_not_take_is_refused_at_the_start_by_its_receivers_name(url: str) -> None:
    with pytest.raises(BadSetting, match=r"of these receivers are no apprise URLs: oncall$"):
        sender_to(url)


@pytest.mark.parametrize(
    "url",
    [
        "nonsense://SECRET1/SECRET2",
        "slack://SECRET1",
        "json://u:SECRET1@127.0.0.1:{port}/SECRET2",
        "json://u:SECRET1@127.0.0.1:1/SECRET2",
    ],
)
def test_no_log_and_no_error_shows_an_address(
    url: str, recorder: Recorder, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    address = url.format(port=recorder.port)
    try:
        sender_to(address).send(message())
    except BadSetting as error:
        assert "SECRET" not in str(error)  # noqa: PT017 - some of these addresses are refused, some are not
    assert "SECRET" not in caplog.text + "".join(capfd.readouterr()) + repr(Address(address))


# What the answers of apprise 2.2 are: the sender stands on them.


def test_apprise_knows_no_match_from_failure_though_both_are_false(recorder: Recorder) -> None:
    service = Apprise()
    assert service.add(webhook(recorder), tag=ONCALL)
    result = service.notify("x", tag="ghost")
    assert (result.status, bool(result)) == (AppriseResultStatus.NOMATCH, False)


def test_apprise_sends_three_times_for_a_tag_with_two_retries(recorder: Recorder) -> None:
    recorder.status = 500
    service = Apprise()
    assert service.add(webhook(recorder, "?wait=0"), tag=ONCALL)
    assert service.notify("x", tag="oncall:2").status == AppriseResultStatus.FAILURE
    assert len(recorder.got) == 3


def test_apprise_calls_an_empty_body_a_failure_without_sending(recorder: Recorder) -> None:
    service = Apprise()
    assert service.add(webhook(recorder))
    assert service.notify("").status == AppriseResultStatus.FAILURE
    assert recorder.got == []


# Services of the internet.


def test_slack_gets_the_words_and_no_picture_from_elsewhere(internet: Recorder) -> None:
    internet.reply = b"ok"
    address = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#plantao?blocks=yes"
    assert sender_to(address).send(message()).outcome == Outcome.SENT
    (got,) = internet.got
    assert got.path == "/hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    blocks = got.json["attachments"][0]["blocks"]
    assert [block["type"] for block in blocks] == ["header", "section"]
    assert blocks[0]["text"]["text"] == f"[CRÍTICO] {LINE}"
    assert "Início 15:45" in blocks[1]["text"]["text"]
    assert b"github" not in got.body


def test_teams_gets_an_adaptive_card(internet: Recorder) -> None:
    assert sender_to("workflows://prod.logic.azure.com:443/wf1/sig1/").send(message()).outcome == Outcome.SENT
    (got,) = internet.got
    assert got.path.startswith("/prod.logic.azure.com:443/")
    card = got.json["attachments"][0]["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert f"[CRÍTICO] {LINE}" in [part.get("text") for part in card["body"]]
    assert b"github" not in got.body


def test_pagerduty_opens_and_closes_one_incident_by_the_key_of_the_alert(internet: Recorder) -> None:
    internet.status = 202
    sender = sender_to(f"pagerduty://{'k' * 32}@token/cockpit/operational?severity=critical&group=wa")
    assert sender.send(message()).outcome == Outcome.SENT
    assert sender.send(message(key="f1/3/resolved/oncall/0", tone=Tone.SUCCESS)).outcome == Outcome.SENT
    opened, closed = (got.json for got in internet.got)
    assert internet.got[0].path == "/events.pagerduty.com/v2/enqueue"
    assert (opened["event_action"], opened["dedup_key"]) == ("trigger", "f1")
    assert (opened["payload"]["severity"], opened["payload"]["group"]) == ("critical", "wa")
    assert opened["payload"]["summary"].startswith(f"[CRÍTICO] {LINE}")
    assert "images" not in opened
    assert closed == {"routing_key": "k" * 32, "event_action": "resolve", "dedup_key": "f1"}


def test_a_long_page_is_cut_to_what_pagerduty_takes_and_stays_one_event(internet: Recorder) -> None:
    internet.status = 202
    assert sender_to(f"pagerduty://{'k' * 32}@token").send(message(body="x" * 3000)).outcome == Outcome.SENT
    (got,) = internet.got
    assert len(got.json["payload"]["summary"]) <= 1024


@pytest.mark.parametrize("tone", list(Tone))
def test_opsgenie_is_told_everything_under_the_key_of_the_alert(internet: Recorder, tone: Tone) -> None:
    internet.status, internet.reply = 202, b'{"requestId": "r1"}'
    sender = sender_to("opsgenie://0fa2cd19-f1a6-4b0a-9f5c-2b7c3f2b7a55?action=map")
    assert sender.send(message(tone=tone)).outcome == Outcome.SENT
    assert [got.json["alias"] for got in internet.got] == ["f1"]


def test_whatsapp_gets_one_line_as_the_parameter_of_its_template(internet: Recorder) -> None:
    address = "whatsapp://alerta:token@123456/5511999998888?lang=pt_BR&:body=1"
    assert sender_to(address).send(message(body="a\r\nb")).outcome == Outcome.SENT
    (got,) = internet.got
    assert got.path.startswith("/graph.facebook.com/v")
    template = got.json["template"]
    assert (template["name"], template["language"]["code"]) == ("alerta", "pt_BR")
    assert template["components"][0]["parameters"] == [{"type": "text", "text": f"[CRÍTICO] {LINE} a b"}]


def test_the_arguments_of_an_address_win_over_ours_but_the_keys_are_ours(internet: Recorder) -> None:
    internet.status = 202
    sender = sender_to(f"pagerduty://{'k' * 32}@token?action=trigger&dedup=theirs")
    assert sender.send(message(tone=Tone.SUCCESS)).outcome == Outcome.SENT
    assert internet.got[0].json["event_action"] == "trigger"
    assert internet.got[0].json["dedup_key"] == "f1"


# Mail.


def mail_to(mailbox: Mailbox) -> str:
    return f"mailto://127.0.0.1:{mailbox.port}/plantao@example.com?from=cockpit@example.com&mode=insecure"


def opened(mailbox: Mailbox) -> EmailMessage:
    (mail,) = mailbox.got
    parsed = message_from_bytes(mail.data, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def test_a_mail_is_plain_text_and_carries_its_keys(mailbox: Mailbox) -> None:
    assert sender_to(mail_to(mailbox)).send(message()).outcome == Outcome.SENT
    mail = opened(mailbox)
    assert mail["Subject"] == f"[CRÍTICO] {LINE}"
    assert mail["X-Cockpit-Notice"] == "f1/3/firing/oncall/0"
    assert mail["References"] == "<f1@cockpit>"
    assert "plantao@example.com" in mail["To"]
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().splitlines() == ["Início 15:45", "https://cockpit.example/alerts"]


@pytest.mark.parametrize("answer", ["451 try later", "550 no"])
def test_a_refused_mail_is_failed(mailbox: Mailbox, answer: str) -> None:
    mailbox.answer = answer
    assert sender_to(mail_to(mailbox)).send(message()).outcome == Outcome.FAILED


def test_the_mail_server_of_these_tests_speaks_smtp(mailbox: Mailbox) -> None:
    with smtplib.SMTP("127.0.0.1", mailbox.port) as client:
        client.sendmail("a@example.com", ["b@example.com", "c@example.com"], "Subject: x\r\n\r\n.dot\r\n")
    assert [mail.recipients for mail in mailbox.got] == [("<b@example.com>", "<c@example.com>")]
