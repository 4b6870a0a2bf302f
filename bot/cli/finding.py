"""What `optin doctor` says of one thing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    what: str
    #: None where it is well.
    cure: str | None = None
    #: It works all the same.
    advice: bool = False
    #: It is switched off, which is no fault.
    off: bool = False

    @property
    def line(self) -> str:
        return f"{self._mark} {self.what}" + (f"\n     {self.cure}" if self.cure else "")

    @property
    def _mark(self) -> str:
        if self.cure is None:
            return "⚪" if self.off else "✅"
        return "🟡" if self.advice else "🔴"
