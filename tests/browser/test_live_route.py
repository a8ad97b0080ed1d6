"""Who may listen on `/live`: a page of ours, under a name of ours, with a token of ours. On a raw socket."""

import base64
import os
import socket
import time

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from cockpit.config import shared_token
from cockpit.ui import live_token
from tests.browser.conftest import Cockpit
from tests.processes import until


def handshake(cockpit: Cockpit, origin: str | None, host: str) -> int:
    """The status that answers an upgrade with these headers."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        "GET /live HTTP/1.1",
        f"Host: {host}",
        *([f"Origin: {origin}"] if origin is not None else []),
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
    ]
    with socket.create_connection(("127.0.0.1", cockpit.config.screens_port), timeout=10) as plain:
        plain.sendall("\r\n".join([*lines, "", ""]).encode())
        return int(plain.recv(1024).split()[1])


def test_a_handshake_of_another_site_or_name_or_without_origin_is_refused(cockpit: Cockpit) -> None:
    ours = f"127.0.0.1:{cockpit.config.screens_port}"
    assert handshake(cockpit, f"http://{ours}", ours) == 101
    assert handshake(cockpit, "https://evil.example", ours) == 403
    assert handshake(cockpit, None, ours) == 403
    assert handshake(cockpit, "http://rebound.example", "rebound.example") == 403


def code_for(cockpit: Cockpit, token: str) -> int | None:
    """The close code that answers a token; None when a message came."""
    origin = Origin(f"http://127.0.0.1:{cockpit.config.screens_port}")
    with connect(f"ws://127.0.0.1:{cockpit.config.screens_port}/live", origin=origin) as websocket:
        websocket.send(token)
        try:
            websocket.recv(timeout=10)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else -1
    return None


@pytest.mark.parametrize("kind", ["good", "missing", "forged", "expired"])
def test_only_a_token_of_ours_that_has_not_expired_opens_the_feed(cockpit: Cockpit, kind: str) -> None:
    secret, now = shared_token(cockpit.config), time.time()
    token = {
        "good": live_token.sign("reader", secret, now),
        "missing": "",
        "forged": live_token.sign("reader", "0" * 64, now),
        "expired": live_token.sign("reader", secret, now - live_token.LIFE_S - 2),
    }[kind]
    assert code_for(cockpit, token) == (None if kind == "good" else 4401)


def test_all_browsers_share_one_connection_to_the_feed(cockpit: Cockpit) -> None:
    until(lambda: cockpit.feed.subscribed)
    for _ in range(3):
        token = live_token.sign("reader", shared_token(cockpit.config), time.time())
        assert code_for(cockpit, token) is None
    assert cockpit.feed.subscribed == 1
