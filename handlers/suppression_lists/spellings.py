"""How the lists spell addresses that they do not have in lower case.

Some providers find and delete an entry by its exact spelling alone, and send regardless of case.
"""

from __future__ import annotations

import threading
from collections import defaultdict

from bot.consent.addresses import key_of
from handlers.suppression_lists.address_paths import spellings_to_try


class Spellings:
    """Those that a read showed, as long as the process runs. Safe across threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._odd: defaultdict[str, set[str]] = defaultdict(set)

    def note(self, address: str) -> None:
        """Remembers the spelling, unless it is the plain one."""
        if address != (key := key_of(address)):
            with self._lock:
                self._odd[key].add(address)

    def of(self, address: str) -> list[str]:
        """Every spelling under which the address may stand on a list."""
        with self._lock:
            odd = sorted(self._odd.get(key_of(address), ()))
        return list(dict.fromkeys([*spellings_to_try(address), *odd]))
