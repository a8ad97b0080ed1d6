import threading
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ingest.warehouse.errand import Errand, answers
from tests.ingest.warehouse.duties import AtOnce, Machine

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


class Later(Executor):
    """Does nothing until it is told to."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Any]] = []

    def submit(self, fn: Any, /, *_args: Any, **_kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((future, fn))
        return future

    def finish(self) -> None:
        for future, work in self.waiting:
            future.set_result(work())
        self.waiting.clear()


def errand(machine: Machine, executor: Executor, *results: bool) -> tuple[Errand, list[int]]:
    """One that goes well as the results say, and when it went."""
    outcomes, went = iter(results), list[int]()

    def work() -> bool:
        went.append(int(machine.passed_s))
        return next(outcomes)

    return Errand("it", work, MINUTE, executor, machine.monotonic), went


def test_it_goes_at_once_and_then_each_minute() -> None:
    machine = Machine()
    it, went = errand(machine, AtOnce(), *[True] * 5)
    for _ in range(200):
        it.tick()
        machine.pass_(SECOND)
    assert went == [0, 60, 120, 180]


def test_its_age_is_since_it_last_went_well() -> None:
    machine = Machine()
    it, _ = errand(machine, AtOnce(), False, True, False)
    it.tick()
    machine.pass_(MINUTE)
    assert it.age_s == 60
    it.tick()
    assert it.age_s == 0
    machine.pass_(MINUTE)
    it.tick()
    assert it.age_s == 60


def test_nobody_waits_for_one_that_is_under_way_and_no_second_one_goes() -> None:
    machine, later = Machine(), Later()
    it, went = errand(machine, later, True, True)
    for _ in range(3):
        it.tick()
        machine.pass_(MINUTE)
    assert (went, len(later.waiting), it.age_s) == ([], 1, 180)
    later.finish()
    it.tick()
    assert (went, len(later.waiting), it.age_s) == ([180], 1, 0)


@pytest.fixture
def port() -> Iterator[int]:
    """Of a server that says 200 for /ok and 500 for everything else."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/ok" else 500)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield server.server_port
        server.shutdown()


def test_only_a_success_is_an_answer(port: int) -> None:
    assert answers(f"http://127.0.0.1:{port}/ok")
    assert not answers(f"http://127.0.0.1:{port}/broken")
    assert not answers("http://127.0.0.1:1/refused")
    assert not answers("no address at all")
