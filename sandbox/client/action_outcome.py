"""What came of something that a person did."""

from dataclasses import dataclass
from typing import Any, Self

from sandbox.client.shown import Modal, ShownMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOutcome:
    """`error` is Slack's word ("operation_timeout"), `notice` the sentence that is shown,
    `messages` are those new to the person, `ms` how long the acknowledgement took."""

    error: str | None
    notice: str
    ms: float
    timed_out: bool
    errors: dict[str, str]
    messages: list[ShownMessage]
    modal: Modal | None

    @classmethod
    def read(cls, body: dict[str, Any]) -> Self:
        modal = Modal(raw=body["modal"]) if body["modal"] else None
        labelled = modal.errors if modal else {}
        return cls(
            error=body["error"],
            notice=body["notice"],
            ms=body["ms"],
            timed_out=body["timed_out"],
            errors=labelled if body["errors"] else {},
            messages=[ShownMessage(raw=one) for one in body["messages"]],
            modal=modal,
        )
