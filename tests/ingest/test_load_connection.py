import asyncio
import itertools
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve

from cockpit.errors import MachineError
from ingest.load_connection import TEXT, Connection, Tally, handshake, header, whole_frame
from tests.ingest.fake_gateway import until

Server = Callable[[ServerConnection], Awaitable[None]]


def numbered(size: int = 10) -> itertools.chain[bytes]:
    return itertools.chain.from_iterable([b'["%d%s"]' % (number, b"x" * size)] for number in itertools.count())


def ack(accepted: int = 1) -> bytes:
    return msgspec.json.encode({"op": "ack", "accepted": accepted, "duplicate": 0, "rejected": []})


async def with_server(
    server: Server, scene: Callable[[Connection, Tally], Awaitable[None]], **options: object
) -> Tally:
    tally = Tally()
    async with asyncio.timeout(30), serve(server, "127.0.0.1", 0, compression=None) as listener:
        host, port = next(iter(listener.sockets)).getsockname()
        request = handshake(urlsplit(f"ws://{host}:{port}/ws"), "wk")
        settings = {"window": 4, "pace": None, "frames": numbered(), **options}
        connection = Connection(request, tally=tally, **settings)  # type: ignore[arg-type]
        await connection.open(host, port)
        await scene(connection, tally)
    return tally


@pytest.mark.parametrize("size", [1, 125, 126, 65_535, 65_536, 300_000])
def test_frames_of_every_length_arrive_whole_at_a_real_server(size: int) -> None:
    got: list[str | bytes] = []

    async def server(socket: ServerConnection) -> None:
        async for text in socket:
            got.append(text)
            await socket.send(ack(), text=True)

    async def scene(connection: Connection, tally: Tally) -> None:
        connection.start()
        await until(lambda: tally.accepted > 5)
        await connection.finish()

    asyncio.run(with_server(server, scene, frames=iter(lambda: b"z" * size, b"")))
    assert set(got) == {"z" * size}


def test_no_more_frames_than_the_window_are_without_an_answer() -> None:
    waiting = 0
    most = 0

    async def server(socket: ServerConnection) -> None:
        nonlocal waiting, most
        async for _ in socket:
            waiting += 1
            most = max(most, waiting)
            if waiting == 4:
                for _ in range(4):
                    waiting -= 1
                    await socket.send(ack(), text=True)

    async def scene(connection: Connection, tally: Tally) -> None:
        connection.start()
        await until(lambda: tally.accepted >= 40)

    asyncio.run(with_server(server, scene))
    assert most == 4


def test_a_nack_brings_the_same_frame_again_and_every_frame_is_accepted_once() -> None:
    accepted: list[str | bytes] = []

    async def server(socket: ServerConnection) -> None:
        for number in itertools.count():
            text = await socket.recv()
            if number % 3 == 0:
                nack = {"op": "nack", "code": "overloaded", "temporary": True, "retryAfterMs": 10}
                await socket.send(msgspec.json.encode(nack), text=True)
            else:
                accepted.append(text)
                await socket.send(ack(), text=True)

    async def scene(connection: Connection, tally: Tally) -> None:
        connection.start()
        await until(lambda: tally.nacks >= 10)

    tally = asyncio.run(with_server(server, scene))
    assert len(set(accepted)) == len(accepted) >= tally.accepted > 0


def test_the_pace_is_kept() -> None:
    async def server(socket: ServerConnection) -> None:
        async for _ in socket:
            await socket.send(ack(), text=True)

    async def scene(connection: Connection, tally: Tally) -> None:
        begin = asyncio.get_running_loop().time()
        connection.start()
        await until(lambda: tally.accepted >= 11)
        assert asyncio.get_running_loop().time() - begin >= 0.5
        await connection.finish()

    asyncio.run(with_server(server, scene, pace=0.05))


def test_a_server_that_leaves_is_an_error_with_its_reason() -> None:
    async def server(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.close(4401, "unknown_key")

    async def scene(connection: Connection, _tally: Tally) -> None:
        connection.start()
        await connection.closed

    with pytest.raises(MachineError, match="4401 unknown_key"):
        asyncio.run(with_server(server, scene))


def test_a_server_that_is_no_websocket_is_an_error_with_its_status() -> None:
    async def scene() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as listener:
            host, port = listener.sockets[0].getsockname()
            connection = Connection(handshake(urlsplit("ws://x/ws"), "wk"), numbered(), Tally(), 1, None)
            await connection.open(host, port)

    with pytest.raises(MachineError, match="503"):
        asyncio.run(scene())


def test_the_key_is_in_a_header_and_not_in_the_address() -> None:
    request = handshake(urlsplit("ws://shop:1/ws"), "wk_secret")
    assert request.startswith(b"GET /ws HTTP/1.1\r\n")
    assert b"Authorization: Bearer wk_secret\r\n" in request


def test_a_header_has_the_length_in_the_form_of_the_standard() -> None:
    # RFC 6455, 5.2: one byte up to 125, 126 and two bytes, 127 and eight bytes; then the mask
    assert header(TEXT, 125) == b"\x81\xfd" + bytes(4)
    assert header(TEXT, 126) == b"\x81\xfe\x00\x7e" + bytes(4)
    assert header(TEXT, 65_536) == b"\x81\xff" + (65_536).to_bytes(8, "big") + bytes(4)


@given(st.lists(st.integers(0, 70_000), max_size=4), st.data())
def test_frames_are_found_in_however_many_pieces_they_come(sizes: list[int], data: st.DataObject) -> None:
    stream = b""
    for size in sizes:
        short = bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2, "big") if size < 65_536 else b""
        stream += b"\x81" + (short or b"\x7f" + size.to_bytes(8, "big")) + b"p" * size
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    buffer, found = bytearray(), []
    for begin, end in itertools.pairwise([0, *cuts, len(stream)]):
        buffer += stream[begin:end]
        at = 0
        while (whole := whole_frame(buffer, at)) is not None:
            found.append(whole[2] - whole[1])
            at = whole[2]
        del buffer[:at]
    assert found == sizes
    assert not buffer
