import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from cockpit.config import Config
from cockpit.kpis.live import Alerts
from cockpit.store.database import Database
from ingest.warehouse import feed as module
from ingest.warehouse.consumer import Consumer
from ingest.warehouse.feed import WRONG_TOKEN, Feed, Meter, Subscriber
from ingest.warehouse.live import LiveState
from tests.warehouse_events import NOON, ListLog, draft, event

TOKEN = "t" * 64


class Part:
    """A feed on a free port with a consumer behind it."""

    def __init__(self, database: Database) -> None:
        self.log = ListLog()
        state = LiveState(ZoneInfo("America/Sao_Paulo"), "BRL")
        self.feed = Feed(state, self.log.tail, lambda: NOON, TOKEN)
        self.consumer = Consumer(self.log, database, Config(), lambda: NOON, self.feed.took)
        self.port = 0

    def send(self, *ids: str, at: datetime = NOON) -> None:
        self.log.append([draft([event(one, at=at) for one in ids])], NOON)
        self.consumer.step()

    @asynccontextmanager
    async def subscriber(self, token: str = TOKEN) -> AsyncIterator[ClientConnection]:
        async with connect(f"ws://127.0.0.1:{self.port}/feed", max_size=None) as connection:
            await connection.send(token)
            yield connection


def serving(check: Callable[[Part], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        with Database.open(None) as database:
            part = Part(database)
            async with await part.feed.serve("127.0.0.1", 0) as server:
                part.port = next(iter(server.sockets)).getsockname()[1]
                publishing = asyncio.create_task(part.feed.publish())
                await asyncio.wait_for(check(part), 30)
                publishing.cancel()

    asyncio.run(run())


async def received(connection: ClientConnection) -> dict[str, Any]:
    return json.loads(await asyncio.wait_for(connection.recv(), 10))  # type: ignore[no-any-return]


def test_the_first_message_is_full_and_changes_follow_without_what_was_said() -> None:
    async def check(part: Part) -> None:
        part.send("a", at=NOON - timedelta(minutes=1))
        async with part.subscriber() as one:
            first = await received(one)
            part.send("b")
            second = await received(one)
            while not second["minutes"]:
                second = await received(one)
        assert first["full"]
        assert len(first["minutes"]) == 1
        assert not second["full"]
        assert [minute["scopes"]["all"]["events"] for minute in second["minutes"]] == [{"view_item": 1}]
        assert second["scopes"]["all"]["today"]["events"] == 2
        assert second["seq"] > first["seq"]
        assert second["feed"] == first["feed"]

    serving(check)


def test_without_news_there_is_a_message_twice_a_second() -> None:
    async def check(part: Part) -> None:
        async with part.subscriber() as one:
            await received(one)
            began = asyncio.get_running_loop().time()
            for _ in range(4):
                assert not (await received(one))["minutes"]
            took_s = asyncio.get_running_loop().time() - began
        # Four waits of at most 500 ms each; twice that for a busy machine.
        assert took_s < 4.0

    serving(check)


@pytest.mark.parametrize("token", ["wrong", "", "t" * 63, "ü" * 64])
def test_a_wrong_token_hears_nothing(token: str) -> None:
    async def check(part: Part) -> None:
        async with part.subscriber(token) as one:
            with pytest.raises(ConnectionClosed) as closed:
                await received(one)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == WRONG_TOKEN

    serving(check)


def test_who_says_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GREETING_S", 0.1)

    async def check(part: Part) -> None:
        async with connect(f"ws://127.0.0.1:{part.port}/feed") as silent:
            await asyncio.wait_for(silent.wait_closed(), 10)
            assert silent.close_code == 1000, "it said nothing wrong"

    serving(check)


def test_one_who_does_not_read_holds_nobody_up() -> None:
    async def check(part: Part) -> None:
        async with part.subscriber() as slow, part.subscriber() as quick:
            slow.transport.pause_reading()
            await received(quick)
            for number in range(40):
                part.send(str(number))
                part.feed.publish_once()
                while (message := await received(quick))["scopes"]["all"]["today"]["events"] <= number:
                    pass
            assert message["scopes"]["all"]["today"]["events"] == 40
            slow.transport.resume_reading()

    serving(check)


def test_a_full_queue_is_emptied_and_a_full_snapshot_is_owed() -> None:
    subscriber = Subscriber()
    subscriber.needs_full = False
    for number in range(module.WAITING_MOST):
        subscriber.offer(str(number))
    assert not subscriber.needs_full
    subscriber.offer("one too many")
    assert subscriber.needs_full
    assert subscriber.waiting.empty()


def test_the_queue_is_what_the_log_has_and_the_tables_do_not() -> None:
    async def check(part: Part) -> None:
        part.send("a")
        part.log.append([draft([event("b"), event("c")])], NOON - timedelta(seconds=3))
        async with part.subscriber() as one:
            queue = (await received(one))["queue"]
        assert queue == {"entries": 1, "events": 2, "oldest_age_s": 3.0, "in_per_s": None, "out_per_s": None}

    serving(check)


def test_what_goes_on_is_published_at_once_and_is_unknown_before() -> None:
    alerts = Alerts(evaluated_at=1, critical=1, warning=0, no_data=0, worst=[])

    async def check(part: Part) -> None:
        async with part.subscriber() as one:
            assert (await received(one))["alerts"] is None
            await asyncio.to_thread(part.feed.alerts, alerts)
            while (message := await received(one))["alerts"] is None:
                pass
        assert message["alerts"] == msgspec.to_builtins(alerts)

    serving(check)


def test_rates_are_over_the_last_seconds() -> None:
    meter = Meter()
    assert meter.rates(0.0, taken=0, queued=0) == (None, None)
    # 100 a second come, 60 of them are taken.
    for second in range(1, 30):
        rates = meter.rates(float(second), taken=60 * second, queued=40 * second)
    assert rates == (100.0, 60.0)
    for second in range(30, 40):
        rates = meter.rates(float(second), taken=60 * 29, queued=40 * 29)
    assert rates == (0.0, 0.0)
