import asyncio
import random
from pathlib import Path

import pytest

from cockpit.clock import system_clock
from cockpit.config import Config
from cockpit.errors import BadSetting, SendingRefused
from ingest.sender import Sender, gateway_url, read_key
from ingest.window import Outgoing, Settled, Window
from tests.ingest.fake_gateway import FakeGateway, running, until


class Ledger:
    """What was settled, for comparison with what the gateway stored."""

    def __init__(self) -> None:
        self.labels: list[int] = []
        self.accepted = 0
        self.duplicate = 0

    def __call__(self, settled: Settled) -> None:
        self.labels += settled.labels
        self.accepted += settled.accepted
        self.duplicate += settled.duplicate


def sender_to(gateway: FakeGateway, ledger: Ledger, backlog: int = 8) -> Sender:
    return Sender(Window("wk_test", "session", random.Random(1)), gateway.url, system_clock, ledger, backlog)


def batch(first: int, count: int = 5) -> list[Outgoing]:
    return [Outgoing(b'{"messageId":"m-%d"}' % label, label) for label in range(first, first + count)]


async def send_batches(gateway: FakeGateway, ledger: Ledger, batches: int) -> None:
    async with asyncio.timeout(60), sender_to(gateway, ledger) as sender:
        for number in range(batches):
            await sender.send(batch(5 * number))
        await sender.drained()


def test_everything_sent_is_stored_and_settled() -> None:
    async def scene() -> None:
        ledger = Ledger()
        async with running(FakeGateway()) as gateway:
            await send_batches(gateway, ledger, 40)
        assert len(gateway.stored) == ledger.accepted == 200
        assert ledger.labels == list(range(200))
        assert gateway.hellos[0]["key"] == "wk_test"

    asyncio.run(scene())


@pytest.mark.parametrize("stores_before_cut", [True, False])
def test_cut_connections_and_nacks_lose_nothing_and_double_nothing(*, stores_before_cut: bool) -> None:
    async def scene() -> None:
        ledger = Ledger()
        gateway = FakeGateway()
        gateway.cut_every, gateway.nack_every, gateway.stores_before_cut = 17, 5, stores_before_cut
        async with running(gateway):
            await send_batches(gateway, ledger, 60)
        assert len(gateway.hellos) > 3
        assert len({hello["session"] for hello in gateway.hellos}) == 1
        assert sorted(ledger.labels) == list(range(300))
        assert len(gateway.stored) == 300
        assert ledger.accepted + ledger.duplicate == 300
        assert (ledger.duplicate > 0) == stores_before_cut

    asyncio.run(scene())


def test_a_gateway_that_is_away_for_a_while_is_found_again() -> None:
    async def scene() -> None:
        ledger = Ledger()
        gateway = FakeGateway()
        await gateway.start()
        async with asyncio.timeout(30), sender_to(gateway, ledger) as sender:
            await sender.send(batch(0))
            await sender.drained()
            await gateway.stop()
            await sender.send(batch(5))
            await gateway.start()
            await sender.drained()
        await gateway.stop()
        assert ledger.labels == list(range(10))
        assert len(gateway.hellos) >= 2

    asyncio.run(scene())


def test_sending_waits_while_the_backlog_is_full() -> None:
    async def scene() -> None:
        gateway = FakeGateway(credit=0)
        async with running(gateway), sender_to(gateway, Ledger(), backlog=2) as sender:
            await sender.send(batch(0))
            await sender.send(batch(5))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await sender.send(batch(10))

    asyncio.run(scene())


def test_a_key_that_the_gateway_refuses_ends_the_sending_with_its_reason() -> None:
    async def scene() -> None:
        gateway = FakeGateway()
        gateway.close_hello_with = (4401, "unknown_key")
        async with running(gateway):
            with pytest.raises(SendingRefused, match="unknown_key"):
                await send_batches(gateway, Ledger(), 1)
        assert len(gateway.hellos) == 1

    asyncio.run(scene())


def test_leaving_the_sender_closes_its_connection() -> None:
    async def scene() -> None:
        gateway = FakeGateway()
        async with running(gateway):
            async with sender_to(gateway, Ledger()) as sender:
                await until(lambda: bool(gateway.hellos))
            assert sender._task is not None
            assert sender._task.done()

    asyncio.run(scene())


def test_the_key_is_the_one_given_or_the_one_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "demo.key"
    with pytest.raises(BadSetting, match="no write key"):
        read_key(None, file)
    file.write_text("wk_file\n")
    assert read_key(None, file) == "wk_file"
    assert read_key("wk_given", file) == "wk_given"


def test_the_address_is_the_gateways() -> None:
    assert gateway_url(Config(gateway_port=9999)) == "ws://127.0.0.1:9999/ws"
