"""`python -m ingest replay FILE`: recorded events again, at their own pace or as fast as the gateway acknowledges."""

import argparse
import asyncio
import itertools
import os
import random
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from cockpit.clock import Clock, system_clock
from cockpit.config import ROOT, Config
from cockpit.errors import BadSetting
from ingest.gateway.access import ensure_key
from ingest.replay.mapping import Mapping, Record, read_mapping
from ingest.replay.outgoing import Dress
from ingest.replay.place import Place, Tally, keep, place_file, recall
from ingest.replay.reading import Recording, find_mapping, last_instant
from ingest.sender import Sender, gateway_url, read_key
from ingest.window import Outgoing, Window

MAPPINGS = ROOT / "data" / "reference"
BATCH = 200
TELL_S = 0.5
KEY_SEEN_S = 1.2  # a running gateway looks at its keys every second
US = timedelta(microseconds=1)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to replay and how. `speed` None is as fast as acknowledged."""

    path: Path
    mapping: Mapping | None
    dress: Dress
    after_line: int
    speed: float | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="CSV, or Segment messages one per line (.ndjson, .jsonl); also .gz")
    add(
        "--mapping",
        type=Path,
        help="TOML that says what the columns mean (default: the one of data/reference that fits)",
    )
    add(
        "--speed",
        default="max",
        help="true, a factor such as 60, or max: as fast as acknowledged (default %(default)s)",
    )
    add(
        "--dates",
        choices=("own", "history", "now"),
        default="history",
        help="own: as they are, late if old; history: declared so; now: the last event is now (default %(default)s)",
    )
    add(
        "--again",
        default="",
        metavar="WORD",
        help="send what was sent before as new events, with this word in their ids",
    )
    add("--restart", action="store_true", help="do not go on where an interrupted replay stopped")
    add("--source", default="replay", help="name of the write key to use or make (default %(default)s)")
    add("--key", help="write key, for a gateway elsewhere (default: COCKPIT_KEY, else the source's own)")
    add("--url", help="the gateway's websocket (default: from COCKPIT_HOST and COCKPIT_GATEWAY_PORT)")


def run(args: argparse.Namespace, config: Config) -> int:
    url = args.url or gateway_url(config)
    key = own_key(args, config)
    memory = place_file(config.run_dir / "replay", str(args.file.resolve()), url, args.dates, args.again, args.source)
    plan = plan_of(args, system_clock, None if args.restart else recall(memory))
    if plan.after_line:
        sys.stdout.write(f"going on after line {plan.after_line}\n")
    tally = Tally(plan.after_line)
    window = Window(key, str(uuid.uuid4()), random.Random())  # noqa: S311 - jitter
    place = Place(file=plan.path.name, size=plan.path.stat().st_size, shift_us=plan.dress.shift // US)

    def note(*, is_finished: bool = False) -> None:
        keep(memory, msgspec.structs.replace(place, confirmed_line=tally.confirmed_line, is_finished=is_finished))

    try:
        is_finished = asyncio.run(replay(plan, window, url, tally, note))
        note(is_finished=is_finished)
    finally:
        sys.stdout.write("\n".join(tally.lines()) + "\n")
    return 0 if is_finished else 1


def own_key(args: argparse.Namespace, config: Config) -> str:
    """The key given, the one kept beside the keys file, or a new one made there."""
    file = config.run_dir / f"{args.source}.key"
    given = args.key or os.environ.get("COCKPIT_KEY")
    if given is None and not file.exists():
        text = ensure_key(config.keys_path, args.source)
        if text is None:
            raise BadSetting(f"there is a write key named {args.source}, but not its text: give it with --key")
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as created:
            created.write(text)
        time.sleep(KEY_SEEN_S)
    return read_key(given, file)


def plan_of(args: argparse.Namespace, clock: Clock, place: Place | None) -> Plan:
    if not args.file.is_file():
        raise BadSetting(f"no file {args.file}")
    mapping = read_mapping(args.mapping) if args.mapping else find_mapping(args.file, MAPPINGS)
    speed = speed_of(args.speed)
    if speed is not None and mapping is not None and mapping.steps:
        raise BadSetting(
            "a row of this file is several events, sent one row after the other: replay it with --speed max"
        )
    resumed = place if place and not place.is_finished and place.size == args.file.stat().st_size else None
    shift = timedelta()
    if resumed:
        shift = resumed.shift_us * US
    elif args.dates == "now":
        last = last_instant(args.file, mapping)
        shift = clock() - last if last else shift
    return Plan(
        path=args.file,
        mapping=mapping,
        dress=Dress(file=args.file.name, dates=args.dates, shift=shift, again=args.again),
        after_line=resumed.confirmed_line if resumed else 0,
        speed=speed,
    )


def speed_of(text: str) -> float | None:
    """1 for `true`, None for `max`."""
    try:
        speed = {"true": 1.0, "max": None}[text] if text in ("true", "max") else float(text)
    except ValueError as error:
        raise BadSetting(f"--speed {text}: true, max or a number") from error
    if speed is not None and not speed > 0:
        raise BadSetting(f"--speed {text}: must be above 0")
    return speed


async def replay(plan: Plan, window: Window, url: str, tally: Tally, note: Callable[[], None]) -> bool:
    """Send what is left of the file; whether all of it is settled, which it is not after SIGTERM or Ctrl-C."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with Recording(plan.path, plan.mapping) as recording:
        async with Sender(window, url, system_clock, tally.settle) as sender:
            work = asyncio.create_task(send_all(plan, recording.records(), sender, tally))
            telling = asyncio.create_task(tell(recording, tally, note))
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in (stopping, telling, work):
                task.cancel()
            await asyncio.wait({telling})
            if stop.is_set() and not work.done():
                return False
            await work
    return True


async def send_all(plan: Plan, records: Iterator[Record], sender: Sender, tally: Tally) -> None:
    """All records behind the plan's line, each batch when the first of it is due; then wait for the last answer."""
    rest = (record for record in records if record.line > plan.after_line)
    for batch in paced(rest, plan.speed, time.monotonic):
        if isinstance(batch, float):
            await asyncio.sleep(batch)
            continue
        outgoing: list[Outgoing] = [plan.dress.outgoing(record) for record in batch]
        for record in batch:
            tally.send(record.line, record.fault, is_last=record.is_last)
        await sender.send(outgoing)
    await sender.drained()


def paced(
    records: Iterator[Record], speed: float | None, monotonic: Callable[[], float]
) -> Iterator[list[Record] | float]:
    """Batches of records that are due, and between them the seconds to wait for the next.

    The first record with a time is due at once, the others at their distance from it divided by the speed.
    """
    if speed is None:
        yield from batched(records)
        return
    begin, first, batch = monotonic(), None, list[Record]()
    for record in records:
        first = first or record.at
        due = begin if record.at is None or first is None else begin + (record.at - first).total_seconds() / speed
        while due > monotonic() or len(batch) >= BATCH:
            if batch:
                yield batch
                batch = []
            if (wait_s := due - monotonic()) > 0:
                yield wait_s
        batch.append(record)
    if batch:
        yield batch


def batched(records: Iterator[Record]) -> Iterator[list[Record]]:
    while batch := list(itertools.islice(records, BATCH)):
        yield batch


async def tell(recording: Recording, tally: Tally, note: Callable[[], None]) -> None:
    """The progress bar, and the place for the case of a sudden end."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[settled]} settled"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, transient=True) as progress:
        bar = progress.add_task(recording.path.name, total=recording.size, settled=0)
        while True:
            await asyncio.sleep(TELL_S)
            progress.update(bar, completed=recording.position, settled=tally.settled)
            note()
