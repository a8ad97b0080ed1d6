"""Measure the pipeline on this machine: real processes, the load generator in its own, one table.

Every pass runs on a new log and a new database. The null gateway (same server, decodes and answers, keeps nothing)
takes turns with the real one in the same run, so the ratio holds whatever the machine does. Medians over `--rounds`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from cockpit.config import ROOT, Config, shared_token
from cockpit.errors import MachineError
from ingest import bench_reads
from ingest.bench_process import peak_mib, process
from ingest.gateway import access
from ingest.ports import answers, free_ports

READY_S = 60.0
DRAIN_S = 120.0


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """One load against one gateway. Latencies and lag in ms, sizes in bytes per event, memory in MiB."""

    frames_of: int
    null: bool
    events_per_s: float
    ack_p50_ms: float
    ack_p99_ms: float
    lag_p95_ms: float | None = None
    log_bytes: float | None = None
    database_bytes: float | None = None
    gateway_mib: float = 0.0
    warehouse_mib: float | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=15.0, help="length of each load (default %(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="passes per frame size; the median is shown (default %(default)s)"
    )
    parser.add_argument("--frames-of", type=int, nargs="+", default=[1, 10, 100], help="events per frame")
    parser.add_argument("--connections", type=int, default=4, help="of the load generator (default %(default)s)")
    parser.add_argument("--json", type=Path, help="also write every figure to this file")
    bench_reads.add_arguments(parser)


def run(args: argparse.Namespace, config: Config) -> int:
    if args.reads:
        return bench_reads.run(args, config)
    del config  # the bench never touches the data of a running cockpit
    passes: list[Pass] = []
    with Progress() as progress:
        bar = progress.add_task("measuring", total=args.rounds * len(args.frames_of) * 2)
        for _ in range(args.rounds):
            for frames_of in args.frames_of:
                for null in (False, True):
                    passes.append(measure(frames_of, null=null, seconds=args.seconds, connections=args.connections))
                    progress.advance(bar)
    Console().print(table(passes))
    if args.json:
        args.json.write_bytes(msgspec.json.format(msgspec.json.encode(passes)))
    return 0


def measure(frames_of: int, *, null: bool, seconds: float, connections: int) -> Pass:
    """One pass on a new run directory; MachineError if an acknowledged event is missing at its end."""
    with tempfile.TemporaryDirectory(prefix="cockpit-bench-") as folder:
        gateway_port, flight_port, feed_port, assign_port = free_ports(4)
        config = Config(
            run_dir=Path(folder),
            gateway_port=gateway_port,
            flight_port=flight_port,
            feed_port=feed_port,
            assign_port=assign_port,
            time_zone="UTC",
        )
        key = access.add_key(config.keys_path, "bench", "secret")
        with process(config, "gateway", *(["--null"] if null else [])) as gateway:
            await_ready(f"http://{config.host}:{config.gateway_port}/readyz")
            if null:
                load = generate(config, key, frames_of, seconds, connections)
                return Pass(frames_of=frames_of, null=True, **rates(load), gateway_mib=peak_mib(gateway.pid))
            with process(config, "warehouse") as warehouse:
                with watched_lag(config) as watch:
                    load = generate(config, key, frames_of, seconds, connections)
                    watch.until_stored(load.accepted)
                    loaded_lags = watch.lags_ms
                memory = peak_mib(gateway.pid), peak_mib(warehouse.pid)
        return Pass(
            frames_of=frames_of,
            null=False,
            **rates(load),
            lag_p95_ms=sorted(loaded_lags)[int(len(loaded_lags) * 0.95)],
            log_bytes=config.log_path.stat().st_size / load.accepted,
            database_bytes=config.database_path.stat().st_size / load.accepted,
            gateway_mib=memory[0],
            warehouse_mib=memory[1],
        )


class Load(msgspec.Struct, frozen=True):
    """What `python -m ingest load` prints."""

    accepted: int
    events_per_s: float
    ack_p50_ms: float
    ack_p99_ms: float


def rates(load: Load) -> dict[str, float]:
    return {"events_per_s": load.events_per_s, "ack_p50_ms": load.ack_p50_ms, "ack_p99_ms": load.ack_p99_ms}


def generate(config: Config, key: str, frames_of: int, seconds: float, connections: int) -> Load:
    url = f"ws://{config.host}:{config.gateway_port}/ws"
    command = [
        sys.executable,
        "-m",
        "ingest",
        "load",
        "--url",
        url,
        "--frames-of",
        str(frames_of),
        "--seconds",
        str(seconds),
    ]
    done = subprocess.run(  # noqa: S603 - our own command line
        [*command, "--connections", str(connections)],
        cwd=ROOT,
        env={**os.environ, "COCKPIT_KEY": key},
        capture_output=True,
        check=True,
        timeout=seconds + 180,
    )
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Load)


def await_ready(url: str) -> None:
    deadline = time.monotonic() + READY_S
    while not answers(url):
        if time.monotonic() > deadline:
            raise MachineError(f"{url} does not answer after {READY_S:.0f} s")
        time.sleep(0.05)


class Watch:
    """Reads the live feed beside the load: the age of the oldest unread log entry, and how many events are stored."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.lags_ms: list[float] = []
        self.stored = 0
        self.closing = threading.Event()
        self.thread = threading.Thread(target=self._read)

    def until_stored(self, events: int) -> None:
        deadline = time.monotonic() + DRAIN_S
        while self.stored < events:
            if time.monotonic() > deadline:
                raise MachineError(
                    f"{events} events were acknowledged and {self.stored} are stored after {DRAIN_S:.0f} s"
                )
            time.sleep(0.05)

    def _read(self) -> None:
        with connected(self.config) as feed:
            while not self.closing.is_set():
                snapshot = msgspec.json.decode(feed.recv(timeout=10))
                self.lags_ms.append((snapshot["queue"]["oldest_age_s"] or 0.0) * 1000)
                self.stored = snapshot["intake_today"]["stored"]


