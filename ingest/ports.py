"""Ports that nobody uses now: for benches and tests, which must not meet a running cockpit."""

import socket
from contextlib import ExitStack


def free_ports(count: int) -> list[int]:
    """`count` different free ports on the loopback. Another process may take one before it is used."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
