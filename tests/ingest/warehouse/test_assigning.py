"""A real server on a free port, asked by an HTTP client of the standard library."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cockpit.experiments.assignment import assign
from cockpit.experiments.registration import Registration
from ingest.ports import free_ports
from ingest.warehouse.assigning import ASKED_MOST, BODY_MOST, Assigning
from ingest.warehouse.journal import Journal
from ingest.warehouse.registry import Registry
from tests.experiments.registrations import NOON, decide, program, registration

TOKEN = "s" * 64
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class Server(NamedTuple):
    port: int
    registry: Registry

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Any:
        """Status and decoded body."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request(method, path, body, BEARER if headers is None else headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    def get(self, query: str) -> Any:
        return self.ask("GET", f"/assign?{query}")

    def post(self, body: object) -> Any:
        return self.ask("POST", "/assign", body if isinstance(body, bytes) else json.dumps(body).encode())

    def start(self, *registrations: Registration) -> None:
        for of in registrations:
            self.registry.record(decide("register", of))
            self.registry.record(decide("start", of))


async def _serve(assigning: Assigning, port: int, ready: threading.Event, stop: threading.Event) -> None:
    async with assigning.serve("127.0.0.1", port) as serving:
        ready.set()
        while not stop.is_set() and not serving.done():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Assigning]]:
    journal = Journal(tmp_path_factory.mktemp("assign") / "first.sqlite")
    assigning, (port,) = Assigning(Registry(journal, lambda: NOON), TOKEN), free_ports(1)
    ready, stop = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(assigning, port, ready, stop)))
    thread.start()
    assert ready.wait(10)
    yield port, assigning
    stop.set()
    thread.join(10)
    journal.close()


@pytest.fixture
def server(listening: tuple[int, Assigning], tmp_path: Path) -> Iterator[Server]:
    """The one server with a registry of this test's own."""
    port, assigning = listening
    journal = Journal(tmp_path / "decisions.sqlite")
    assigning._registry = Registry(journal, lambda: NOON)
    yield Server(port, assigning._registry)
    journal.close()


def test_a_profile_gets_its_variant_with_what_an_exposure_needs(server: Server) -> None:
    server.start(registration("reco", "3"))
    given = assign(server.registry.experiments()["reco", "3"], "u-1")
    status, body = server.get("experiment=reco&profile=u-1")
    assert status == 200
    assert body == {
        "experiment_id": "reco",
        "version": "3",
        "variant_id": given.variant_id,
        "share": 0.5,
        "bucket": given.bucket,
        "epoch": 0,
        "held_out": False,
    }


def test_a_name_in_another_script_is_the_same_profile_in_query_and_body(server: Server) -> None:
    server.start(registration("lembrança"))
    _, one = server.get("experiment=lembran%C3%A7a&profile=jo%C3%A3o%26maria")
    _, (other,) = server.post([{"experiment": "lembrança", "profile": "joão&maria"}])
    assert one == other
    assert one["bucket"] == assign(server.registry.experiments()["lembrança", "1"], "joão&maria").bucket


def test_several_are_answered_in_their_order_and_one_refusal_spoils_none(server: Server) -> None:
    server.start(registration("reco"), program())
    asked = [{"experiment": name, "profile": "u-7"} for name in ("reco", "nothing", "global-control")]
    status, answers = server.post(asked)
    assert status == 200
    assert [one["experiment_id"] for one in answers] == ["reco", "nothing", "global-control"]
    assert answers[0] == server.get("experiment=reco&profile=u-7")[1]
    assert (answers[1]["status"], answers[1]["error"]) == (404, "unknown_experiment")


def test_a_decision_changes_the_next_answer(server: Server) -> None:
    of = registration()
    server.start(of)
    assert server.get("experiment=reco&profile=u-1")[0] == 200
    server.registry.record(decide("pause", of))
    status, body = server.get("experiment=reco&profile=u-1")
    assert (status, body["error"], body["versions"]) == (409, "not_running", {"1": "paused"})
    assert "show the default" in body["message"]
    server.registry.record(decide("resume", of))
    assert server.get("experiment=reco&profile=u-1")[0] == 200


