"""What was asked of the workspace and what it delivered, in order: for tests and the inspector."""

from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

KEPT = 5_000


@dataclass(slots=True, kw_only=True)
class TrafficLine:
    """One call of the app (`direction` "in") or one delivery to it ("out")."""

    number: int
    at: float
    direction: str
    method: str
    args: dict[str, Any]
    outcome: str = "…"
    ms: float = 0.0
    messages: list[str] = field(default_factory=list)
    #: Of Socket Mode, to which it was delivered.
    connection: int | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class TrafficJournal:
    """The newest lines, oldest first."""

    def __init__(self) -> None:
        self.lines: deque[TrafficLine] = deque(maxlen=KEPT)
        self._number = 0
        #: Called with each sentence about what the company's newsletter does, for a terminal.
        self.listeners: set[Callable[[str], None]] = set()

    def begin(self, *, at: float, direction: str, method: str, args: dict[str, Any]) -> TrafficLine:
        self._number += 1
        line = TrafficLine(
            number=self._number, at=at, direction=direction, method=method, args=args
        )
        self.lines.append(line)
        return line

    def after(self, number: int) -> list[TrafficLine]:
        return [line for line in self.lines if line.number > number]

    def say(self, sentence: str) -> None:
        """One thing that happened. It has no names and no whole addresses."""
        for listener in list(self.listeners):
            listener(sentence)
