"""Real processes for tests: on free ports with a run directory of their own, killed at will, stopped by their pid."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
from pyarrow import flight
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from cockpit.config import ROOT, Config, shared_token
from ingest.ports import answers, free_ports

COMMANDS = {
    "gateway": ("-m", "ingest", "gateway"),
    "warehouse": ("-m", "ingest", "warehouse"),
    "screens": ("-m", "streamlit", "run", "app.py"),
}


def environment(config: Config) -> dict[str, str]:
    """What a process needs around it to run with this configuration."""
    return {
        **os.environ,
        **{f"COCKPIT_{name.upper()}": str(getattr(config, name)) for name in Config.__struct_fields__},
    }


def configuration(run_dir: Path, time_zone: str = "America/Sao_Paulo") -> Config:
    gateway, flight, feed, assign, screens = free_ports(5)
    return Config(
        run_dir=run_dir,
        time_zone=time_zone,
        gateway_port=gateway,
        flight_port=flight,
        feed_port=feed,
        assign_port=assign,
        screens_port=screens,
    )


class Processes:
    """The three processes by name; output goes to `<run_dir>/<name>.log`."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        config.run_dir.mkdir(parents=True, exist_ok=True)

    def start(self, *names: str) -> None:
        for name in names:
            command = [sys.executable, *COMMANDS[name]]
            if name == "screens":
                command += ["--server.address", self.config.host, "--server.port", str(self.config.screens_port)]
            with (self.config.run_dir / f"{name}.log").open("ab") as log:
                self.children[name] = subprocess.Popen(
                    command, cwd=ROOT, env=environment(self.config), stdout=log, stderr=log
                )

    def kill(self, name: str) -> None:
        self.children[name].send_signal(signal.SIGKILL)
        self.children[name].wait(10)

    def is_running(self, name: str) -> bool:
        return self.children[name].poll() is None

    def stop(self, *names: str) -> None:
        for name in names or tuple(self.children):
            child = self.children.pop(name)
            child.terminate()
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def said(self, name: str) -> str:
        return (self.config.run_dir / f"{name}.log").read_text(errors="replace")

    def await_gateway(self) -> None:
        until(lambda: answers(f"http://127.0.0.1:{self.config.gateway_port}/readyz"), what="the gateway is ready")

    def await_screens(self) -> None:
        until(lambda: answers(f"http://127.0.0.1:{self.config.screens_port}/healthz"), what="the screens answer")

    def await_warehouse(self) -> None:
        until(lambda: self.snapshot() is not None, what="the feed answers")

    def snapshot(self) -> dict[str, Any] | None:
        """The feed's first message, which is full; None while nobody answers."""
        try:
            with connect(f"ws://127.0.0.1:{self.config.feed_port}/feed", max_size=None) as feed:
                feed.send(shared_token(self.config))
                return msgspec.json.decode(feed.recv(timeout=10), type=dict[str, Any])
        except (OSError, WebSocketException):
            return None

    def read(self, name: str, **params: object) -> pl.DataFrame:
        """A named read over a Flight connection of the test's own."""
        header = (b"authorization", f"Bearer {shared_token(self.config)}".encode())
        ticket = flight.Ticket(msgspec.json.encode({"read": name, "params": params, "role": "reader"}))
        with flight.connect(f"grpc://127.0.0.1:{self.config.flight_port}") as client:
            table = client.do_get(ticket, flight.FlightCallOptions(timeout=30, headers=[header])).read_all()
        frame = pl.from_arrow(table)
        assert isinstance(frame, pl.DataFrame)
        return frame


@contextmanager
def running(config: Config, *names: str) -> Iterator[Processes]:
    """Processes that answer, and are gone at the end whatever happens."""
    processes = Processes(config)
    try:
        processes.start(*names)
        for name in names:
            getattr(processes, f"await_{name}")()
        yield processes
    finally:
        processes.stop()


def until(claim: Callable[[], object], seconds: float = 60.0, what: str = "it") -> None:
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not claim():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        pause.wait(0.05)
