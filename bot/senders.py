"""The file that `OPTIN_SENDERS` names: our own numbers and messaging services, in TOML.

    [[sender]]
    id = "+18885550199"     # E.164, a short code, or the id of a messaging service
    name = "Support line"   # as agents see it; optional
    toll_free = true        # optional: else what the numbering plan says of the number
    unblock_word = "UNSTOP" # optional: what the contact texts to lift the carrier's block

The first is the default one: the headline of a card is about it.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import phonenumbers

from bot.consent.model import Sender

_FIELDS = {"id": str, "name": str, "toll_free": bool, "unblock_word": str}


def read_senders(path: Path) -> tuple[Sender, ...]:
    """The senders in their order. Raises ValueError with half a sentence that says what is
    wrong, to be put behind the name of the file."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError("is no UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"is no TOML: {error}") from None
    rows = document.pop("sender", [])
    if document or not isinstance(rows, list) or not rows:
        raise ValueError("must hold [[sender]] tables, and nothing else")
    senders = tuple(_sender(number, row) for number, row in enumerate(rows, start=1))
    if len({sender.id for sender in senders}) < len(senders):
        raise ValueError("names the same sender twice")
    return senders


def _sender(number: int, row: object) -> Sender:
    if not isinstance(row, dict):
        raise ValueError(f"must hold a table for sender {number}")
    for key, value in row.items():
        wanted = _FIELDS.get(key)
        if wanted is None:
            raise ValueError(f"has a {key!r} in sender {number}, which is no field of a sender")
        if not isinstance(value, wanted):
            kind = "true or false" if wanted is bool else "text"
            raise ValueError(f"needs {kind} for {key} in sender {number}")
    id_ = row.get("id", "").strip()
    if not id_ or not id_.isascii() or not id_.lstrip("+").isalnum():
        raise ValueError(
            f"needs an id for sender {number}: +18885550199, a short code or a service's id"
        )
    return Sender(
        id=id_,
        name=row.get("name", "").strip(),
        toll_free=row.get("toll_free", _is_toll_free(id_)),
        unblock_word=row.get("unblock_word", "UNSTOP").strip().upper() or "UNSTOP",
    )


def _is_toll_free(id_: str) -> bool:
    if not id_.startswith("+"):
        return False
    try:
        number = phonenumbers.parse(id_)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.TOLL_FREE
