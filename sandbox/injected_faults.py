"""Faults that a test asks for: what Slack, a provider's lists and the network do on a bad day."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final


class FaultKind(StrEnum):
    """The first three refuse; SLOW and CLOSE do what was asked, and then spoil the answer. Only the
    providers' lists know the rest: DOWN does nothing, GARBAGE and HALF spoil the answer, and with
    ANOTHER_ACCOUNT somebody else's lists answer."""

    RATELIMITED = "ratelimited"
    SERVER_ERROR = "server_error"
    ERROR = "error"
    SLOW = "timeout"
    CLOSE = "close_after_accept"
    DOWN = "down"
    GARBAGE = "garbage"
    HALF = "half"
    ANOTHER_ACCOUNT = "another_account"


#: How the name of a provider's lists begins: "lists/sendgrid", "lists/sendgrid DELETE", and "lists"
#: for every provider.
LISTS: Final = "lists"
_OF_LISTS: Final = frozenset(
    {FaultKind.DOWN, FaultKind.GARBAGE, FaultKind.HALF, FaultKind.ANOTHER_ACCOUNT}
)


@dataclass(slots=True, kw_only=True)
class Fault:
    """Befalls the next `times` calls of `method`: "*" is each one of Slack's, "response_url" those,
    "lists/sendgrid" those of SendGrid's lists."""

    method: str
    kind: FaultKind
    times: int = 1
    retry_after: int = 1
    seconds: float = 30.0
    error: str = "fatal_error"
    #: Of an ERROR of a provider's lists.
    status: int = 400
    #: Beside an ERROR: what Slack finds wrong, and where.
    messages: list[str] = field(default_factory=list)


class Faults:
    """The faults of one workspace. A call gets the first that names it and is not used up."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, wanted: dict[str, Any]) -> Fault:
        """`wanted` is the body of POST /sandbox/faults. Raises ValueError or TypeError."""
        fault = Fault(**{**wanted, "kind": FaultKind(wanted["kind"])})
        if fault.kind in _OF_LISTS and not fault.method.startswith(LISTS):
            raise ValueError(f"{fault.kind} is a fault of lists")
        self._waiting.append(fault)
        return fault

    def clear(self) -> None:
        self._waiting.clear()

    def take(self, *names: str) -> Fault | None:
        """The fault that befalls a call which goes by any of these names, counted down."""
        for fault in self._waiting:
            if fault.method in names and fault.times > 0:
                fault.times -= 1
                return fault
        return None
