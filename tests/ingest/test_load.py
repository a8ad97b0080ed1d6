import argparse
import asyncio
import itertools
import re
import sys
import time
from asyncio.subprocess import PIPE
from datetime import datetime

import msgspec
import pytest

from cockpit.config import ROOT, Config
from cockpit.errors import BadSetting
from ingest import load
from ingest.load_connection import Tally
from tests.ingest.fake_gateway import FakeGateway, running

NOW = 1_795_372_037.5  # 2026-11-22T18:27:17.5Z


def decoded(count: int, frames_of: int, run: str = "r1") -> list[list[dict[str, object]]]:
    made = load.frames(load.prepare(60, frames_of, 1), run, lambda: NOW)
    return [msgspec.json.decode(frame) for frame in itertools.islice(made, count)]


def test_a_frame_holds_as_many_events_as_asked_for() -> None:
    assert [len(frame) for frame in decoded(9, 20)] == [20] * 9
    assert [len(frame) for frame in decoded(9, 1)] == [1] * 9


def test_ids_are_new_in_every_round_and_every_run() -> None:
    ids = [event["messageId"] for run in ("r1", "r2") for frame in decoded(12, 20, run) for event in frame]
    assert len(set(ids)) == len(ids) == 480


def test_everything_that_must_not_come_twice_is_new_in_every_round() -> None:
    made = load.frames(load.prepare(3000, 1000, 1), "r", lambda: NOW)
    first, second = (msgspec.json.decode(b"".join(itertools.islice(made, 3)).replace(b"][", b",")) for _ in range(2))
    for name in ("session_id", "transaction_id", "cart_id", "delivery_id", "trigger_id"):
        earlier, later = (
            {m["properties"].get(name) for m in each if "properties" in m} - {None} for each in (first, second)
        )
        assert earlier
        assert not earlier & later, name


def test_triggers_are_found_in_the_same_round() -> None:
    events = [event for frame in decoded(3, 20) for event in frame]
    ids = {event["messageId"] for event in events}
    triggers = [m["properties"]["trigger_id"] for m in events if "trigger_id" in m["properties"]]  # type: ignore[operator,index]
    assert triggers
    assert len(ids.intersection(triggers)) >= len(triggers) / 2  # of others the trigger came before the pool


def test_times_are_of_the_second_before_now() -> None:
    times = [str(event["timestamp"]) for frame in decoded(4, 20) for event in frame]
    assert all(re.fullmatch(r"2026-11-22T18:27:16\.\d{3}Z", each) for each in times)
    assert all(datetime.fromisoformat(each).timestamp() <= NOW for each in times)


def test_half_a_million_events_a_second_are_made_from_a_pool() -> None:
    made = load.frames(load.prepare(20_000, 100, 1), "r", time.time)
    rates = []
    for _ in range(3):
        begin = time.process_time()
        for _ in itertools.islice(made, 2000):
            pass
        rates.append(200_000 / (time.process_time() - begin))
    assert max(rates) > 500_000


def test_the_report_is_in_events_and_milliseconds() -> None:
    tally = Tally(accepted=198, duplicate=2, latencies_s=[0.004, 0.001, 0.002, 0.003])
    told = load.report(50, tally, seconds=2.0, cpu_s=0.5)
    assert (told["events_per_s"], told["frames_per_s"]) == (99.0, 2.0)
    assert (told["ack_p50_ms"], told["ack_max_ms"]) == (3.0, 4.0)


@pytest.mark.parametrize("option", ["--frames-of", "--connections", "--window", "--pool"])
def test_numbers_below_one_are_refused(option: str) -> None:
    parser = argparse.ArgumentParser()
    load.add_arguments(parser)
    with pytest.raises(BadSetting, match="at least 1"):
        load.run(parser.parse_args([option, "0", "--key", "wk"]), Config())


def test_the_process_sends_unique_events_and_prints_one_line_of_json() -> None:
    async def scene() -> None:
        gateway = FakeGateway()
        async with running(gateway):
            words = ["-m", "ingest", "load", "--url", gateway.url, "--key", "wk", "--pool", "200", "--frames-of", "10"]
            words += ["--connections", "2", "--seconds", "1", "--rate", "500"]
            process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT, stdout=PIPE)
            output, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0
        told = msgspec.json.decode(output)
        assert told["accepted"] == len(gateway.stored)
        assert told["duplicate"] == told["rejected"] == told["nacks"] == 0
        assert 250 < told["accepted"] < 1000  # one second of 500 a second, on a machine that may be busy

    asyncio.run(scene())
