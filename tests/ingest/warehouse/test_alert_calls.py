import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cockpit.errors import CallerError
from cockpit.store.database import Database
from ingest.warehouse.alert_calls import alert_actions, alert_reads
from ingest.warehouse.alert_frames import AlertFrames
from ingest.warehouse.alert_store import AlertStore
from ingest.warehouse.outbox import Outbox
from tests.ingest.warehouse.duties import Post, rule_text
from tests.warehouse_events import NOON

HOUR = timedelta(hours=1)
WHO = {"by": "ana", "role": "operator"}
QUIET = {
    "matchers": {"channel": "whatsapp"},
    "starts": NOON.isoformat(),
    "ends": (NOON + HOUR).isoformat(),
    "comment": "deploy",
    **WHO,
}


class Desk:
    """Reads and actions as a client reaches them."""

    def __init__(self, post: Post) -> None:
        self.post = post
        store, clock = AlertStore(post.file), post.machine.clock
        self.reads = alert_reads(AlertFrames(post.file), post.duty, clock)
        self.actions = alert_actions(post.duty, store, clock)

    def read(self, name: str, **params: Any) -> list[dict[str, Any]]:
        return self.reads[name](params).to_dicts()

    def act(self, name: str, **body: Any) -> Any:
        return self.actions[name](json.dumps(body).encode())

    def audit(self) -> list[tuple[str, str, str]]:
        span = {"start": (NOON - HOUR).isoformat(), "end": (NOON + HOUR).isoformat()}
        return [(row["actor"], row["role"], row["action"]) for row in self.read("alert_audit", **span)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Database.open(tmp_path / "cockpit.duckdb") as database:
        post = Post(database, tmp_path, rule_text())
        post.duty.round()
        yield Desk(post)
        post.file.close()


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("alert_ack", {"fingerprints": ["f"], "by": "ana"}),
        ("alert_silence", {key: value for key, value in QUIET.items() if key != "role"}),
        ("alert_test", {"receiver": "oncall", "by": "ana"}),
    ],
)
def test_only_operators_and_administrators_act(desk: Desk, action: str, body: dict[str, Any]) -> None:
    with pytest.raises(CallerError, match="'reader' may not do this; operator and admin may"):
        desk.act(action, **body, role="reader")
    with pytest.raises(CallerError, match="`by` is empty"):
        desk.act(action, **{**body, "by": " "}, role="admin")
    assert desk.audit() == []


def test_a_silence_gets_an_id_is_read_back_and_ended_by_it(desk: Desk) -> None:
    made = desk.act("alert_silence", **QUIET)["id"]
    (silence,) = desk.read("alert_silences")
    assert (silence["id"], silence["by"], silence["comment"]) == (made, "ana", "deploy")
    over = (desk.post.machine.now + timedelta(microseconds=1)).isoformat()
    desk.act("alert_silence", **{**QUIET, "ends": over}, id=made)
    desk.post.machine.pass_(timedelta(seconds=1))
    assert desk.read("alert_silences") == []
    assert desk.audit() == [("ana", "operator", "silence")] * 2


def test_a_silence_of_everything_is_refused(desk: Desk) -> None:
    with pytest.raises(msgspec.ValidationError, match="would silence everything"):
        desk.act("alert_silence", **{**QUIET, "matchers": {}})


def test_a_test_waits_in_the_outbox_for_its_receiver_and_is_in_the_audit(desk: Desk) -> None:
    key = desk.act("alert_test", receiver="oncall", **WHO)["key"]
    (notice,) = Outbox(desk.post.file).waiting("oncall")
    assert (notice.key, notice.kind, notice.alerts) == (key, "test", ())
    assert desk.audit() == [("ana", "operator", "test")]


def test_a_test_to_somebody_who_is_not_in_the_rules_is_refused(desk: Desk) -> None:
    with pytest.raises(CallerError, match="no receiver 'nobody'"):
        desk.act("alert_test", receiver="nobody", **WHO)


def test_the_engine_says_when_it_last_evaluated_and_by_which_rules(desk: Desk) -> None:
    (engine,) = desk.read("alert_engine")
    assert engine["evaluated_at"] == desk.post.machine.now
    assert [rule["id"] for rule in json.loads(engine["file"])["rules"]] == ["errors"]
    assert engine["error"] == ""


def test_a_time_without_an_offset_is_refused(desk: Desk) -> None:
    with pytest.raises(msgspec.ValidationError, match="timezone"):
        desk.read("alert_history", start="2026-06-10T12:00:00", end="2026-06-10T13:00:00")
