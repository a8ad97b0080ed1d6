"""A sender that is not ours: plain frames, one in flight, sent again until answered. The oracle of acknowledgement."""

import json
import threading
import uuid
from datetime import UTC, datetime
from typing import Self

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect


class Shop:
    """Sends frames of `frame_of` events until stopped, at most one in flight; a frame that was cut is sent again."""

    def __init__(self, url: str, *, frame_of: int = 25, pause_s: float = 0.02) -> None:
        self.url = url
        self.frame_of = frame_of
        self.pause_s = pause_s
        self.acknowledged: set[str] = set()
        self.cuts = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(60)
        assert not self._thread.is_alive(), "the last frame was never acknowledged"

    def _run(self) -> None:
        frame: list[dict[str, object]] = []
        while not (self._stopping.is_set() and not frame):
            try:
                with connect(self.url, open_timeout=5) as socket:
                    while not (self._stopping.is_set() and not frame):
                        frame = frame or self._frame()
                        socket.send(json.dumps(frame))
                        answer = json.loads(socket.recv(timeout=10))
                        if answer["op"] == "ack":
                            assert answer["accepted"] + answer["duplicate"] == len(frame), answer
                            self.acknowledged.update(str(event["messageId"]) for event in frame)
                            frame = []
                        self._stopping.wait(self.pause_s)
            except (OSError, TimeoutError, WebSocketException):
                self.cuts += 1
                threading.Event().wait(0.05)

    def _frame(self) -> list[dict[str, object]]:
        now = datetime.now(UTC).isoformat()
        return [
            {
                "type": "track",
                "event": "view_item",
                "userId": f"u-{index}",
                "messageId": str(uuid.uuid4()),
                "timestamp": now,
                "properties": {"item_id": "sku-1", "value": 9.9, "currency": "BRL", "channel": "site"},
            }
            for index in range(self.frame_of)
        ]
