"""Ports of this machine: free ones, for benches and tests that must not meet a running cockpit, and answering ones."""

import socket
import urllib.request
from contextlib import ExitStack


def free_ports(count: int) -> list[int]:
    """`count` different free ports on the loopback. Another process may take one before it is used."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def answers(url: str) -> bool:
    """Whether an HTTP server of this machine says 200 there."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - our own loopback address
            return bool(response.status == 200)
    except OSError:
        return False
