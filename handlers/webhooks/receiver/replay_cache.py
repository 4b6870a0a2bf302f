"""Tokens that may stand for one content only, kept as long as they are good, across restarts."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from bot.consent.use_cases import Service
from handlers.webhooks.signatures import same


class ReplayCache:
    """`handlers.webhooks.provider.Seen` over the storage. Raises `StorageFailed`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def add(self, key: str, value: str, until: datetime) -> bool:
        """As `Seen` says."""
        hash = hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
        # Few to a mark, since the whole of it is written for each: old ones go as new ones come.
        mark = f"token:{hash[:3]}"
        with self._service.store.transaction() as records:
            kept = json.loads(records.key_value.get(mark) or "{}")
            if hash in kept:
                return same(kept[hash][0], value)
            now = self._service.now().timestamp()
            good = {known: one for known, one in kept.items() if one[1] > now}
            records.key_value.put(mark, json.dumps({**good, hash: (value, until.timestamp())}))
        return True
