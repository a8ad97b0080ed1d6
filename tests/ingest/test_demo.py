import argparse
import asyncio
import itertools
import random
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cockpit.clock import from_us, system_clock, to_us
from cockpit.config import ROOT
from cockpit.simulator.stream import Delivery
from ingest import demo
from ingest.sender import Sender
from ingest.window import Window
from tests.ingest.fake_gateway import FakeGateway, running, until

START = datetime(2026, 11, 20, 12, tzinfo=UTC)


def arguments(*argv: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    demo.add_arguments(parser)
    return parser.parse_args(argv)


def test_the_rate_is_in_events_per_second() -> None:
    # 50 events/s in the mean of the week, without a season: 30 minutes hold 90,000, give or take what visits vary by
    scenario = demo.planted(arguments("--rate", "50", "--set", "season_depth=0.0"), random.Random(0))
    stream = demo.traffic(scenario, 1, start=START, run="r", zone=ZoneInfo("America/Sao_Paulo"))
    first_us = to_us(START + timedelta(minutes=60))  # after an hour those who come back are there, too
    last_us = to_us(START + timedelta(minutes=90))
    until_then = itertools.takewhile(lambda delivery: delivery.sent_us < last_us, stream)
    count = sum(delivery.sent_us >= first_us for delivery in until_then)
    assert count == pytest.approx(90_000, rel=0.05)


def test_planted_values_and_incidents_come_from_the_command_line() -> None:
    incident = '{"kind": "silent_channel", "target": "app", "lasts_minutes": 2}'
    args = arguments("--set", "use_cases.cart.uplift=0.5", "--no-incidents", "--incident", incident)
    truth = demo.planted(args, random.Random(0)).truth
    assert truth.use_cases["cart"].uplift == 0.5
    assert [planted.target for planted in truth.incidents] == ["app"]


def test_the_same_seed_sends_the_same_and_another_run_other_ids() -> None:
    scenario = demo.planted(arguments(), random.Random(0))
    zone = ZoneInfo("America/Sao_Paulo")

    def some(run: str) -> list[Delivery]:
        return list(itertools.islice(demo.traffic(scenario, 5, start=START, run=run, zone=zone), 500))

    assert some("r1") == some("r1")
    assert not {one.message["messageId"] for one in some("r1")} & {one.message["messageId"] for one in some("r2")}


def test_the_past_is_sent_at_once_and_the_future_at_its_time() -> None:
    async def scene() -> None:
        now_us = to_us(system_clock())
        offsets = [-3_600_000_000, -1_000_000, 2_000_000, 2_500_000]
        stream = iter([Delivery(now_us + offset, {"messageId": f"m{offset}"}) for offset in offsets])
        gateway, progress, arrivals = FakeGateway(), demo.Progress(), []
        async with running(gateway):
            window = Window("wk", "session", random.Random(0))
            async with Sender(window, gateway.url, system_clock, progress.settle) as sender:
                sending = asyncio.create_task(demo.send_all(stream, sender, system_clock, progress))
                for count in (2, 3, 4):
                    await until(lambda count=count: len(gateway.stored) == count or sending.done())  # type: ignore[misc]
                    arrivals.append(to_us(system_clock()) - now_us)
        assert arrivals[0] < 2_000_000 <= arrivals[1]
        assert list(gateway.stored) == [f"m{offset}" for offset in offsets[: len(gateway.stored)]]

    asyncio.run(scene())


def test_it_remembers_up_to_where_it_sent(tmp_path: Path) -> None:
    memory = tmp_path / "run" / "demo.json"
    assert demo.remembered(memory) < START
    demo.remember(memory, demo.Progress(sent_until_us=to_us(START)))
    assert demo.remembered(memory) == from_us(to_us(START))


def newest(gateway: FakeGateway) -> datetime:
    return datetime.fromisoformat(next(reversed(gateway.stored.values()))["timestamp"])


def is_recent(at: datetime) -> bool:
    return datetime.now(UTC) - at < timedelta(seconds=10)


@pytest.mark.parametrize("stopper", [signal.SIGTERM, signal.SIGINT])
def test_the_process_sends_history_survives_a_restart_of_the_gateway_and_stops_cleanly(
    tmp_path: Path, stopper: signal.Signals
) -> None:
    async def scene() -> None:
        gateway = FakeGateway()
        await gateway.start()
        argv = ["-m", "ingest", "demo", "--url", gateway.url, "--key", "wk", "--history", "5", "--rate", "60"]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *argv, cwd=ROOT, env={"COCKPIT_RUN_DIR": str(tmp_path)}, stdout=asyncio.subprocess.PIPE
        )
        await until(lambda: len(gateway.stored) > 3000, 60.0)
        await gateway.stop()
        before = len(gateway.stored)
        await gateway.start()
        await until(lambda: len(gateway.stored) > before and is_recent(newest(gateway)), 30.0)
        process.send_signal(stopper)
        output, _ = await asyncio.wait_for(process.communicate(), 20.0)
        await gateway.stop()
        assert process.returncode == 0
        assert output.startswith(b"demo: sent ")
        assert is_recent(demo.remembered(tmp_path / "demo.json"))

    asyncio.run(scene())
