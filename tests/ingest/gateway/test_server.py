"""A real gateway process, real sockets, a real log."""

import base64
import json
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from cockpit.config import ROOT, Config
from cockpit.events.frame import DEAD_LETTER_SCHEMA, EVENT_SCHEMA, from_bytes
from ingest.gateway.access import add_key
from ingest.log import Kind
from ingest.log.sqlite import SqliteLog
from tests.processes import Processes, configuration, running, until

TRACK = {"type": "track", "event": "purchase", "userId": "u-1"}


class Gateway:
    def __init__(self, processes: Processes, key: str) -> None:
        self.processes = processes
        self.config: Config = processes.config
        self.key = key
        self.url = f"ws://127.0.0.1:{self.config.gateway_port}/ws"

    def connect(self, **options: Any) -> ClientConnection:
        connection: ClientConnection = connect(f"{self.url}?key={self.key}", **options)
        return connection

    def rows(self, kind: Kind = "events") -> pl.DataFrame:
        log = SqliteLog(self.config.log_path)
        schema = EVENT_SCHEMA if kind == "events" else DEAD_LETTER_SCHEMA
        frames = [from_bytes(entry.payload) for entry in log.read(0, 10**9) if entry.kind == kind]
        log.close()
        assert all(frame.schema == schema for frame in frames)
        return pl.concat([schema.to_frame(), *frames])


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    config = configuration(tmp_path_factory.mktemp("gateway"))
    key = add_key(config.keys_path, "shop")
    with running(config, "gateway") as processes:
        yield Gateway(processes, key)


@pytest.fixture
def own_gateway(tmp_path: Path) -> Iterator[Gateway]:
    """One that the test may kill."""
    config = configuration(tmp_path)
    key = add_key(config.keys_path, "shop")
    with running(config, "gateway") as processes:
        yield Gateway(processes, key)


def answer(socket: ClientConnection, message: Any = None) -> Any:
    if message is not None:
        socket.send(message if isinstance(message, str | bytes) else json.dumps(message))
    return json.loads(socket.recv(timeout=20))


def heard(socket: ClientConnection) -> list[Any]:
    """Everything until the gateway closes."""
    answers = []
    with suppress(ConnectionClosed):
        while True:
            answers.append(answer(socket))
    return answers


def closed(socket: ClientConnection) -> tuple[int | None, str | None]:
    heard(socket)
    return socket.close_code, socket.close_reason


def test_five_lines_of_python_send_an_event(gateway: Gateway) -> None:
    with connect(f"{gateway.url}?key={gateway.key}") as ws:
        ws.send(json.dumps({"type": "track", "event": "purchase", "userId": "u-1", "messageId": "five-lines",
                            "properties": {"value": 99.9, "currency": "BRL"}}))  # fmt: skip
        assert json.loads(ws.recv()) == {"op": "ack", "accepted": 1, "duplicate": 0, "rejected": []}
    row = gateway.rows().filter(pl.col("message_id") == "five-lines").row(0, named=True)
    assert (row["source"], row["name"], row["value_cents"], row["currency"]) == ("shop", "purchase", 9990, "BRL")


def test_one_bad_event_is_named_by_index_and_lies_in_the_dead_letters(gateway: Gateway) -> None:
    good = [json.dumps({**TRACK, "messageId": f"hundred-{place}"}) for place in range(99)]
    bad = '{"type":"track","event":"x","userId":"u-1","messageId":"bad-one","properties":{"value":NaN}}'
    with gateway.connect() as ws:
        ack = answer(ws, "[" + ",".join([*good[:40], bad, *good[40:]]) + "]")
    assert ack["accepted"] == 99
    assert [(each["index"], each["messageId"], each["code"]) for each in ack["rejected"]] == [
        (40, "bad-one", "invalid_number")
    ]
    stored = gateway.rows().filter(pl.col("message_id").str.starts_with("hundred-"))
    assert stored["message_id"].to_list() == [f"hundred-{place}" for place in range(99)]
    letter = gateway.rows("dead_letters").filter(pl.col("message_id") == "bad-one").row(0, named=True)
    assert (letter["code"], letter["index"], letter["original"]) == ("invalid_number", 40, bad.encode())


def test_frames_sent_ahead_are_answered_in_their_order(gateway: Gateway) -> None:
    with gateway.connect() as ws:
        for count in range(1, 60):
            ws.send(json.dumps([TRACK] * count))
            ws.send("no json")
        for count in range(1, 60):
            assert answer(ws)["accepted"] == count
            assert answer(ws)["op"] == "error"


