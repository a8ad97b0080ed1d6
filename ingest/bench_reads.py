"""Measure named reads: load a history into a directory, then ask as a screen asks, through Arrow Flight.

`python -m ingest bench --reads DIR --events 2000000` loads what DIR lacks (ingest/bench_history.py says how), beside a
real warehouse process, and prints the rate. Cold is the first answer of a warehouse just started, with the database
dropped from the page cache; warm are `--repeat` more of each read from one warehouse.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import msgspec
from pyarrow import flight
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from cockpit.clock import business_day, day_bounds
from cockpit.config import Config, shared_token
from cockpit.errors import MachineError
from ingest.bench_history import Plan, load_days, plan
from ingest.bench_process import peak_mib, process
from ingest.log.sqlite import SqliteLog
from ingest.ports import free_ports

READY_S = 300.0  # a warehouse recalls the deduplication window before it answers
ANSWER_S = 3_600.0
MONTH = 28  # days


EXECUTIVE = ["revenue", "orders", "conversion_rate_session", "aov", "revenue_per_session", "gross_margin_rate"]
PEOPLE = ["conversion_rate_profile", "revenue_per_profile", "sessions_per_profile", "coverage_rate"]
JOURNEY = ["cart_abandonment_rate", "cart_recovery_rate", "message_open_rate", "message_click_rate", "ctr", "nps"]
ACTIONS = ["event_to_action_ms", "event_to_action_ms_p50", "personalization_error_rate", "suppression_rate"]
SCREENS: dict[str, dict[str, Any]] = {
    "of sessions and orders, by day": {"ids": EXECUTIVE, "by": ["day"]},
    "of sessions and orders, by channel and segment": {"ids": EXECUTIVE, "by": ["channel", "segment"]},
    "of distinct profiles": {"ids": PEOPLE},
    "of distinct profiles, by channel": {"ids": PEOPLE, "by": ["channel"]},
    "of carts, messages, NPS, by day": {"ids": JOURNEY, "by": ["day"]},
    "of latency and errors, by day": {"ids": ACTIONS, "by": ["day"]},
    "of latency and errors, by use case": {"ids": ACTIONS, "by": ["use_case"]},
}


class Question(NamedTuple):
    """What a screen asks: a label, a named read and its parameters."""

    label: str
    read: str
    params: dict[str, Any]
    is_cold: bool = False  # measured cold too, which takes a start of the warehouse


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """Times in ms, from the call to the last byte."""

    label: str
    rows: int
    kib: float
    cold_ms: float | None
    p50_ms: float
    p95_ms: float


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """`load_events_per_s` is null when everything had been loaded before; `derive_s`: the last fold after it."""

    events: int
    days: int
    load_events_per_s: float | None
    derive_s: float
    log_bytes: float  # per event
    database_bytes: float
    loading_mib: float
    reading_mib: float
    start_s: float
    reads: list[Answered]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reads", type=Path, metavar="DIR", help="measure named reads on the history in DIR instead")
    parser.add_argument("--events", type=int, default=2_000_000, help="of that history, about (default %(default)s)")
    parser.add_argument("--days", type=int, default=60, help="that it covers, up to yesterday (default %(default)s)")
    parser.add_argument("--repeat", type=int, default=50, help="warm answers per read (default %(default)s)")


def run(args: argparse.Namespace, config: Config) -> int:
    ports = dict(zip(("flight_port", "feed_port", "assign_port"), free_ports(3), strict=True))
    config = msgspec.structs.replace(config, run_dir=args.reads, **ports)
    yesterday = business_day(datetime.now(UTC), config.zone) - timedelta(1)
    loaded = load(config, plan(args.reads, args.events, args.days, yesterday))
    events = loaded.plan.events
    asked = questions(loaded.plan, config)
    cold = {question.label: cold_ms(config, question) for question in asked if question.is_cold}
    with warehouse(config) as client:
        reads = [timed(client, question, cold.get(question.label), args.repeat) for question in asked]
        reading_mib = peak_mib(client.pid)
    result = Result(
        events=events,
        days=loaded.plan.days,
        load_events_per_s=loaded.events_per_s,
        derive_s=loaded.derive_s,
        log_bytes=config.log_path.stat().st_size / events,
        database_bytes=config.database_path.stat().st_size / events,
        loading_mib=loaded.peak_mib,
        reading_mib=reading_mib,
        start_s=client.start_s,
        reads=reads,
    )
    show(result)
    if args.json:
        args.json.write_bytes(msgspec.json.format(msgspec.json.encode(result)))
    return 0


def questions(loaded: Plan, config: Config) -> list[Question]:
    """What the screens ask: of the last day, the last 28 days and all that there is, whole and told apart."""
    last = loaded.first_day + timedelta(loaded.days - 1)
    found = [Question("freshness", "freshness", {})]
    for days in sorted({1, MONTH, loaded.days}):
        first = max(loaded.first_day, last - timedelta(days - 1))
        span, words = {"first": first.isoformat(), "last": last.isoformat()}, f"{days} d"
        cold = days == MONTH
        found += [Question(f"kpis {label}, {words}", "kpis", {**span, **rest}, cold) for label, rest in SCREENS.items()]
        window = {"start": _start(first, config), "end": _start(last + timedelta(1), config)}
        found += [Question(f"{read}, {words}", read, window) for read in ("totals", "event_counts", "intake")]
    a_day_less_a_second = {"start": _start(last, config, 1), "end": _start(last + timedelta(1), config)}
    minutes = {"start": _start(last, config), "end": _start(last + timedelta(1), config), "step_minutes": 1}
    found.append(Question("totals, 1 d less 1 s: from the events", "totals", a_day_less_a_second, is_cold=True))
    found.append(Question("operational_minutes, 1 d", "operational_minutes", minutes, is_cold=True))
    return found


def _start(day: date, config: Config, after_s: int = 0) -> str:
    return (day_bounds(day, config.zone)[0] + timedelta(seconds=after_s)).isoformat()


class Client:
    """A Flight client of one warehouse process."""

    def __init__(self, config: Config, pid: int) -> None:
        self.pid = pid
        self.start_s = 0.0
        header = (b"authorization", f"Bearer {shared_token(config)}".encode())
        self._options = flight.FlightCallOptions(timeout=ANSWER_S, headers=[header])
        self._client = flight.connect(f"grpc://{config.host}:{config.flight_port}")

    def until_ready(self) -> None:
        began = time.monotonic()
        while True:
            try:
                self.act("ping")
            except (flight.FlightUnavailableError, flight.FlightTimedOutError) as error:
                if time.monotonic() > began + READY_S:
                    raise MachineError(f"the warehouse does not answer after {READY_S:.0f} s") from error
                time.sleep(0.1)
            else:
                self.start_s = time.monotonic() - began
                return

    def act(self, name: str) -> dict[str, Any]:
        results = self._client.do_action(flight.Action(name, b""), self._options)
        return msgspec.json.decode(next(iter(results)).body, type=dict[str, Any])

    def ask(self, question: Question) -> tuple[float, int, int]:
        """Milliseconds, rows and bytes."""
        ticket = flight.Ticket(msgspec.json.encode({"read": question.read, "params": question.params}))
        began = time.perf_counter()
        table = self._client.do_get(ticket, self._options).read_all()
        return 1000 * (time.perf_counter() - began), table.num_rows, table.nbytes


@contextmanager
def warehouse(config: Config) -> Iterator[Client]:
    with process(config, "warehouse") as child:
        client = Client(config, child.pid)
        client.until_ready()
        yield client


class Loaded(NamedTuple):
    """`events_per_s`: from the first event until the parts had them all; None when nothing was missing."""

    plan: Plan
    events_per_s: float | None
    derive_s: float
    peak_mib: float


def load(config: Config, wanted: Plan) -> Loaded:
    """Append what is missing beside a warehouse that takes it in, then bring what is derived up to it."""
    began, before = time.monotonic(), wanted.events
    with warehouse(config) as client, bar() as progress:
        task = progress.add_task("loading", total=wanted.days, completed=wanted.days_done, rate="")
        for done in load_days(config, wanted):
            wanted = done
            so_far = (wanted.events - before) / (time.monotonic() - began)
            progress.update(task, completed=wanted.days_done, rate=f"{so_far:,.0f} events/s appended")
        until_taken_in(config, client)
        seconds = time.monotonic() - began
        began = time.monotonic()
        client.act("derive")
        derive_s = time.monotonic() - began
        client.act("compact")
        rate = (wanted.events - before) / seconds if wanted.events > before else None
        return Loaded(wanted, rate, derive_s, peak_mib(client.pid))


def until_taken_in(config: Config, client: Client) -> None:
    log = SqliteLog(config.log_path)
    try:
        while log.tail(int(client.act("ping")["position"])).entries:
            time.sleep(0.5)
    finally:
        log.close()


def bar() -> Progress:
    rate = TextColumn("{task.fields[rate]}")
    return Progress(TextColumn("{task.description}"), BarColumn(), rate, TimeRemainingColumn())


def cold_ms(config: Config, question: Question) -> float:
    """The first answer of a warehouse that has just started, its file read from the disk."""
    forget(config.database_path)
    with warehouse(config) as client:
        return client.ask(question)[0]


def forget(path: Path) -> None:
    """Drop a file that nobody writes from the page cache."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def timed(client: Client, question: Question, cold: float | None, repeat: int) -> Answered:
    client.ask(question)
    answers = [client.ask(question) for _ in range(repeat)]
    times = sorted(took for took, _, _ in answers)
    _, rows, size = answers[-1]
    p95 = times[min(len(times) - 1, int(len(times) * 0.95))]
    return Answered(label=question.label, rows=rows, kib=size / 1024, cold_ms=cold, p50_ms=median(times), p95_ms=p95)


def show(result: Result) -> None:
    rate = result.load_events_per_s
    loaded = "loaded before" if rate is None else f"loaded at {rate:,.0f} events/s"
    title = f"{result.events:,} events of {result.days} days, {loaded}"
    table = Table("read", "rows", "KiB", "p50 ms", "p95 ms", "cold ms", title=title)
    for column in table.columns[1:]:
        column.justify = "right"
    for one in result.reads:
        cold = "" if one.cold_ms is None else f"{one.cold_ms:,.1f}"
        table.add_row(
            one.label, f"{one.rows:,}", *(f"{figure:,.1f}" for figure in (one.kib, one.p50_ms, one.p95_ms)), cold
        )
    console = Console(file=sys.stdout)
    console.print(table)
    console.print(
        f"log {result.log_bytes:.0f} and database {result.database_bytes:.0f} bytes per event; "
        f"warehouse peak {result.loading_mib:.0f} MiB loading, {result.reading_mib:.0f} MiB reading; "
        f"start {result.start_s:.1f} s, last fold {result.derive_s:.1f} s"
    )
