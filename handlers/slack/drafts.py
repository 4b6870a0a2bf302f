"""What waits between a button and its form, and must not travel in the button.

An address that was looked up and not found is personal, and button values are not the place for it.
It waits here, in memory: lost in a restart it only has to be typed again.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

_MOST = 1_000


@dataclass(slots=True)
class Drafts:
    """The last thousand, by a random id."""

    _kept: OrderedDict[str, dict[str, str]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, **values: str | None) -> str | None:
        """The id of the draft; None where there is nothing to keep."""
        kept = {name: value for name, value in values.items() if value}
        if not kept:
            return None
        id = secrets.token_hex(16)
        with self._lock:
            self._kept[id] = kept
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return id

    def read(self, id: str) -> Mapping[str, str]:
        """What was kept; nothing for an id that is unknown by now."""
        with self._lock:
            return self._kept.get(id, {})
