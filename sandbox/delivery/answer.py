"""What became of one delivery."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class AppResponse:
    """`error` is what Slack would say of it: "operation_timeout" or "dispatch_failed"; `reason`
    is its word in X-Slack-Retry-Reason. `body` is the JSON of the acknowledgement, if any;
    `connection` the one of Socket Mode to which it went."""

    ms: float
    body: Any = None
    error: str | None = None
    reason: str = ""
    final: bool = False
    connection: int | None = None

    @property
    def timed_out(self) -> bool:
        return self.error == TIMEOUT


TIMEOUT = "operation_timeout"
FAILED = "dispatch_failed"
