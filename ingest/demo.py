"""The demo: the simulated shop, live, through the gateway like any other sender."""

import argparse
import asyncio
import itertools
import logging
import random
import signal
import sys
import time
import uuid
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import msgspec

from cockpit.clock import Clock, from_us, system_clock, to_us
from cockpit.config import ROOT, Config
from cockpit.errors import BadSetting
from cockpit.simulator.stream import Delivery, deliveries, events_per_visit, happenings
from cockpit.simulator.truth import Incident, Scenario, load
from ingest.registering import EXPERIMENTS, register, registrations
from ingest.sender import Sender, gateway_url, read_key
from ingest.window import Outgoing, Settled, Window

log = logging.getLogger(__name__)

SCENARIO = ROOT / "data" / "reference" / "demo.toml"
TICK_S = 0.1
BATCH = 250
BACKLOG = 16
REMEMBER_S = 2.0
REPORTS = 15  # a line every so many times that it remembers
STOP_S = 3.0


class Progress(msgspec.Struct):
    """What became of the events, and up to which instant they were sent."""

    sent: int = 0
    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    sent_until_us: int = 0

    def settle(self, settled: Settled) -> None:
        self.accepted += settled.accepted
        self.duplicate += settled.duplicate
        self.rejected += len(settled.rejected)

    def line(self) -> str:
        return (
            f"sent {self.sent}, accepted {self.accepted}, duplicate {self.duplicate}, refused {self.rejected}, "
            f"up to {from_us(self.sent_until_us):%H:%M:%S} UTC"
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--rate", type=float, default=40.0, help="events per second, in the mean of the week (default %(default)s)")
    add(
        "--history",
        type=float,
        default=60.0,
        metavar="MINUTES",
        help="send the minutes before first (default %(default)s)",
    )
    add("--scenario", type=Path, default=SCENARIO, help="TOML with the planted truth (default %(default)s)")
    add(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="plant another value: use_cases.cart.uplift=0.12",
    )
    add("--incident", action="append", default=[], metavar="JSON", help="plant one more incident, as in the scenario")
    add("--no-incidents", action="store_true", help="plant no incident of the scenario")
    add("--seed", type=int, help="same seed, same shop (default: another each time)")
    add("--no-experiments", action="store_true", help="register no experiments in the warehouse")
    add("--url", help="the gateway's websocket (default: from COCKPIT_HOST and COCKPIT_GATEWAY_PORT)")
    add("--key", help="write key")
    add("--key-file", type=Path, help="file with the write key (default: demo.key in the run directory)")


def run(args: argparse.Namespace, config: Config) -> int:
    key = read_key(args.key, args.key_file or config.run_dir / "demo.key")
    seed = time.time_ns() if args.seed is None else args.seed
    scenario = planted(args, random.Random(0))  # noqa: S311 - a simulation
    log.info(
        "seed %d, %.2f visits/s, %d incidents", seed, scenario.truth.visits_per_second, len(scenario.truth.incidents)
    )
    window = Window(key, str(uuid.uuid4()), random.Random())  # noqa: S311 - jitter
    started_at = system_clock()
    memory = config.run_dir / "demo.json"
    start = max(started_at - timedelta(minutes=args.history), remembered(memory))
    stream = traffic(scenario, seed, start=start, run=f"d{to_us(started_at):x}", zone=config.zone)
    progress = Progress()
    wanted = () if args.no_experiments else registrations(EXPERIMENTS)

    async def live() -> None:
        async with beside(register(config, wanted, started_at - timedelta(minutes=args.history))):
            await until_stopped(stream, window, args.url or gateway_url(config), progress, memory)

    try:
        asyncio.run(live())
    finally:
        remember(memory, progress)
        sys.stdout.write(f"demo: {progress.line()}\n")
    return 0


def planted(args: argparse.Namespace, rng: random.Random) -> Scenario:
    """The scenario as the command line wants it; `--rate` in events becomes visits per second."""
    scenario = load(args.scenario.read_text(encoding="utf-8"), args.set)
    kept = () if args.no_incidents else scenario.truth.incidents
    try:
        added = tuple(msgspec.json.decode(text, type=Incident) for text in args.incident)
    except msgspec.DecodeError as error:
        raise BadSetting(f"--incident: {error}") from error
    if not args.rate > 0:
        raise BadSetting(f"--rate {args.rate}: must be above 0")
    rate = args.rate / events_per_visit(scenario, rng)
    truth = msgspec.structs.replace(scenario.truth, incidents=kept + added, visits_per_second=rate)
    return msgspec.structs.replace(scenario, truth=truth)


def traffic(scenario: Scenario, seed: int, *, start: datetime, run: str, zone: tzinfo) -> Iterator[Delivery]:
    """What the shop's senders hand to the network from `start` on, without end."""
    rng = random.Random(seed)  # noqa: S311 - a simulation
    events = happenings(scenario, rng, run=run, start=start, zone=zone)
    return deliveries(events, scenario.truth, random.Random(seed + 1))  # noqa: S311


@asynccontextmanager
async def beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Runs beside the block and ends with it."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until_stopped(stream: Iterator[Delivery], window: Window, url: str, progress: Progress, memory: Path) -> None:
    """Send until SIGTERM or SIGINT, then give what is under way a moment to be settled."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Sender(window, url, system_clock, progress.settle, BACKLOG) as sender:
        sending = asyncio.create_task(send_all(stream, sender, system_clock, progress))
        telling = asyncio.create_task(tell(progress, sender, memory))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({sending, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (stopping, telling, sending):
            task.cancel()
        if not stop.is_set():
            await sending  # raises what ended it
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await sender.drained()


async def tell(progress: Progress, sender: Sender, memory: Path) -> None:
    """Remember often how far it got, in case of a sudden end, and say so now and then."""
    for count in itertools.count(1):
        await asyncio.sleep(REMEMBER_S)
        remember(memory, progress)
        if count % REPORTS == 0:
            log.info("%s, connection %d", progress.line(), sender.connections)


async def send_all(stream: Iterator[Delivery], sender: Sender, clock: Clock, progress: Progress) -> None:
    """Send each delivery when its time has come; what lies in the past goes as fast as it is acknowledged."""
    batch: list[Outgoing] = []
    now_us = to_us(clock())
    for delivery in stream:
        while delivery.sent_us > now_us or len(batch) >= BATCH:
            if batch:
                await sender.send(batch)
                progress.sent += len(batch)
                batch = []
            now_us = to_us(clock())
            if delivery.sent_us > now_us:
                await asyncio.sleep(max(TICK_S, (delivery.sent_us - now_us) / 1e6))
        batch.append(Outgoing(msgspec.json.encode(delivery.message)))
        progress.sent_until_us = delivery.sent_us


def remembered(memory: Path) -> datetime:
    """The instant up to which an earlier demo sent, so that a restart does not send its history a second time."""
    try:
        return from_us(msgspec.json.decode(memory.read_bytes(), type=Progress).sent_until_us)
    except (OSError, msgspec.DecodeError):
        return datetime.fromtimestamp(0, UTC)


def remember(memory: Path, progress: Progress) -> None:
    if progress.sent_until_us:
        memory.parent.mkdir(parents=True, exist_ok=True)
        memory.write_bytes(msgspec.json.encode(progress))
