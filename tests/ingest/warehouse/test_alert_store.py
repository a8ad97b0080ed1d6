from collections.abc import Iterator
from datetime import date, time, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from cockpit.alerts.calendars import Calendar
from cockpit.alerts.conditions import Condition
from cockpit.alerts.digest import Digest
from cockpit.alerts.machine import Alert, Page, Reading, Reason, Transition, acknowledge, step, transition
from cockpit.alerts.rules import Inhibit, Mute, Receiver, Rule, RuleFile, Severity
from cockpit.alerts.silences import Silence
from cockpit.notify.message import Outcome, Receipt
from ingest.warehouse.alert_file import AlertFile, AlertsUnusable, NotOwner
from ingest.warehouse.alert_store import Act, AlertStore, Changes
from ingest.warehouse.outbox import Attempt, Outbox
from tests.ingest.warehouse.lives import commit_and_die, start
from tests.ingest.warehouse.notices import NOON, told

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
RULE = Rule(
    id="errors",
    name={"pt": "Taxa de erro", "en": "Error rate"},
    metric="integration_error_rate",
    by=("channel",),
    where={"channel": "whatsapp"},
    expect={"channel": ("whatsapp",)},
    window=5 * MINUTE,
    every=15 * SECOND,
    fire=Condition(">", 0.05),
    recover=Condition("<", 0.04),
    severity=Severity.CRITICAL,
    escalate_after=15 * MINUTE,
    owner="integracoes",
    receivers=("oncall",),
)
FILE = RuleFile(
    rules=(RULE,),
    receivers=(Receiver(name="oncall", url_env="COCKPIT_ALERT_ONCALL", escalate_to="lead"),),
    mutes=(
        Mute(name="freeze", reason="congelamento", match={"severity": "warning"}, start=NOON, end=NOON + HOUR),
        Mute(
            name="nights",
            reason="noite",
            match={"derived": True},
            outside=Calendar(days=("mon",), start=time(9), end=time(18), holidays=(date(2026, 12, 25),)),
        ),
    ),
    inhibits=(Inhibit(source="errors", target={"derived": True}, equal=("channel",)),),
)
SILENCE = Silence(
    id="s1",
    matchers={"rule": "errors"},
    starts=NOON,
    ends=NOON + HOUR,
    by="ana",
    comment="manutenção",
    tells_resolved=False,
)


def fired() -> tuple[Alert, Transition]:
    """An alert with everything that the machine and the telling write, and the change that it went through."""
    before = Alert.of("errors", {"channel": "whatsapp"})
    reading = Reading(at=NOON - 20 * SECOND, value=0.072, count=900, context={"lost": 310.0, "top_codes": "E1"})
    after, _ = step(RULE, before, reading, NOON)
    row = transition(before, after, NOON)
    assert row is not None
    page = Page(owed_since=NOON, told_at=NOON, told_to=("oncall", "lead"), told_as="g1", is_silenced=True)
    return replace(acknowledge(after, "ana", NOON + HOUR, "vejo"), missing_since=NOON, page=page), row


@pytest.fixture
def file(tmp_path: Path) -> Iterator[AlertFile]:
    file = AlertFile(tmp_path / "alerts.sqlite")
    assert file.own(NOON)
    yield file
    file.close()


@pytest.fixture
def store(file: AlertFile) -> AlertStore:
    return AlertStore(file)


def test_what_was_written_is_the_same_after_a_restart(file: AlertFile, tmp_path: Path) -> None:
    alert, row = fired()
    AlertStore(file).write(
        Changes(at=NOON, alerts=[alert], transitions=[row], silences=[SILENCE], file=FILE, evaluated_at=NOON)
    )
    file.close()
    again = AlertFile(tmp_path / "alerts.sqlite")
    store = AlertStore(again)
    assert store.alerts() == {alert.fingerprint: alert}
    assert store.transitions(NOON, NOON + SECOND) == [row]
    assert store.silences(NOON) == [SILENCE]
    assert store.rule_file() == FILE
    assert store.heartbeat() == (NOON, NOON)
    again.close()


def test_a_new_store_knows_nothing(store: AlertStore) -> None:
    assert (store.alerts(), store.rule_file(), store.silences(NOON), store.last_digest_at()) == ({}, None, [], None)
    assert store.heartbeat().evaluated_at is None


def test_a_change_is_kept_whole_or_not_at_all(store: AlertStore, file: AlertFile) -> None:
    alert, row = fired()
    unfit = replace(told(receiver="lead"), key=None)  # what no column takes
    with pytest.raises(AlertsUnusable):
        store.write(Changes(at=NOON, alerts=[alert], transitions=[row], silences=[SILENCE], told=[told(), unfit]))
    assert (store.alerts(), store.transitions(NOON, NOON + HOUR), store.silences(NOON)) == ({}, [], [])
    assert Outbox(file).due(NOON, NOON + HOUR) == []