@contextmanager
def watched_lag(config: Config) -> Iterator[Watch]:
    watch = Watch(config)
    watch.thread.start()
    try:
        yield watch
    finally:
        watch.closing.set()
        watch.thread.join()


def connected(config: Config) -> ClientConnection:
    deadline = time.monotonic() + READY_S
    while True:
        try:
            feed = connect(f"ws://{config.host}:{config.feed_port}/feed", max_size=None)
            feed.send(shared_token(config))
        except (OSError, WebSocketException):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return feed


def table(passes: Sequence[Pass]) -> Table:
    """A column per frame size; medians over the rounds."""
    sizes = sorted({one.frames_of for one in passes})
    result = Table("median of each pass", *(f"frames of {size}" for size in sizes), title="Cockpit pipeline")
    for size in sizes:
        result.columns[1 + sizes.index(size)].justify = "right"
    for label, field, decimals in ROWS:
        result.add_row(label, *(f"{figure(passes, size, field):,.{decimals}f}" for size in sizes))
    return result


ROWS = (
    ("acknowledged events/s", "events_per_s", 0),
    ("of the null gateway's", "of_null", 2),
    ("ack p50, ms", "ack_p50_ms", 0),
    ("ack p99, ms", "ack_p99_ms", 0),
    ("warehouse lag p95, ms", "lag_p95_ms", 0),
    ("log, bytes/event", "log_bytes", 0),
    ("DuckDB, bytes/event", "database_bytes", 0),
    ("gateway peak, MiB", "gateway_mib", 0),
    ("warehouse peak, MiB", "warehouse_mib", 0),
)


def figure(passes: Sequence[Pass], frames_of: int, field: str) -> float:
    real = [one for one in passes if one.frames_of == frames_of and not one.null]
    if field != "of_null":
        return float(median(getattr(one, field) for one in real))
    null = [one for one in passes if one.frames_of == frames_of and one.null]
    return median(ours.events_per_s / theirs.events_per_s for ours, theirs in zip(real, null, strict=True))
