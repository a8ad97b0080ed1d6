import argparse
import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cockpit.config import ROOT, Config
from cockpit.errors import BadSetting
from ingest.gateway.access import Keys
from ingest.replay import command
from ingest.replay.mapping import Record
from tests.ingest.fake_gateway import FakeGateway, Json, running, until

HEADER = "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session\n"
START = datetime(2026, 1, 5, 12, tzinfo=UTC)


def arguments(*argv: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args([str(each) for each in argv])


def shop(folder: Path, rows: int, *, is_cut: bool = False) -> Path:
    """A file like REES46's: one view a second."""
    file = folder / "shop.csv"
    lines = [
        f"2026-01-05 12:{n // 60:02}:{n % 60:02} UTC,view,{n},1,,,9.90,user-{n % 7},s-{n % 9}\n" for n in range(rows)
    ]
    file.write_text(HEADER + "".join(lines) + ("2026-01-05 13:00:00 UTC,view,7,1,,,9.90,us" if is_cut else ""))
    return file


def refuse_nobody(event: Json) -> str | None:
    return None if event.get("userId") or event.get("anonymousId") else "no_user_anon_id"


async def replaying(gateway: FakeGateway, folder: Path, *argv: object) -> Process:
    words = [str(each) for each in ("-m", "ingest", "replay", "--url", gateway.url, "--key", "wk", *argv)]
    env = {"COCKPIT_RUN_DIR": str(folder / "run"), "COLUMNS": "200"}
    return await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT, env=env, stdout=PIPE, stderr=PIPE)


async def end_of(process: Process) -> str:
    output, errors = await asyncio.wait_for(process.communicate(), 60)
    return output.decode() + errors.decode()


def test_a_file_is_sent_whole_and_its_cut_off_line_is_refused_and_named(tmp_path: Path) -> None:
    async def scene() -> None:
        gateway = FakeGateway()
        gateway.refuse = refuse_nobody
        async with running(gateway):
            process = await replaying(gateway, tmp_path, shop(tmp_path, 900, is_cut=True))
            told = await end_of(process)
        assert process.returncode == 0
        assert "sent 901, accepted 900, duplicate 0, refused 1" in told
        assert "refused no_user_anon_id: 1, line 902" in told
        assert "line 902: no user_id, user_session; the row ends after 8 of 9 fields" in told
        assert list(gateway.stored) == [f"shop.csv:{line}" for line in range(2, 902)]
        assert all(event["historical"] for event in gateway.stored.values())

    asyncio.run(scene())


def test_a_second_replay_is_all_duplicates(tmp_path: Path) -> None:
    async def scene() -> None:
        gateway = FakeGateway()
        async with running(gateway):
            file = shop(tmp_path, 300)
            await end_of(await replaying(gateway, tmp_path, file))
            told = await end_of(await replaying(gateway, tmp_path, file))
        assert "sent 300, accepted 0, duplicate 300, refused 0" in told
        assert len(gateway.stored) == 300

    asyncio.run(scene())


@pytest.mark.parametrize("stopper", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_replay_goes_on_where_it_was_confirmed(tmp_path: Path, stopper: signal.Signals) -> None:
    async def scene() -> None:
        gateway = FakeGateway()
        async with running(gateway):
            file = shop(tmp_path, 3000)
            process = await replaying(gateway, tmp_path, file, "--speed", "400")
            await until(lambda: len(gateway.stored) > 1200, 30)
            process.send_signal(stopper)
            told = await end_of(process)
            assert process.returncode not in (0, None)
            before = len(gateway.stored)
            told = await end_of(await replaying(gateway, tmp_path, file))
        assert "going on after line" in told
        assert len(gateway.stored) == 3000
        sent = int(told.split("sent ")[1].split(",")[0])
        assert 3000 - before <= sent < 3000 - before + 800

    asyncio.run(scene())


def test_shifted_to_now_the_last_event_is_now_and_the_distances_stay(tmp_path: Path) -> None:
    async def scene() -> None:
        gateway = FakeGateway()
        async with running(gateway):
            await end_of(await replaying(gateway, tmp_path, shop(tmp_path, 90), "--dates", "now"))
        times = [datetime.fromisoformat(event["timestamp"]) for event in gateway.stored.values()]
        assert abs(datetime.now(UTC) - times[-1]) < timedelta(seconds=30)
        assert times[-1] - times[0] == timedelta(seconds=89)

    asyncio.run(scene())


@pytest.mark.parametrize(("speed", "seconds"), [(1.0, 100.0), (50.0, 2.0)])
def test_records_are_paced_by_their_times_divided_by_the_speed(speed: float, seconds: float) -> None:
    clock = [1000.0]
    given = (Record(n, {}, START + timedelta(seconds=10 * n)) for n in range(11))
    sent_at: list[float] = []
    for each in command.paced(given, speed, lambda: clock[0]):
        if isinstance(each, float):
            clock[0] += each
        else:
            sent_at += [clock[0] - 1000.0] * len(each)
    assert sent_at == pytest.approx([seconds * n / 10 for n in range(11)])


def test_without_a_speed_nothing_waits() -> None:
    given = (Record(n, {}, START + timedelta(days=n)) for n in range(450))
    batches: list[Any] = list(command.paced(given, None, lambda: 0.0))
    assert [len(batch) for batch in batches] == [200, 200, 50]


@pytest.mark.parametrize(("text", "speed"), [("true", 1.0), ("max", None), ("2.5", 2.5)])
def test_a_speed_is_true_max_or_a_factor(text: str, speed: float | None) -> None:
    assert command.speed_of(text) == speed


@pytest.mark.parametrize("text", ["fast", "0", "-1", "nan"])
def test_other_speeds_are_refused(text: str) -> None:
    with pytest.raises(BadSetting, match="--speed"):
        command.speed_of(text)


def test_a_file_whose_rows_are_several_events_has_no_pace(tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_text("history_segment,segment,visit,conversion,spend\n")
    paced = arguments(file, "--mapping", ROOT / "data" / "reference" / "replay_hillstrom.toml", "--speed", "60")
    with pytest.raises(BadSetting, match="--speed max"):
        command.plan_of(paced, lambda: START, None)


def test_the_first_replay_makes_its_own_key_and_the_next_uses_it(tmp_path: Path) -> None:
    config = Config(run_dir=tmp_path)
    key = command.own_key(arguments("f.csv"), config)
    assert Keys(config.keys_path, "BRL").sender(key, None).name == "replay"
    assert command.own_key(arguments("f.csv"), config) == key
    assert (tmp_path / "replay.key").stat().st_mode & 0o077 == 0


def test_a_key_whose_text_is_elsewhere_is_asked_for(tmp_path: Path) -> None:
    config = Config(run_dir=tmp_path)
    command.own_key(arguments("f.csv"), config)
    (tmp_path / "replay.key").unlink()
    with pytest.raises(BadSetting, match="--key"):
        command.own_key(arguments("f.csv"), config)
