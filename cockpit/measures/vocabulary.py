"""Words that senders choose, bounded: memory and snapshots may not grow with what somebody makes up."""

from collections.abc import Iterable

OTHER = "(other)"


class Vocabulary:
    """`always` and the first words that come, up to `most`; every other word is OTHER, and a null stays null."""

    def __init__(self, most: int, always: Iterable[str] = ()) -> None:
        self._known = set(always)
        self._most = most + len(self._known)

    def word(self, sent: str) -> str:
        if sent not in self._known:
            if len(self._known) >= self._most:
                return OTHER
            self._known.add(sent)
        return sent

    def others(self, sent: Iterable[str | None]) -> list[str]:
        """Those of the words that are OTHER."""
        return [word for word in sent if word is not None and self.word(word) == OTHER]
