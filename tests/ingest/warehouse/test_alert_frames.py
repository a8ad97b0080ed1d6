from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import polars as pl
import pytest
from msgspec.structs import replace

from cockpit.alerts.machine import Reason, State
from cockpit.alerts.rules import RuleFile
from cockpit.notify.message import Outcome, Receipt
from ingest.warehouse.alert_file import AlertFile
from ingest.warehouse.alert_frames import SCHEMAS, AlertFrames
from ingest.warehouse.alert_store import Act, AlertStore, Changes
from ingest.warehouse.outbox import Attempt, Outbox
from tests.ingest.warehouse.notices import NOON, key, told
from tests.ingest.warehouse.test_alert_store import FILE, RULE, SILENCE, fired

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[AlertFile]:
    file = AlertFile(tmp_path / "alerts.sqlite")
    assert file.own(NOON)
    yield file
    file.close()


@pytest.fixture
def frames(file: AlertFile) -> AlertFrames:
    alert, row = fired()
    AlertStore(file).write(
        Changes(
            at=NOON,
            alerts=[alert],
            transitions=[row],
            told=[told(), told(receiver="lead"), told(alert="f2", receiver="lead")],
            silences=[SILENCE],
            file=FILE,
            acts=[Act(actor="ana", role="operator", action="silence")],
        )
    )
    return AlertFrames(file)


def every(frames: AlertFrames) -> dict[str, pl.DataFrame]:
    span = (NOON, NOON + HOUR)
    return {
        "now": frames.now(),
        "history": frames.history(*span),
        "deliveries": frames.deliveries(*span),
        "silences": frames.silences(NOON),
        "rules": frames.rules(),
        "audit": frames.audit(*span),
        "engine": frames.engine("line 3: no such metric"),
    }


def test_frames_have_their_schemas_with_and_without_rows(frames: AlertFrames, tmp_path: Path) -> None:
    empty = AlertFile(tmp_path / "empty.sqlite")
    for made, rows in ((every(frames), True), (every(AlertFrames(empty)), False)):
        assert {name: frame.schema for name, frame in made.items()} == dict(SCHEMAS)
        assert {name for name, frame in made.items() if frame.is_empty()} == (set() if rows else set(made) - {"engine"})
    empty.close()


def test_the_engine_is_one_row_also_before_its_first_round(frames: AlertFrames) -> None:
    (row,) = frames.engine("line 3: no such metric").to_dicts()
    assert (row["evaluated_at"], row["error"]) == (None, "line 3: no such metric")
    assert msgspec.json.decode(row["file"], type=RuleFile) == FILE


def test_what_is_the_case_now_is_read_from_the_alert(frames: AlertFrames) -> None:
    (row,) = frames.now().to_dicts()
    alert, _ = fired()
    assert row["labels"] == '{"channel":"whatsapp"}'
    assert (row["state"], row["reason"]) == (State.FIRING, Reason.BEYOND_LIMIT)
    assert (row["told_to"], row["acked_by"], row["ack_until"]) == (["oncall", "lead"], "ana", NOON + HOUR)
    assert (row["value"], row["count"], row["active_at"]) == (0.072, 900, alert.active_at)


def test_deliveries_show_what_became_of_each_notice(frames: AlertFrames, file: AlertFile) -> None:
    outbox = Outbox(file)
    (oncall,), (lead, other) = outbox.waiting("oncall"), outbox.waiting("lead")
    at = NOON + SECOND
    outbox.settle(Attempt(notice=oncall, receipt=Receipt(Outcome.SENT), at=at))
    outbox.settle(Attempt(notice=lead, receipt=Receipt(Outcome.FAILED, 503), at=at, next_try_at=NOON + HOUR))
    outbox.settle(Attempt(notice=other, receipt=Receipt(Outcome.UNKNOWN), at=at))
    shown = frames.deliveries(NOON, NOON + HOUR).select(
        "key", "status", "result", "http_status", "attempts", "tried_at", "next_try_at"
    )
    assert shown.rows() == [
        (key(), "sent", "sent", None, 1, at, None),
        (key(receiver="lead"), "waiting", "failed", 503, 1, at, NOON + HOUR),
        (key(alert="f2", receiver="lead"), "given_up", "unknown", None, 1, at, None),
    ]


def test_what_still_waits_is_shown_however_old_it_is(frames: AlertFrames) -> None:
    assert frames.deliveries(NOON + HOUR, NOON + 2 * HOUR)["key"].len() == 3


def test_every_version_of_a_rule_is_there(frames: AlertFrames, file: AlertFile) -> None:
    AlertStore(file).write(Changes(at=NOON + HOUR, file=replace(FILE, rules=(replace(RULE, is_enabled=False),))))
    assert frames.rules().select("id", "version", "at", "is_enabled").rows() == [
        ("errors", 1, NOON, True),
        ("errors", 2, NOON + HOUR, False),
    ]
