"""How far a replay got: what it may leave out when it is started again, and what it tells at its end."""

import hashlib
from collections import Counter, deque
from pathlib import Path

import msgspec

from ingest.window import Settled

SHOWN = 20  # lines named per code


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Everything up to `confirmed_line` is settled. `shift_us` is kept: a resumed file stays in one piece of time."""

    file: str
    size: int
    confirmed_line: int = 0
    shift_us: int = 0
    is_finished: bool = False


class Tally:
    """Counts of what was sent and settled, and the line up to which nothing is missing."""

    def __init__(self, confirmed_line: int = 0) -> None:
        self.sent = 0
        self.accepted = 0
        self.duplicate = 0
        self.codes: Counter[str] = Counter()
        self.refused_lines: dict[str, list[int]] = {}
        self.faults: dict[int, str] = {}
        self.confirmed_line = confirmed_line
        self._under_way: deque[tuple[int, bool]] = deque()
        self._settled: Counter[int] = Counter()

    def send(self, line: int, fault: str | None, *, is_last: bool = True) -> None:
        """Lines come in ascending order; `is_last` where nothing more of the line comes."""
        self.sent += 1
        self._under_way.append((line, is_last))
        if fault is not None and len(self.faults) < SHOWN:
            self.faults[line] = fault

    def settle(self, settled: Settled) -> None:
        self.accepted += settled.accepted
        self.duplicate += settled.duplicate
        for refusal in settled.rejected:
            self.codes[refusal.code] += 1
            lines = self.refused_lines.setdefault(refusal.code, [])
            if len(lines) < SHOWN:
                lines.append(refusal.label)
        self._settled.update(settled.labels)
        while self._under_way and self._settled[self._under_way[0][0]]:
            line, is_last = self._under_way.popleft()
            self._settled[line] -= 1
            if is_last:
                self.confirmed_line = line
                del self._settled[line]

    @property
    def settled(self) -> int:
        return self.accepted + self.duplicate + self.codes.total()

    def lines(self) -> list[str]:
        """The summary, one thing per line."""
        told = [f"sent {self.sent}, accepted {self.accepted}, duplicate {self.duplicate}, refused {self.codes.total()}"]
        for code, count in self.codes.most_common():
            lines = self.refused_lines[code]
            more = f" and {count - len(lines)} more" if count > len(lines) else ""
            told.append(f"refused {code}: {count}, line {', '.join(map(str, lines))}{more}")
        told += [f"line {line}: {fault}" for line, fault in self.faults.items()]
        if self.settled < self.sent:
            missing = self.sent - self.settled
            told.append(f"{missing} without an answer: the same command goes on after line {self.confirmed_line}")
        return told


def place_file(folder: Path, *identity: str) -> Path:
    """Where the place of one replay is kept: `identity` is all that makes it another replay."""
    return folder / f"{hashlib.sha256(chr(0).join(identity).encode()).hexdigest()[:24]}.json"


def recall(path: Path) -> Place | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Place)
    except (OSError, msgspec.DecodeError):
        return None


def keep(path: Path, place: Place) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_bytes(msgspec.json.encode(place))
    draft.replace(path)
