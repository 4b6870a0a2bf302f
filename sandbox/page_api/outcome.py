"""What came of something that a person did."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from sandbox.delivery.answer import AppResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionOutcome:
    """`notice` is the sentence that the person reads; `errors` stand on fields of the modal."""

    error: str | None = None
    notice: str = ""
    ms: float = 0.0
    timed_out: bool = False
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, answer: AppResponse) -> Self:
        notice = "This didn't work. Try again?" if answer.error else ""
        return cls(
            error=answer.error, notice=notice, ms=round(answer.ms, 1), timed_out=answer.timed_out
        )

    @classmethod
    def unnoticed(cls, answer: AppResponse) -> Self:
        """Of an event: the person does not see whether the app took it."""
        return replace(cls.of(answer), notice="")

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
