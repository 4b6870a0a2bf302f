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

    @property
    def line(self) -> str:
        mark = "✅" if self.cure is None else "🟡" if self.advice else "🔴"
        return f"{mark} {self.what}" + (f"\n     {self.cure}" if self.cure else "")
