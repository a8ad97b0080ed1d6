import json
import threading
from collections.abc import Iterator, Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

import msgspec
import polars as pl
import pytest
from pyarrow import flight

from cockpit.config import Config
from cockpit.errors import CallerError
from cockpit.store.database import Database
from ingest.warehouse.consumer import Consumer
from ingest.warehouse.flight import BODY_MOST, Calls, FlightServer, bodiless
from tests.warehouse_events import NOON, ListLog, draft, event

TOKEN = "s" * 64
WINDOW = {"start": (NOON - timedelta(hours=1)).isoformat(), "end": (NOON + timedelta(hours=1)).isoformat()}


@pytest.fixture
def database() -> Iterator[Database]:
    with Database.open(None) as opened:
        yield opened


def count(body: bytes) -> Mapping[str, object]:
    """Counts what a list holds."""
    numbers = msgspec.json.decode(body, type=list[int])
    if not numbers:
        raise CallerError("nothing to count")
    return {"counted": len(numbers)}


@pytest.fixture
def client(database: Database) -> Iterator[flight.FlightClient]:
    actions = {"ping": bodiless("ping", lambda: {"position": 7}), "count": count}
    location = "grpc://127.0.0.1:0"
    with (
        FlightServer(location, TOKEN, database, ZoneInfo("America/Sao_Paulo"), Calls(actions)) as server,
        flight.connect(f"grpc://127.0.0.1:{server.port}") as connected,
    ):
        yield connected


def options(token: str | None = TOKEN) -> flight.FlightCallOptions:
    headers = [] if token is None else [(b"authorization", f"Bearer {token}".encode())]
    return flight.FlightCallOptions(timeout=10, headers=headers)


def ask(client: flight.FlightClient, body: object, token: str | None = TOKEN) -> pl.DataFrame:
    ticket = flight.Ticket(body if isinstance(body, bytes) else json.dumps(body).encode())
    found = pl.from_arrow(client.do_get(ticket, options(token)).read_all())
    assert isinstance(found, pl.DataFrame)
    return found


def test_a_named_read_answers_in_arrow(client: flight.FlightClient, database: Database) -> None:
    log = ListLog()
    log.append([draft([event("a"), event("b", "search")])], NOON)
    Consumer(log, database, Config(), lambda: NOON).step()
    counts = ask(client, {"read": "event_counts", "params": WINDOW, "role": "reader"})
    assert counts.rows() == [("search", 1), ("view_item", 1)]


@pytest.mark.parametrize("token", [None, "", "wrong", "s" * 63, "s" * 65])
def test_without_the_token_there_is_no_answer(client: flight.FlightClient, token: str | None) -> None:
    with pytest.raises(flight.FlightUnauthenticatedError):
        ask(client, {"read": "freshness"}, token)
    with pytest.raises(flight.FlightUnauthenticatedError):
        list(client.do_action(flight.Action("ping", b""), options(token)))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"read": "SELECT 1"}, "no read 'SELECT 1'"),
        ({"read": "totals", "params": {}}, "totals takes start, end"),
        ({"read": "freshness", "sql": "x"}, "unknown field `sql`"),
        (b"no json", "JSON is malformed"),
    ],
)
def test_a_wrong_ticket_is_told_what_is_wrong_and_nothing_of_the_machine(
    client: flight.FlightClient, body: object, message: str
) -> None:
    with pytest.raises(flight.FlightServerError, match=message) as refused:
        ask(client, body)
    assert "Traceback" not in str(refused.value)


def test_actions_are_those_that_are_named(client: flight.FlightClient) -> None:
    (answer,) = client.do_action(flight.Action("ping", b""), options())
    assert json.loads(answer.body.to_pybytes()) == {"position": 7}
    with pytest.raises(flight.FlightServerError, match="no action 'drop'; there are count, ping"):
        list(client.do_action(flight.Action("drop", b""), options()))
    assert [action.type for action in client.list_actions(options())] == ["ping", "count"]


def test_an_action_takes_json(client: flight.FlightClient) -> None:
    (answer,) = client.do_action(flight.Action("count", b"[1,2,3]"), options())
    assert json.loads(answer.body.to_pybytes()) == {"counted": 3}
    assert client.list_actions(options())[1].description == "Counts what a list holds."


def test_what_comes_with_an_action_that_takes_nothing_is_ignored(client: flight.FlightClient) -> None:
    (answer,) = client.do_action(flight.Action("ping", b"no json"), options())
    assert json.loads(answer.body.to_pybytes()) == {"position": 7}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Input data was truncated"),
        (b"[1", "Input data was truncated"),
        (b'["a"]', "Expected `int`"),
        (b"[]", "nothing to count"),
        (b" " * (BODY_MOST + 1), f"{BODY_MOST + 1} bytes came with it"),
    ],
)
def test_an_action_that_is_refused_says_why_and_nothing_of_the_machine(
    client: flight.FlightClient, body: bytes, message: str
) -> None:
    with pytest.raises(flight.FlightServerError, match=message) as refused:
        list(client.do_action(flight.Action("count", body), options()))
    assert "Traceback" not in str(refused.value)


def test_readers_beside_the_writer_see_whole_commits(client: flight.FlightClient, database: Database) -> None:
    log, batches = ListLog(), 40
    for number in range(batches):
        log.append([draft([event(f"{number}-{row}") for row in range(25)])], NOON)
    consumer = Consumer(log, database, Config(), lambda: NOON)
    consumer._reader._most_rows = 25
    seen: list[int] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.append(int(ask(client, {"read": "event_counts", "params": WINDOW})["events"].sum()))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    while consumer.step():
        pass
    stop.set()
    for reader in readers:
        reader.join()
    assert all(count % 25 == 0 for count in seen)
    assert ask(client, {"read": "event_counts", "params": WINDOW})["events"].sum() == 25 * batches
