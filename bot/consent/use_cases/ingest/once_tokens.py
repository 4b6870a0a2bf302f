"""Tokens that may stand for one content only, kept as long as they are good, across restarts."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from bot.consent.events import OnceToken
from bot.consent.records import KeyValue


def mark_of(token: OnceToken) -> str:
    """The name of the key value that has it."""
    # Few to a mark, since the whole of it is written for each: old ones go as new ones come.
    return f"token:{_hash(token)[:3]}"


def take_token(key_value: KeyValue, token: OnceToken, now: datetime) -> bool:
    """Keeps it. False where it is kept with another content. The same again is True: the provider
    repeats what could not be stored."""
    hash, mark = _hash(token), mark_of(token)
    kept = json.loads(key_value.get(mark) or "{}")
    if hash in kept:
        return bool(kept[hash][0] == token.value)
    good = {known: one for known, one in kept.items() if one[1] > now.timestamp()}
    key_value.put(mark, json.dumps({**good, hash: (token.value, token.until.timestamp())}))
    return True


def _hash(token: OnceToken) -> str:
    return hashlib.blake2b(token.key.encode(), digest_size=16).hexdigest()
