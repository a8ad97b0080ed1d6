"""Start gateway, warehouse, screens and the demo; restart what dies, with back-off, and say so; stop all on Ctrl-C.

Each child runs in a process group of its own, so Ctrl-C reaches the supervisor alone and it decides the order of
stopping: the demo first, the gateway last.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from cockpit.config import ROOT, Config
from cockpit.errors import MachineError
from ingest.gateway import access
from ingest.ports import answers

STABLE_AFTER_S = 30.0
GRACE_S = 10.0


class Child(msgspec.Struct, frozen=True):
    name: str
    argv: tuple[str, ...]


class Restart(msgspec.Struct, frozen=True):
    """When a child that died may start again: at once, then after 1, 2, 4 ... 30 s; a stable run forgets."""

    failures: int = 0
    not_before: float = 0.0

    def after_exit(self, *, lived_s: float, now: float) -> "Restart":
        failures = 1 if lived_s >= STABLE_AFTER_S else self.failures + 1
        wait_s = 0.0 if failures == 1 else min(2.0 ** (failures - 2), 30.0)
        return Restart(failures, now + wait_s)


class Running(msgspec.Struct):
    child: Child
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    restart: Restart = Restart()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-demo", action="store_true", help="do not send simulated events")
    parser.add_argument("--rate", type=float, default=40.0, help="events per second of the demo (default %(default)s)")


def run(args: argparse.Namespace, config: Config) -> int:
    refuse_taken_ports(config)
    config.run_dir.mkdir(parents=True, exist_ok=True)
    demo_key = demo_key_file(config)
    children = children_of(config, demo_key, rate=None if args.no_demo else args.rate)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())  # an impatient second Ctrl-C changes nothing
    supervisor = Supervisor(children, config.run_dir / "logs", say)
    try:
        supervisor.start()
        announce(config, supervisor, stop)
        while not stop.wait(0.2):
            supervisor.tend(time.monotonic())
        say("stopping")
    finally:
        supervisor.stop()
    return 0


def demo_key_file(config: Config) -> Path:
    """The file with the demo's write key; a new key when the file, or the key it belongs to, is gone."""
    path = config.run_dir / "demo.key"
    known = any(key.name == "demo" for key in access.read_keys(config.keys_path))
    if not (path.exists() and known):
        access.remove_key(config.keys_path, "demo")
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(access.add_key(config.keys_path, "demo", "secret"))
    return path


def refuse_taken_ports(config: Config) -> None:
    """MachineError that names the setting, before anything is started."""
    for setting in ("gateway_port", "flight_port", "feed_port", "assign_port", "screens_port"):
        port = getattr(config, setting)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((config.host, port))
            except OSError as error:
                where = f"{config.host}:{port} is taken ({error.strerror})"
                raise MachineError(
                    f"{where}: is Cockpit running already? COCKPIT_{setting.upper()} moves it"
                ) from error


def say(line: str) -> None:
    print(f"cockpit: {line}", flush=True)  # noqa: T201 - the supervisor speaks to the person at the terminal


def children_of(config: Config, demo_key: Path, *, rate: float | None) -> list[Child]:
    """What to run, in the order of starting; `rate` None leaves the demo out."""
    python, ingest = sys.executable, (sys.executable, "-m", "ingest")
    screens = (
        python,
        "-m",
        "streamlit",
        "run",
        "app.py",
        "--server.address",
        config.host,
        "--server.port",
        str(config.screens_port),
    )
    demo = (*ingest, "demo", "--rate", str(rate), "--key-file", str(demo_key))
    return [
        Child("gateway", (*ingest, "gateway")),
        Child("warehouse", (*ingest, "warehouse")),
        Child("screens", screens),
        *([Child("demo", demo)] if rate is not None else []),
    ]


class Supervisor:
    """The children's lives. Output of each goes to `<logs>/<name>.log`."""

    def __init__(self, children: Sequence[Child], logs: Path, report: Callable[[str], None]) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self.logs = logs
        self.report = report
        self.running = [Running(child) for child in children]

    def start(self) -> None:
        for running in self.running:
            self._launch(running, time.monotonic())

    def tend(self, now: float) -> None:
        """One look at every child: report and plan the restart of what died, launch what is due."""
        for running in self.running:
            process = running.process
            if process is not None and (status := process.poll()) is not None:
                running.process = None
                running.restart = running.restart.after_exit(lived_s=now - running.started, now=now)
                wait_s = max(0.0, running.restart.not_before - now)
                self.report(
                    f"{running.child.name} ended with status {status}, "
                    f"starts again in {wait_s:.0f} s ({self.log_of(running)})"
                )
            if running.process is None and now >= running.restart.not_before:
                self._launch(running, now)

    def stop(self) -> None:
        """Last started first; SIGKILL for what is not gone within GRACE_S."""
        for running in reversed(self.running):
            if running.process is None or running.process.poll() is not None:
                continue
            running.process.terminate()
            try:
                running.process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                self.report(f"{running.child.name} did not stop within {GRACE_S:.0f} s: killed")
                running.process.kill()
                running.process.wait()

    def log_of(self, running: Running) -> Path:
        return self.logs / f"{running.child.name}.log"

    def _launch(self, running: Running, now: float) -> None:
        with self.log_of(running).open("ab") as log:
            running.process = subprocess.Popen(  # noqa: S603 - our own command lines
                running.child.argv,
                cwd=ROOT,
                env=os.environ,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        running.started = now


def announce(config: Config, supervisor: Supervisor, stop: threading.Event) -> None:
    """Print the one address, once it answers."""
    address = f"http://{config.host}:{config.screens_port}"
    say("starting")
    while not answers(f"{address}/healthz"):
        if stop.wait(0.2):
            return
        supervisor.tend(time.monotonic())
    say(f"ready: {address}/operational")
    say(f"events go to ws://{config.host}:{config.gateway_port}/ws")
    say("a write key for your shop: .venv/bin/python -m ingest keys add shop")
    say("Ctrl-C stops everything")
