"""Receivers on the loopback that remember what they were told: HTTP with answers as told, and a mail server."""

import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import msgspec

HOLD_AT_MOST_S = 10.0


class Request(NamedTuple):
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return msgspec.json.decode(self.body, type=dict[str, Any])


class Recorder:
    """`got`: requests in order of arrival. `status` of the answers, or what makes it of a request; `reply`: their body.

    While `is_open` is not set, requests arrive and no answer comes.
    """

    def __init__(self) -> None:
        self.got: list[Request] = []
        self.status: int | Callable[[Request], int] = 200
        self.reply = b"{}"
        self.is_open = threading.Event()
        self.is_open.set()
        self.arrived = threading.Condition()
        self.port = 0

    def answer(self, request: Request) -> int:
        with self.arrived:
            self.got.append(request)
            self.arrived.notify_all()
        self.is_open.wait(HOLD_AT_MOST_S)
        return self.status(request) if callable(self.status) else self.status

    def await_requests(self, count: int, seconds: float = 20.0) -> None:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.got) >= count, seconds), f"{len(self.got)} of {count} came"


class Mail(NamedTuple):
    sender: str
    recipients: tuple[str, ...]
    data: bytes


class Mailbox:
    """`got`: mails that were accepted. `answer`: what the server says after the text of one."""

    def __init__(self) -> None:
        self.got: list[Mail] = []
        self.answer = "250 queued"
        self.port = 0


@contextmanager
def recording(port: int = 0) -> Iterator[Recorder]:
    recorder = Recorder()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            body = self.rfile.read(length)
            if len(body) < length:
                return  # whoever sent it died meanwhile
            status = recorder.answer(Request(self.path, dict(self.headers.items()), body))
            try:
                self.send_response(status)
                self.end_headers()
                self.wfile.write(recorder.reply)
            except ConnectionError:
                self.close_connection = True  # who asked did not wait for the answer

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with _serving(ThreadingHTTPServer(("127.0.0.1", port), Handler)) as recorder.port:
        yield recorder
        recorder.is_open.set()


@contextmanager
def receiving_mail() -> Iterator[Mailbox]:
    mailbox = Mailbox()

    class Handler(socketserver.StreamRequestHandler):
        """The few words of SMTP (RFC 5321) that a client says to hand over a mail."""

        def handle(self) -> None:
            self.say("220 recorder")
            sender, recipients = "", list[str]()
            while line := self.rfile.readline().decode().strip():
                verb = line.partition(":")[0].upper()
                if verb == "MAIL FROM":
                    sender = line.partition(":")[2]
                elif verb == "RCPT TO":
                    recipients.append(line.partition(":")[2])
                elif verb == "DATA":
                    self.say("354 go on")
                    data = b"".join(iter(self.rfile.readline, b".\r\n"))
                    if mailbox.answer.startswith("250"):
                        mailbox.got.append(Mail(sender, tuple(recipients), data))
                    self.say(mailbox.answer)
                    continue
                self.say("221 bye" if verb == "QUIT" else "250 ok")
                if verb == "QUIT":
                    break

        def say(self, words: str) -> None:
            self.wfile.write(f"{words}\r\n".encode())

    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as mailbox.port:
        yield mailbox


@contextmanager
def _serving(server: socketserver.TCPServer) -> Iterator[int]:
    """The port of a server that answers until the end."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()
