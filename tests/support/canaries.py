"""A contact whose every word is easy to find where it should not be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

NAME = "Canaria Kanarienvogel"
COMPANY = "Canarycompany"
NOTE = "canarynote she moved to the seaside"
EVIDENCE = "canaryevidence form of the second of May"
PHONES = ("2125550167", "212-555-0167", "(212) 555-0167", "212 555 0167", "5550167")
EMAIL = "canarymail@example.com"
CANARIES = ("canar", "kanarien", *PHONES, "seaside")


def carried_by(raw: Any) -> Iterator[str]:
    """All that comes back from Slack without having been on the screen."""
    if isinstance(raw, list):
        for item in raw:
            yield from carried_by(item)
    elif isinstance(raw, dict):
        for name, value in raw.items():
            if name in ("private_metadata", "callback_id", "block_id", "action_id", "external_id"):
                yield str(value)
            elif name == "value" and isinstance(value, str):
                yield value
            elif name == "metadata" and value:
                yield str(value)
            elif name != "values":  # what the person is typing
                yield from carried_by(value)
