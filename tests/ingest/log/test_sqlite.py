"""The laws of the log, on real files and with real processes."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cockpit.config import ROOT
from cockpit.errors import LogUnwritable
from ingest.log import Draft, Tail
from ingest.log.sqlite import Keep, SqliteLog
from tests.processes import until

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def draft(payload: bytes = b"x", rows: int = 1, kind: Any = "events") -> Draft:
    return Draft(kind, rows, payload)


def test_what_was_appended_is_read_back_in_order(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log.sqlite")
    first = log.append([draft(b"a", 3), draft(b"b", 1, "dead_letters")], NOW)
    second = log.append([draft(b"c", 2)], NOW + timedelta(seconds=1))
    entries = log.read(0, 10**9)
    assert [(each.kind, each.rows, each.payload) for each in entries] == [
        ("events", 3, b"a"),
        ("dead_letters", 1, b"b"),
        ("events", 2, b"c"),
    ]
    assert [each.position for each in entries] == [first - 1, first, second]
    assert entries[2].appended_at == NOW + timedelta(seconds=1)
    assert log.read(second, 10**9) == []
    log.close()


def test_a_read_gives_at_least_one_entry_and_about_as_much_as_asked_for(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log.sqlite")
    log.append([draft(b"x" * 100) for _ in range(5)], NOW)
    assert [len(log.read(0, size)) for size in (0, 99, 100, 250, 500, 501)] == [1, 1, 1, 2, 5, 5]
    log.close()


def test_the_tail_is_what_a_reader_has_not_seen(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log.sqlite")
    assert log.tail(0) == Tail(entries=0, events=0, oldest_at=None)
    first = log.append([draft(rows=3)], NOW)
    last = log.append([draft(rows=4), draft(rows=9, kind="dead_letters")], NOW + timedelta(seconds=5))
    assert log.tail(0) == Tail(entries=3, events=7, oldest_at=NOW)
    assert log.tail(first) == Tail(entries=2, events=4, oldest_at=NOW + timedelta(seconds=5))
    assert log.tail(last) == Tail(entries=0, events=0, oldest_at=None)
    log.close()


def test_the_epoch_is_the_logs_own_and_stays(tmp_path: Path) -> None:
    first, second = SqliteLog(tmp_path / "a.sqlite"), SqliteLog(tmp_path / "b.sqlite")
    assert first.epoch != second.epoch
    again = SqliteLog(tmp_path / "a.sqlite")
    assert again.epoch == first.epoch
    for log in (first, second, again):
        log.close()


def test_nothing_expires_before_every_consumer_has_confirmed_it(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log.sqlite", Keep(age=timedelta(days=1)))
    positions = [log.append([draft()], NOW) for _ in range(4)]
    later = NOW + timedelta(days=2)
    assert log.expire(later) == 0
    log.confirm("warehouse", positions[2])
    log.confirm("copy", positions[0])
    assert log.expire(later) == 1
    log.confirm("copy", positions[3])
    assert log.expire(later) == 2
    assert [each.position for each in log.read(0, 10**9)] == positions[3:]
    log.close()


def test_what_a_consumer_that_starts_over_has_not_read_again_is_kept(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log.sqlite", Keep(age=timedelta(0)))
    positions = [log.append([draft()], NOW) for _ in range(3)]
    log.confirm("warehouse", positions[1])
    log.confirm("warehouse", 0)
    assert log.expire(NOW + timedelta(days=1)) == 0
    log.confirm("warehouse", positions[0])
    assert log.expire(NOW + timedelta(days=1)) == 1
    log.close()


def test_what_is_over_the_kept_size_expires_oldest_first(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log.sqlite", Keep(age=timedelta(days=1), size_bytes=250))
    positions = [log.append([draft(b"x" * 100)], NOW) for _ in range(5)]
    log.confirm("warehouse", positions[-1])
    assert log.expire(NOW) == 3
    assert [each.position for each in log.read(0, 10**9)] == positions[3:]
    assert log.expire(NOW) == 0
    log.close()


def test_a_position_is_never_used_twice_not_even_after_everything_went(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log.sqlite", Keep(age=timedelta(0)))
    last = log.append([draft(rows=5), draft(rows=6)], NOW)
    log.confirm("warehouse", last)
    log.expire(NOW + timedelta(days=1))
    log.close()
    log = SqliteLog(tmp_path / "log.sqlite")
    assert log.append([draft(rows=7)], NOW) > last
    assert log.tail(last).events == 7
    log.close()


def test_a_full_disk_stores_nothing_of_the_commit(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log.sqlite")
    kept = log.append([draft(b"kept")], NOW)
    log._connection.execute("PRAGMA max_page_count = 20")  # SQLite's own "database or disk is full"
    with pytest.raises(LogUnwritable):
        log.append([draft(b"small"), draft(b"x" * 10**6)], NOW)
    assert [each.payload for each in log.read(0, 10**9)] == [b"kept"]
    log._connection.execute("PRAGMA max_page_count = 1000000")
    assert log.append([draft(b"after")], NOW) > kept
    assert [each.payload for each in log.read(0, 10**9)] == [b"kept", b"after"]
    log.close()


def test_a_log_locked_for_too_long_is_unwritable(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    log = SqliteLog(path)
    log._connection.execute("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LogUnwritable):
        log.append([draft()], NOW)
    other.execute("ROLLBACK")
    other.close()
    assert log.append([draft()], NOW) == 1
    log.close()


def test_a_file_that_is_no_log_is_unwritable(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(LogUnwritable):
        SqliteLog(path)


WRITER = """
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from ingest.log import Draft
from ingest.log.sqlite import SqliteLog

