import asyncio
import json
from typing import Any

from cockpit.ui.relay import MINUTES_KEPT, WAITING_MOST, Picture, Relay, Viewer

MINUTE_MS = 60_000


def message(seq: int, minutes: dict[int, int], *, full: bool = False, feed: str = "one") -> dict[str, Any]:
    rows = [{"minute": minute * MINUTE_MS, "scopes": {"all": {"events": count}}} for minute, count in minutes.items()]
    return {"op": "snapshot", "seq": seq, "feed": feed, "full": full, "minutes": rows}


def counts(text: str | None) -> dict[int, int]:
    assert text is not None
    return {row["minute"] // MINUTE_MS: row["scopes"]["all"]["events"] for row in json.loads(text)["minutes"]}


def test_there_is_no_picture_before_the_first_snapshot() -> None:
    assert Picture().full() is None


def test_a_picture_holds_every_minute_in_its_last_state() -> None:
    picture = Picture()
    picture.take(message(1, {1: 10, 2: 20}, full=True))
    picture.take(message(2, {2: 25}))
    picture.take(message(3, {3: 1}))
    assert counts(picture.full()) == {1: 10, 2: 25, 3: 1}
    assert json.loads(picture.full() or "")["full"] is True
    assert json.loads(picture.full() or "")["seq"] == 3


def test_a_picture_says_how_old_it_is() -> None:
    clock = iter([10.0, 12.5])
    picture = Picture(clock=lambda: next(clock))
    picture.take(message(1, {}, full=True))
    assert json.loads(picture.full() or "")["age_ms"] == 2500


def test_a_restarted_feed_leaves_nothing_of_the_old_one() -> None:
    picture = Picture()
    picture.take(message(900, {1: 10, 2: 20}, full=True))
    picture.take(message(1, {2: 21}, full=True, feed="two"))
    assert counts(picture.full()) == {2: 21}


def test_a_picture_keeps_an_hour() -> None:
    picture = Picture()
    picture.take(message(1, {}, full=True))
    for minute in range(MINUTES_KEPT + 30):
        picture.take(message(minute + 2, {minute: minute}))
    assert list(counts(picture.full())) == list(range(30, MINUTES_KEPT + 30))


def drained(viewer: Viewer) -> list[dict[str, Any]]:
    return [json.loads(viewer.waiting.get_nowait()) for _ in range(viewer.waiting.qsize())]


def test_a_slow_browser_gets_the_whole_picture_in_place_of_what_it_missed() -> None:
    picture, viewer = Picture(), Viewer()
    picture.take(message(0, {0: 0}, full=True))
    for seq in range(1, WAITING_MOST + 2):
        change = message(seq, {seq: seq})
        picture.take(change)
        viewer.offer(json.dumps(change), picture)
    waiting = drained(viewer)
    assert [(one["seq"], one["full"]) for one in waiting] == [(WAITING_MOST + 1, True)]
    assert len(waiting[0]["minutes"]) == WAITING_MOST + 2


def test_who_joins_sees_the_picture_first_and_everybody_hears_how_many_look() -> None:
    async def join() -> None:
        relay = Relay("ws://127.0.0.1:9/feed", "secret")
        relay.picture.take(message(7, {1: 1}, full=True))
        with relay.viewer() as first, relay.viewer() as second:
            assert [one["op"] for one in drained(first)] == ["snapshot", "status", "status"]
            assert [one.get("viewers") for one in drained(second)] == [None, 2]
        assert drained(first)[-1]["viewers"] == 1
        assert relay.viewers == set()

    asyncio.run(join())