def test_an_unknown_experiment_is_told_what_there_is(server: Server) -> None:
    assert server.get("experiment=x&profile=u-1")[1]["message"] == "no experiment 'x'; there are none"
    server.start(registration("reco"), registration("cart"))
    status, body = server.get("experiment=x&profile=u-1")
    assert (status, body["experiments"]) == (404, ["cart", "reco"])


def test_the_held_out_are_told_so(server: Server) -> None:
    server.start(registration("reco"), program())
    asked = [{"experiment": "global-control", "profile": f"u-{number}"} for number in range(300)]
    held = [one["variant_id"] == "control" for one in server.post(asked)[1]]
    given = server.post([{**one, "experiment": "reco"} for one in asked])[1]
    assert [one["held_out"] for one in given] == held
    assert {one["variant_id"] for one in given if one["held_out"]} == {"control"}
    assert 0 < sum(held) < 100


def test_a_profile_that_says_its_epoch_keeps_its_variant(server: Server) -> None:
    of = registration()
    server.start(of)
    assert server.get("experiment=reco&profile=u-1&epoch=0")[0] == 200
    status, body = server.get("experiment=reco&profile=u-1&epoch=1")
    assert (status, body["error"]) == (400, "unknown_epoch")


@pytest.mark.parametrize(
    "sent", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}, {"authorization": "é"}]
)
def test_without_the_token_there_is_no_answer(server: Server, sent: dict[str, str]) -> None:
    server.start(registration())
    for method, body in (("GET", None), ("POST", b"[]")):
        status, said = server.ask(method, "/assign?experiment=reco&profile=u-1", body, sent)
        assert (status, said["error"]) == (401, "unknown_token")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("experiment=reco", "missing required field `profile`"),
        ("profile=u-1", "missing required field `experiment`"),
        ("experiment=&profile=u-1", "length >= 1"),
        ("experiment=reco&profile=u-1&epoch=two", "Expected `int | null`"),
        ("experiment=reco&profile=u-1&version=2", "unknown field `version`"),
        (f"experiment=reco&profile={'x' * 201}", "length <= 200"),
    ],
)
def test_a_question_that_is_not_understood_is_told_why(server: Server, query: str, message: str) -> None:
    status, body = server.get(query)
    assert (status, body["error"]) == (400, "bad_request")
    assert message in body["message"]


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"[1]", b'[{"experiment":"reco"}]', b"[" * 1000, b"\xff\xfe", b"no json"]
)
def test_a_body_that_is_no_list_of_questions_is_refused(server: Server, body: bytes) -> None:
    status, said = server.post(body)
    assert (status, said["error"]) == (400, "bad_request")
    assert "want a list" in said["message"]


def test_too_many_and_too_much_are_refused(server: Server) -> None:
    one = {"experiment": "r", "profile": "u"}
    assert server.post([one] * ASKED_MOST)[0] == 200
    assert server.post([one] * (ASKED_MOST + 1))[0] == 400
    assert server.post(b" " * (BODY_MOST + 1))[0] == 413


def test_a_body_without_an_end_is_cut_off(server: Server) -> None:
    head = f"POST /assign HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(head.encode())
        for _ in range(BODY_MOST // 4096 + 2):
            raw.sendall(b"1000\r\n" + b" " * 4096 + b"\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 413")


def test_a_taken_port_is_an_error_that_reaches_the_process(listening: tuple[int, Assigning]) -> None:
    port, assigning = listening

    async def scene() -> None:
        async with assigning.serve("127.0.0.1", port):
            pytest.fail("the port is taken")

    with pytest.raises(OSError, match="in use"):
        asyncio.run(scene())