log = SqliteLog(Path(sys.argv[1]))
number = int(sys.argv[2])
while True:
    number += 1
    log.append([Draft("events", 1, b"%d-a" % number), Draft("events", 1, b"%d-b" % number)], datetime.now(UTC))
    print(number, flush=True)
"""


def test_what_was_acknowledged_survives_a_kill_and_half_a_commit_never_shows(tmp_path: Path) -> None:
    """A writer is killed again and again while a reader in this process follows it."""
    path = tmp_path / "log.sqlite"
    reader = SqliteLog(path)
    acknowledged = 0
    for _ in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(acknowledged + 1000)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        ) as writer:
            assert writer.stdout is not None
            for _ in range(5):
                acknowledged = int(writer.stdout.readline())
            os.kill(writer.pid, signal.SIGKILL)
            said = [int(line) for line in writer.stdout.read().split()]
        acknowledged = max([acknowledged, *said])
        payloads = [each.payload.decode() for each in reader.read(0, 10**9)]
        assert f"{acknowledged}-b" in payloads
        assert payloads == [f"{number}-{half}" for number in dict.fromkeys(p[:-2] for p in payloads) for half in "ab"]
    positions = [each.position for each in reader.read(0, 10**9)]
    assert positions == list(range(1, len(positions) + 1))
    reader.close()


def test_a_reader_may_come_before_the_writer_and_sees_its_commits(tmp_path: Path) -> None:
    path = tmp_path / "not" / "yet" / "log.sqlite"
    reader = SqliteLog(path)
    assert reader.read(0, 10**9) == []
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), "0"], cwd=ROOT, stdout=subprocess.DEVNULL
    ) as writer:
        until(lambda: len(reader.read(0, 10**9)) >= 4, what="the writer's commits are seen")
        reader.confirm("warehouse", 2)
        seen = len(reader.read(0, 10**9))
        until(lambda: len(reader.read(0, 10**9)) > seen, what="writing goes on beside a consumer's confirmations")
        writer.kill()
    reader.close()


class LogMachine(RuleBasedStateMachine):
    """The log against a list."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "log.sqlite"
        self.keep = Keep(age=timedelta(seconds=20), size_bytes=300)
        self.log = SqliteLog(self.path, self.keep)
        self.entries: list[tuple[int, str, int, bytes, datetime]] = []
        self.confirmed: dict[str, int] = {}
        self.now = NOW

    @rule(
        sizes=st.lists(
            st.tuples(st.sampled_from(["events", "dead_letters"]), st.integers(0, 120)), min_size=1, max_size=3
        )
    )
    def append(self, sizes: list[tuple[str, int]]) -> None:
        position = self.log.append([draft(b"p" * size, size, kind) for kind, size in sizes], self.now)
        for place, (kind, size) in enumerate(sizes):
            self.entries.append((position - len(sizes) + 1 + place, kind, size, b"p" * size, self.now))

    @rule(seconds=st.integers(0, 15))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.entries)
    @rule(consumer=st.sampled_from(["a", "b"]), back=st.integers(0, 3))
    def confirm(self, consumer: str, back: int) -> None:
        position = self.entries[-1 - min(back, len(self.entries) - 1)][0]
        self.log.confirm(consumer, position)
        self.confirmed[consumer] = position

    @rule()
    def reopen(self) -> None:
        self.log.close()
        self.log = SqliteLog(self.path, self.keep)

    @rule()
    def expire(self) -> None:
        removed = self.log.expire(self.now)
        expected = 0
        limit = min(self.confirmed.values(), default=0)
        while len(self.entries) > 1 and self.entries[0][0] <= limit:
            is_old = self.entries[0][4] < self.now - self.keep.age
            is_over = sum(size for _, _, size, _, _ in self.entries) > self.keep.size_bytes
            if not (is_old or is_over):
                break
            self.entries.pop(0)
            expected += 1
        assert removed == expected

    @invariant()
    def reads_like_the_list(self) -> None:
        if not hasattr(self, "log"):
            return
        found = [(e.position, e.kind, e.rows, e.payload, e.appended_at) for e in self.log.read(0, 10**9)]
        assert found == self.entries
        for after in {0, *(entry[0] for entry in self.entries)}:
            behind = [entry for entry in self.entries if entry[0] > after]
            events = sum(rows for _, kind, rows, _, _ in behind if kind == "events")
            assert self.log.tail(after) == Tail(len(behind), events, behind[0][4] if behind else None)

    def teardown(self) -> None:
        if hasattr(self, "log"):
            self.log.close()
            self.folder.cleanup()


TestLogMachine = LogMachine.TestCase
TestLogMachine.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