def test_who_does_not_own_the_file_changes_nothing(store: AlertStore, tmp_path: Path) -> None:
    other = AlertFile(tmp_path / "alerts.sqlite")
    assert not other.own(NOON)
    with pytest.raises(NotOwner):
        AlertStore(other).write(Changes(at=NOON, alerts=[fired()[0]]))
    assert AlertStore(other).alerts() == {}
    other.close()


def test_the_later_alert_replaces_the_earlier_and_history_only_grows(store: AlertStore) -> None:
    alert, row = fired()
    later = replace(alert, value=0.03, reason=Reason.WITHIN_LIMIT)
    store.write(Changes(at=NOON, alerts=[alert], transitions=[row]))
    store.write(Changes(at=NOON, alerts=[later], transitions=[replace(row, at=NOON + MINUTE)]))
    assert store.alerts() == {alert.fingerprint: later}
    assert [each.at for each in store.transitions(NOON, NOON + HOUR)] == [NOON, NOON + MINUTE]
    assert [each.at for each in store.transitions(NOON + SECOND, NOON + MINUTE)] == []


def test_a_silence_is_there_until_its_end_and_can_be_ended_early(store: AlertStore) -> None:
    store.write(Changes(at=NOON, silences=[SILENCE, replace(SILENCE, id="s0", starts=NOON + MINUTE)]))
    assert [each.id for each in store.silences(NOON - HOUR)] == ["s1", "s0"]
    store.write(Changes(at=NOON, silences=[replace(SILENCE, ends=NOON + MINUTE)]))
    assert [each.id for each in store.silences(NOON + MINUTE)] == ["s0"]


def test_only_a_rule_that_differs_is_a_new_version(store: AlertStore, file: AlertFile) -> None:
    stricter = replace(FILE, rules=(replace(RULE, fire=Condition(">", 0.03)), replace(RULE, id="other")))
    for each in (FILE, FILE, stricter, stricter, FILE):
        store.write(Changes(at=NOON, file=each))
    assert store.rule_file() == FILE
    with file.reading() as connection:
        versions = connection.execute("SELECT id, version FROM alert_rule ORDER BY id, version").fetchall()
        files = connection.execute("SELECT count(*) FROM rule_file").fetchone()
    assert (versions, files) == ([("errors", 1), ("errors", 2), ("errors", 3), ("other", 1)], (3,))


def test_a_digest_goes_through_the_same_outbox_once(store: AlertStore, file: AlertFile) -> None:
    digest = Digest(f"digest/{NOON.isoformat()}/oncall", "oncall", NOON - HOUR, NOON, (fired()[1],))
    store.write(Changes(at=NOON, told=[digest]))
    store.write(Changes(at=NOON + HOUR, told=[digest]))
    (waiting,) = Outbox(file).waiting("oncall")
    assert (waiting.says, waiting.alerts, waiting.closes) == (digest, (), False)
    assert store.last_digest_at() == NOON


def test_what_is_old_is_forgotten_except_what_still_waits_and_the_audit(store: AlertStore, file: AlertFile) -> None:
    alert, row = fired()
    act = Act(actor="ana", role="operator", action="silence")
    store.write(Changes(at=NOON, alerts=[alert], transitions=[row], told=[told(), told(receiver="lead")], acts=[act]))
    outbox, later = Outbox(file), NOON + timedelta(days=1)
    (sent,) = outbox.waiting("oncall")
    outbox.settle(Attempt(notice=sent, receipt=Receipt(Outcome.SENT), at=NOON))
    store.write(Changes(at=later, forget_before=later))
    with file.reading() as connection:
        kept = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("alert_event", "outbox", "audit", "alert_instance")
        ]
    assert kept == [0, 1, 1, 1]
    assert [notice.receiver for notice in outbox.waiting("lead")] == ["lead"]


def test_acts_are_audited_with_their_time(store: AlertStore, file: AlertFile) -> None:
    store.write(Changes(at=NOON, acts=[Act(actor="ana", role="operator", action="silence", details={"id": "s1"})]))
    with file.reading() as connection:
        rows = connection.execute("SELECT actor, role, action, details FROM audit").fetchall()
    assert rows == [("ana", "operator", "silence", '{"id":"s1"}')]


def test_a_row_that_cannot_be_read_is_said_and_not_skipped(store: AlertStore, file: AlertFile) -> None:
    store.write(Changes(at=NOON, alerts=[fired()[0]]))
    with file.writing() as connection:
        connection.execute("UPDATE alert_instance SET alert = '{}'")
    with pytest.raises(AlertsUnusable, match="cannot be read"):
        store.alerts()


def test_a_committed_change_survives_the_kill_of_its_process_with_its_notice_unsent(tmp_path: Path) -> None:
    path = tmp_path / "alerts.sqlite"
    alert, row = fired()
    start(commit_and_die, str(path), Changes(at=NOON, alerts=[alert], transitions=[row], told=[told()])).join(30)
    file = AlertFile(path)
    assert file.own(NOON + SECOND)
    assert AlertStore(file).alerts() == {alert.fingerprint: alert}
    assert [each.key for each in Outbox(file).waiting("oncall")] == [told().key]
    file.close()
