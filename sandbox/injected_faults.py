"""Faults that a test asks for: what Slack and the network do on a bad day."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class FaultKind(StrEnum):
    """The first three refuse; SLOW and CLOSE do what was asked, and then spoil the answer."""

    RATELIMITED = "ratelimited"
    SERVER_ERROR = "server_error"
    ERROR = "error"
    SLOW = "timeout"
    CLOSE = "close_after_accept"


@dataclass(slots=True, kw_only=True)
class Fault:
    """Befalls the next `times` calls of `method` ("*" is every one, "response_url" those)."""

    method: str
    kind: FaultKind
    times: int = 1
    retry_after: int = 1
    seconds: float = 30.0
    error: str = "fatal_error"
    #: Beside an ERROR: what Slack finds wrong, and where.
    messages: list[str] = field(default_factory=list)


class Faults:
    """The faults of one workspace. A call gets the first that names it and is not used up."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, wanted: dict[str, Any]) -> Fault:
        """`wanted` is the body of POST /sandbox/faults. Raises ValueError or TypeError."""
        fault = Fault(**{**wanted, "kind": FaultKind(wanted["kind"])})
        self._waiting.append(fault)
        return fault

    def clear(self) -> None:
        self._waiting.clear()

    def take(self, method: str) -> Fault | None:
        """The fault that befalls this call, counted down."""
        for fault in self._waiting:
            if fault.method in (method, "*") and fault.times > 0:
                fault.times -= 1
                return fault
        return None
