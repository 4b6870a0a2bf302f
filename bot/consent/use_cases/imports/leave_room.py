"""Room on the disk that imports leave for opt-outs."""

from __future__ import annotations

from bot.consent.errors import Refused
from bot.consent.store import Store

_MEGABYTE = 1024 * 1024
#: Bytes; more than ten thousand opt-outs need.
_FOR_OPT_OUTS = 32 * _MEGABYTE


def leave_room(store: Store, rows: int) -> None:
    """Raises `Refused` on a disk that is nearly full. `rows` are those that are imported so far."""
    free = store.free_bytes()
    if free is None or free >= _FOR_OPT_OUTS:
        return
    stopped = f"The import stopped after {rows:,} rows" if rows else "Nothing was imported"
    raise Refused(
        f"The disk of the storage is nearly full: {free // _MEGABYTE} MB are free, which Optin "
        f"keeps for opt-outs. {stopped}. Make room on the disk, then import the file again."
    )
