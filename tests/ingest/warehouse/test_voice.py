from zoneinfo import ZoneInfo

import pytest

from cockpit.alerts.drill import Drill
from cockpit.alerts.rules import Receiver, RuleFile
from cockpit.errors import BadSetting
from cockpit.notify.message import Outcome
from ingest.warehouse.outbox import Waiting
from ingest.warehouse.voice import Voice
from tests.ingest.warehouse.notices import NOON
from tests.recorder import recording

SAO_PAULO = ZoneInfo("America/Sao_Paulo")


def file_of(**receivers: str | None) -> RuleFile:
    """Receivers with their standbys."""
    return RuleFile(
        receivers=tuple(
            Receiver(name=name, url_env=f"ALERT_{name.upper()}", escalate_to=standby)
            for name, standby in receivers.items()
        )
    )


def drill(receiver: str, by: str = "ana") -> Waiting:
    says = Drill(key="test/1", receiver=receiver, by=by, at=NOON)
    return Waiting(
        key="test/1",
        dedup_key="test/1",
        receiver=receiver,
        kind="test",
        alerts=(),
        says=says,
        queued_at=NOON,
        next_try_at=NOON,
    )


def test_other_rules_change_addresses_words_and_standbys_at_once() -> None:
    with recording() as hook:
        voice = Voice({"ALERT_LEAD": f"json://127.0.0.1:{hook.port}/lead"}, SAO_PAULO, "http://screens")
        message = voice.compose(drill("lead"))
        assert voice.send(message).outcome is Outcome.NO_SUCH_RECEIVER
        voice.use(file_of(lead=None, oncall="lead"))
        assert voice.send(message).outcome is Outcome.SENT
        assert (voice.standby_of("oncall"), voice.standby_of("lead"), voice.standby_of("gone")) == ("lead", None, None)
        assert hook.got[0].json["title"] == "[TESTE] Está tudo bem: esta mensagem testa o caminho até você"


def test_who_has_no_address_is_named_by_the_variable_to_set(caplog: pytest.LogCaptureFixture) -> None:
    Voice({"ALERT_LEAD": "json://127.0.0.1:1/lead"}, SAO_PAULO, "").use(file_of(lead=None, oncall="lead"))
    assert caplog.messages == ["receivers without an address are told nothing; set ALERT_ONCALL"]


def test_rules_with_an_address_that_is_none_leave_all_as_it_was() -> None:
    voice = Voice({"ALERT_ONCALL": "no address"}, SAO_PAULO, "")
    voice.use(file_of(lead="oncall"))
    with pytest.raises(BadSetting, match="ALERT_ONCALL is not one apprise URL"):
        voice.use(file_of(oncall=None))
    assert voice.standby_of("lead") == "oncall"


def test_a_drill_says_who_asked_and_hides_what_looks_like_a_persons_data() -> None:
    voice = Voice({}, SAO_PAULO, "")
    body = voice.compose(drill("oncall", by="ana@loja.com.br")).body
    assert body == "••• perguntou às 12:00 se oncall é alcançado. Quem lê isto é."
