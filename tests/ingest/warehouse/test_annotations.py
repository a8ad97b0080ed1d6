"""What people say has changed: kept in the journal, read by screens, named by alerts."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cockpit.alerts.facts import Facts
from cockpit.alerts.messages import Place, text_of
from cockpit.alerts.nearby import Noting, markers
from cockpit.errors import CallerError
from cockpit.store.database import Database
from ingest.warehouse.annotations import SCHEMA, Annotations, annotation_actions, annotation_reads, markers_of
from ingest.warehouse.journal import Journal
from ingest.warehouse.registry import Registry
from tests.alerts.shop import MINUTE, ZONE, delivered, failed
from tests.experiments.registrations import decide, registration
from tests.ingest.warehouse.duties import Post
from tests.warehouse_events import NOON

Open = Callable[[], Journal]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Open]:
    opened: list[Journal] = []

    def make() -> Journal:
        opened.append(Journal(tmp_path / "decisions.sqlite"))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def annotations(journal: Open) -> Annotations:
    return Annotations(journal(), lambda: NOON)


def noting(**changes: Any) -> dict[str, Any]:
    return {"text": "deploy integrador v3.2", "kind": "deploy", "by": "ci", "role": "operator", **changes}


def note(annotations: Annotations, **changes: Any) -> None:
    annotations.note(msgspec.convert(noting(**changes), Noting))


def test_what_was_said_outlives_the_process_and_is_no_decision_about_an_experiment(journal: Open) -> None:
    first = Annotations(journal(), lambda: NOON)
    registry = Registry(journal(), lambda: NOON)
    note(first, text="deploy one")
    registry.record(decide("register", registration()))
    note(first, text="deploy two", at=(NOON - MINUTE).isoformat())
    again = Annotations(journal(), lambda: NOON)
    assert [each.text for each in again.all()] == ["deploy one", "deploy two"]
    assert again.all() == first.all()
    assert len(Registry(journal(), lambda: NOON).entries()) == 1


def test_only_who_may_act_may_say_so(annotations: Annotations) -> None:
    with pytest.raises(CallerError, match="'reader' may not annotate; operator and admin may"):
        note(annotations, role="reader")
    assert annotations.all() == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text": ""}, "length >= 1"),
        ({"text": "a" * 201}, "length <= 200"),
        ({"kind": "party"}, "Invalid enum value 'party'"),
        ({"by": ""}, "length >= 1"),
        ({"at": "2026-11-22T15:00:00"}, "timezone"),
        ({"value": 1}, "unknown field `value`"),
    ],
)
def test_what_is_said_in_another_shape_is_refused(
    annotations: Annotations, change: dict[str, Any], message: str
) -> None:
    annotate = annotation_actions(annotations)["annotate"]
    with pytest.raises(msgspec.ValidationError, match=message):
        annotate(msgspec.json.encode(noting(**change)))


def test_the_answer_says_what_is_kept(annotations: Annotations) -> None:
    annotate = annotation_actions(annotations)["annotate"]
    assert annotate(msgspec.json.encode(noting(text="deploy for ana@example.com"))) == {
        "at": NOON,
        "text": "deploy for •••",
        "kind": "deploy",
    }


def test_a_read_gives_what_happened_in_a_time_oldest_first(annotations: Annotations) -> None:
    for minute in (3, 1, 2, 5):
        note(annotations, text=str(minute), at=(NOON - minute * MINUTE).isoformat())
    asked = {"start": (NOON - 3 * MINUTE).isoformat(), "end": (NOON - MINUTE).isoformat()}
    found = annotation_reads(annotations)["annotations"](asked)
    assert found.schema == SCHEMA
    assert found["text"].to_list() == ["3", "2"]
    assert annotation_reads(annotations)["annotations"]({"start": asked["end"], "end": asked["end"]}).schema == SCHEMA


def test_what_alerts_may_name_is_made_again_when_something_was_said_or_decided(
    annotations: Annotations, journal: Open
) -> None:
    registry = Registry(journal(), lambda: NOON)
    look = markers_of(annotations, registry)
    assert look() == ()
    note(annotations)
    one = look()
    assert [marker.text for marker in one] == ["deploy integrador v3.2"]
    assert look() is one
    registry.record(decide("register", registration("cart", "2")))
    registry.record(decide("start", registration("cart", "2"), NOON + MINUTE))
    assert [(marker.text, marker.act) for marker in look()] == [("deploy integrador v3.2", ""), ("cart · 2", "start")]


def test_an_alert_that_fires_tells_what_changed_before_it_began(tmp_path: Path, annotations: Annotations) -> None:
    """From the action to the words of the message, over the engine's own file."""

    def minute(number: int, failures: int) -> list[Any]:
        at = NOON + number * MINUTE
        return [(failed if place < failures else delivered)(f"{number}-{place}", at=at) for place in range(10)]

    note(annotations, at=(NOON - 19 * MINUTE).isoformat())
    with Database.open(None) as database:
        post = Post(database, tmp_path)
        post.markers = markers(annotations.all(), ())
        post.go_on(6 * MINUTE, *(row for number in range(6) for row in minute(number, 5)))
        assert post.told == ["firing"]
        facts = msgspec.json.decode(post.payloads(), type=Facts)
        post.file.close()
    said = {place: text_of(facts, Place(place, ZONE)).body.splitlines()[0] for place in ("pt-BR", "en")}
    assert said == {
        "pt-BR": "Início 12:01. Mudança próxima: deploy integrador v3.2 11:41.",
        "en": "Began 12:01. Nearby change: deploy integrador v3.2 11:41.",
    }