def test_the_key_may_come_by_header_query_protocol_list_or_hello(gateway: Gateway) -> None:
    basic = base64.b64encode(f"{gateway.key}:".encode()).decode()
    for options in (
        {"additional_headers": {"Authorization": f"Bearer {gateway.key}"}},
        {"additional_headers": {"Authorization": f"Basic {basic}"}},
        {"subprotocols": [Subprotocol("cockpit.v1"), Subprotocol(f"auth.{gateway.key}")]},
        {"subprotocols": [Subprotocol("cockpit.v1"), Subprotocol(f"auth.{encoded(gateway.key)}")]},
    ):
        with connect(gateway.url, **options) as ws:
            assert ws.subprotocol == ("cockpit.v1" if "subprotocols" in options else None)
            assert answer(ws, TRACK)["accepted"] == 1
    with connect(gateway.url) as ws:
        assert answer(ws, {"op": "hello", "key": gateway.key})["op"] == "welcome"


def encoded(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def test_cockpit_v1_from_hello_to_acks_out_of_a_resumed_session(gateway: Gateway) -> None:
    with connect(gateway.url, subprotocols=[Subprotocol("cockpit.v1")]) as ws:
        welcome = answer(ws, {"op": "hello", "key": gateway.key, "session": "s-1"})
        assert (welcome["lastCommitted"], welcome["credit"]) == (None, 32)
        for seq in (1, 2, 3):
            ws.send(json.dumps({"op": "batch", "seq": seq, "events": [{**TRACK, "messageId": f"v1-{seq}"}]}))
        assert [(ack["op"], ack["seq"], ack["accepted"]) for ack in (answer(ws), answer(ws), answer(ws))] == [
            ("ack", seq, 1) for seq in (1, 2, 3)
        ]
        assert answer(ws, {"op": "ping", "id": 9})["id"] == 9
    with connect(gateway.url) as ws:
        again = answer(ws, {"op": "hello", "key": gateway.key, "session": "s-1", "lastAcked": 2})
        assert (again["lastCommitted"], again["epoch"]) == (3, welcome["epoch"])


def test_a_second_connection_takes_the_session_over(gateway: Gateway) -> None:
    with gateway.connect() as old, gateway.connect() as new:
        for ws in (old, new):
            assert answer(ws, {"op": "hello", "session": "s-2"})["op"] == "welcome"
        assert closed(old) == (4409, "session taken over")
        assert answer(new, TRACK)["accepted"] == 1


def test_a_wrong_key_is_told_by_4401_after_the_handshake(gateway: Gateway) -> None:
    with connect(f"{gateway.url}?key=wk_wrong") as ws:
        assert closed(ws) == (4401, "unknown_key")
    with connect(f"{gateway.url}?key={gateway.key}", additional_headers={"Authorization": "Bearer other"}) as ws:
        assert closed(ws)[0] == 4401
    with connect(gateway.url) as ws:
        ws.send(json.dumps(TRACK))
        assert closed(ws)[0] == 4401


def test_a_strange_origin_is_told_by_4403(gateway: Gateway) -> None:
    key = add_key(gateway.config.keys_path, "site", "public", ["https://shop.example"])
    with connect(f"{gateway.url}?key={key}", origin=Origin("https://shop.example")) as ws:
        assert answer(ws, TRACK)["accepted"] == 1
    with connect(f"{gateway.url}?key={key}", origin=Origin("https://evil.example")) as ws:
        assert closed(ws) == (4403, "origin_not_allowed")


def test_who_says_no_hello_is_let_go_after_five_seconds(gateway: Gateway) -> None:
    with connect(gateway.url) as ws:
        assert closed(ws)[0] == 4408


def test_frames_and_pings_beyond_the_limits_end_the_connection(gateway: Gateway) -> None:
    with gateway.connect(max_size=None) as ws:
        ws.send("x" * 524_289)
        assert closed(ws)[0] == 1009
    with gateway.connect() as ws:
        with suppress(ConnectionClosed):
            for _ in range(20):
                ws.ping()
        assert closed(ws)[0] == 1008
    with gateway.connect() as ws:
        with suppress(ConnectionClosed):
            ws.send(["x"] * 300)
        assert closed(ws)[0] == 1008


def test_no_key_reaches_the_log_file(gateway: Gateway) -> None:
    with gateway.connect() as ws:
        answer(ws, TRACK)
    said = gateway.processes.said("gateway")
    assert "/ws?key=" in said
    assert gateway.key not in said
    assert gateway.key[3:] not in said


def test_it_says_that_it_is_alive_and_ready(gateway: Gateway) -> None:
    for path in ("healthz", "readyz"):
        with urllib.request.urlopen(f"http://127.0.0.1:{gateway.config.gateway_port}/{path}") as response:
            assert response.status == 200


def test_a_peer_that_does_not_read_is_gone_and_delays_nobody(gateway: Gateway) -> None:
    """Answers pile up until the socket's buffers are full; five seconds later the gateway drops the peer."""
    frame = json.dumps(["x" * 20] * 500).encode()  # 500 refusals to read
    with deaf_peer(gateway) as peer, gateway.connect() as ws:
        flooding = threading.Thread(target=flood, args=(peer, frame))
        flooding.start()
        while flooding.is_alive():
            assert answer(ws, TRACK)["accepted"] == 1
            flooding.join(0.2)


def deaf_peer(gateway: Gateway) -> socket.socket:
    """A websocket, opened by hand, with little room for answers."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.settimeout(30)
    peer.connect(("127.0.0.1", gateway.config.gateway_port))
    peer.sendall(
        f"GET /ws?key={gateway.key} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    assert peer.recv(12) == b"HTTP/1.1 101"
    return peer


def flood(peer: socket.socket, payload: bytes) -> None:
    """Sends until the other side is gone."""
    no_mask = b"\x00" * 4
    with suppress(ConnectionError):
        while True:
            peer.sendall(b"\x81\xfe" + len(payload).to_bytes(2, "big") + no_mask + payload)


def test_sigterm_finishes_what_was_begun_then_says_goodbye(own_gateway: Gateway) -> None:
    child = own_gateway.processes.children["gateway"]
    with own_gateway.connect() as ws:
        answer(ws, {"op": "hello", "session": "s"})
        for seq in range(20):
            ws.send(json.dumps({"op": "batch", "seq": seq, "events": [{**TRACK, "messageId": f"d-{seq}"}]}))
        assert answer(ws)["op"] == "ack"
        child.send_signal(signal.SIGTERM)
        answers = heard(ws)
        assert ws.close_code == 1012
    assert answers[-1]["op"] == "bye"
    assert len(answers) == 20
    assert child.wait(20) == 0
    acked = {f"d-{each['seq']}" for each in answers if each["op"] == "ack"} | {"d-0"}
    assert set(own_gateway.rows()["message_id"]) == acked


def test_what_was_acknowledged_survives_kill_minus_nine(own_gateway: Gateway) -> None:
    acked: set[str] = set()
    for life in range(3):
        with own_gateway.connect() as ws:
            number = 0
            for _ in range(40):
                ids = [f"{life}-{number + place}" for place in range(10)]
                number += 10
                assert answer(ws, [{**TRACK, "messageId": each} for each in ids])["accepted"] == 10
                acked.update(ids)
            ws.send(json.dumps([TRACK] * 100))
            own_gateway.processes.kill("gateway")
        stored = own_gateway.rows()["message_id"].to_list()
        assert acked <= set(stored)
        assert len(stored) == len(set(stored))
        own_gateway.processes.start("gateway")
        own_gateway.processes.await_gateway()


def test_a_log_that_takes_no_commit_is_a_nack_and_not_ready_until_it_does(own_gateway: Gateway) -> None:
    ready = f"http://127.0.0.1:{own_gateway.config.gateway_port}/readyz"
    blocker = SqliteLog(own_gateway.config.log_path)
    with own_gateway.connect() as ws:
        blocker._connection.execute("BEGIN IMMEDIATE")
        nack = answer(ws, {**TRACK, "messageId": "later"})
        assert (nack["op"], nack["code"], nack["temporary"]) == ("nack", "overloaded", True)
        with pytest.raises(urllib.error.HTTPError) as not_ready:
            urllib.request.urlopen(ready)
        assert not_ready.value.code == 503
        not_ready.value.close()
        blocker._connection.execute("ROLLBACK")
        assert answer(ws, {**TRACK, "messageId": "later"})["accepted"] == 1
        with urllib.request.urlopen(ready) as response:
            assert response.status == 200
    blocker.close()
    assert own_gateway.rows()["message_id"].to_list() == ["later"]


def test_keys_are_made_by_the_command_line_and_taken_at_once(gateway: Gateway) -> None:
    def keys(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ingest", "keys", *words],
            cwd=ROOT,
            env={"COCKPIT_RUN_DIR": str(gateway.config.run_dir)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    key = keys("add", "fresh", "--kind", "public").stdout.strip()
    with connect(f"{gateway.url}?key={key}") as ws:
        assert answer(ws, TRACK)["accepted"] == 1
    assert "fresh public" in keys("list").stdout
    assert keys("add", "fresh").returncode != 0
    assert keys("remove", "fresh").returncode == 0
    until(lambda: refused(gateway, key), seconds=10, what="the removed key is unknown")


def refused(gateway: Gateway, key: str) -> bool:
    with connect(f"{gateway.url}?key={key}") as ws, suppress(ConnectionClosed):
        return "ack" not in answer(ws, TRACK)["op"]
    return True
