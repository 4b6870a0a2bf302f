"""Reading back what a modal remembered: a pointer, checked for its shape and believed in nothing
else."""

from __future__ import annotations

from typing import Any

import msgspec

from bot.consent.errors import Invalid
from handlers.slack.blocks.modal_frame import Metadata
from handlers.slack.ids import OUTDATED, Pointer


def read_metadata(view: dict[str, Any]) -> Metadata:
    """Raises `Invalid` for what we never wrote."""
    try:
        metadata = msgspec.json.decode(str(view.get("private_metadata") or ""), type=Metadata)
    except (msgspec.DecodeError, UnicodeError):
        raise Invalid(OUTDATED) from None
    if metadata.contact:
        Pointer.read(f"{metadata.contact}:{max(metadata.version, 0)}")
    return metadata
