"""The load generator: prepared frames of realistic events, ids of their own each time, sent as fast as acknowledged.

It shares the machine with what it measures, so it must cost little: frames are joined from prepared pieces.
"""

import argparse
import asyncio
import gc
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count, islice
from random import Random
from urllib.parse import urlsplit

import msgspec
import uvloop

from cockpit.config import ROOT, Config
from cockpit.errors import BadSetting, MachineError
from cockpit.simulator.stream import happenings
from cockpit.simulator.truth import load as load_scenario
from ingest.load_connection import Connection, Tally, handshake
from ingest.sender import gateway_url, read_key

SCENARIO = ROOT / "data" / "reference" / "demo.toml"
RUN = "@run@"  # what the simulator calls its run: it is in every id that must be new in every round
SECOND = "@second-of-now@@@@"
ANSWER_S = 30.0

Template = list[bytes]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--frames-of", type=int, default=100, help="events per frame (default %(default)s)")
    add("--seconds", type=float, default=10.0, help="how long to send (default %(default)s)")
    add("--connections", type=int, default=4, help="(default %(default)s)")
    add("--window", type=int, default=16, help="frames without an answer, per connection (default %(default)s)")
    add("--pool", type=int, default=20_000, help="events to prepare, sent round after round (default %(default)s)")
    add("--rate", type=float, help="events per second (default: as fast as acknowledged)")
    add("--seed", type=int, default=1, help="(default %(default)s)")
    add("--url", help="the gateway's websocket (default: from COCKPIT_HOST and COCKPIT_GATEWAY_PORT)")
    add("--key", help="write key (default: COCKPIT_KEY, else load.key in the run directory)")


def run(args: argparse.Namespace, config: Config) -> int:
    if min(args.frames_of, args.connections, args.window, args.pool) < 1:
        raise BadSetting("--frames-of, --connections, --window and --pool must be at least 1")
    key = read_key(args.key or os.environ.get("COCKPIT_KEY"), config.run_dir / "load.key")
    endless = frames(prepare(args.pool, args.frames_of, args.seed), secrets.token_hex(5), time.time)
    gc.collect()
    gc.freeze()
    tally, cpu = Tally(), time.process_time()
    seconds = uvloop.run(generate(args, args.url or gateway_url(config), key, endless, tally))
    if not tally.latencies_s:
        raise MachineError("nothing was acknowledged")
    told = report(args.frames_of, tally, seconds, time.process_time() - cpu)
    sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
    return 0


def prepare(pool: int, frames_of: int, seed: int) -> list[Template]:
    """Frames of the demo's events, cut where an id of the run stands; the pool is rounded up to whole frames."""
    scenario = load_scenario(SCENARIO.read_text(encoding="utf-8"))
    start = datetime(2026, 11, 20, 12, tzinfo=UTC)
    stream = happenings(scenario, Random(seed), run=RUN, start=start, zone=UTC)  # noqa: S311 - a simulation
    templates = []
    for _ in range(-(-pool // frames_of)):
        messages = [one.message for one in islice(stream, frames_of)]
        for message in messages:
            message["timestamp"] = SECOND + message["timestamp"][19:]
        templates.append(msgspec.json.encode(messages).split(RUN.encode()))
    return templates


def frames(templates: Sequence[Template], run: str, now: Callable[[], float]) -> Iterator[bytes]:
    """The templates round after round, without end: ids new in every round, times of the second before `now`."""
    place, second, text = SECOND.encode(), 0, b""
    for number in count():
        ids = f"{run}.{number:x}".encode()
        for template in templates:
            current = int(now()) - 1
            if current != second:
                second = current
                text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()
            yield ids.join(template).replace(place, text)


async def generate(args: argparse.Namespace, url: str, key: str, endless: Iterator[bytes], tally: Tally) -> float:
    """Send on all connections, then wait for the last answers; the seconds from the first frame to the last answer."""
    address = urlsplit(url)
    pace = None if args.rate is None else args.frames_of * args.connections / args.rate
    connections: list[Connection] = []
    try:
        async with asyncio.timeout(ANSWER_S):
            for _ in range(args.connections):
                connection = Connection(handshake(address, key), endless, tally, args.window, pace)
                connections.append(connection)
                await connection.open(address.hostname or "", address.port or 80)
        begin = time.perf_counter()
        for connection in connections:
            connection.start()
        ends = [connection.closed for connection in connections]
        await asyncio.wait(ends, timeout=args.seconds, return_when=asyncio.FIRST_COMPLETED)
        async with asyncio.timeout(ANSWER_S):
            await asyncio.gather(*(connection.finish() for connection in connections))
    except (OSError, TimeoutError) as error:
        raise MachineError(f"{url}: {error or f'no answer within {ANSWER_S:.0f} s'}") from error
    return tally.last_at - begin


def report(frames_of: int, tally: Tally, seconds: float, cpu_s: float) -> dict[str, float]:
    """`cpu_s` is this process's own while it sent, so what it took from its neighbours can be told."""
    waits_ms = sorted(1000 * wait_s for wait_s in tally.latencies_s)
    return {
        "frames_of": frames_of,
        "accepted": tally.accepted,
        "duplicate": tally.duplicate,
        "rejected": tally.rejected,
        "nacks": tally.nacks,
        "seconds": round(seconds, 3),
        "events_per_s": round(tally.accepted / seconds, 1),
        "frames_per_s": round(len(waits_ms) / seconds, 1),
        "ack_p50_ms": round(waits_ms[len(waits_ms) // 2], 3),
        "ack_p99_ms": round(waits_ms[len(waits_ms) * 99 // 100], 3),
        "ack_max_ms": round(waits_ms[-1], 3),
        "cpu_s": round(cpu_s, 3),
    }
