"""Tokens that may stand for one content only, kept as long as they are good, across restarts."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from bot.consent.use_cases import Service, update_values
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
        first = value

        def put(text: str | None) -> str | None:
            nonlocal first
            kept = json.loads(text or "{}")
            if hash in kept:
                first = kept[hash][0]
                return text
            now = self._service.now().timestamp()
            good = {known: one for known, one in kept.items() if one[1] > now}
            return json.dumps({**good, hash: (value, until.timestamp())})

        update_values(self._service, {mark: put})
        return same(first, value)
