"""The file that `OPTIN_SENDERS` names: our own numbers and messaging services, in TOML.

    [[sender]]
    id = "support"
    name = "Support line"        # as agents see it; optional
    service = "MG0123…"          # Twilio messaging service or Telnyx messaging profile; optional
    numbers = ["+14155550001", {number = "+18885550199", kind = "toll_free"}]
    unblock_word = "UNSTOP"      # optional: what the contact texts to lift the carrier's block

`kind` is `toll_free`, `long_code` or `short_code`, and defaults to what the numbering plan says. A
sender whose `id` is itself a number or a service needs neither `numbers` nor `service`.
The first sender is the default one: the headline of a card is about it.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from bot.consent.addresses import phone_key
from bot.consent.senders import Number, NumberKind, Sender, kind_of

_FIELDS: dict[str, type] = {
    "id": str,
    "name": str,
    "service": str,
    "numbers": list,
    "toll_free": bool,
    "unblock_word": str,
}
_WORDS = {str: "text", bool: "true or false", list: "a list"}
#: A number, a short code, or a name of letters, digits, dashes, dots and underscores.
_ID = re.compile(r"\+?[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_NUMBER = re.compile(r"\+[1-9][0-9]{5,14}|[0-9]{3,8}", re.ASCII)


def read_senders(path: Path) -> tuple[Sender, ...]:
    """Read the senders, in their order. Raises ValueError, whose text is the rest of a sentence
    that begins with the name of the file."""
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
    names = [name for one in senders for name in (one.service, *(n.number for n in one.numbers))]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice:
        raise ValueError(f"names {twice} in two senders, or twice in one")
    return senders


def _sender(number: int, row: object) -> Sender:
    if not isinstance(row, dict):
        raise ValueError(f"must hold a table for sender {number}")
    for key, value in row.items():
        wanted = _FIELDS.get(key)
        if wanted is None:
            raise ValueError(f"has a {key!r} in sender {number}, which is not a field of a sender")
        if not isinstance(value, wanted):
            raise ValueError(f"needs {_WORDS[wanted]} for {key} in sender {number}")
    id_ = row.get("id", "").strip()
    if not _ID.fullmatch(id_):
        raise ValueError(
            f"needs an id for sender {number}: a short name, +18885550199, a short code or a "
            "service's id"
        )
    toll_free = row.get("toll_free")
    numbers = tuple(_number(number, item, toll_free) for item in row.get("numbers", []))
    if not numbers and (kind := kind_of(id_)) is not None:
        numbers = (Number(number=id_, kind=NumberKind.TOLL_FREE if toll_free else kind),)
        if toll_free is False and kind is NumberKind.TOLL_FREE:
            numbers = (Number(number=id_, kind=NumberKind.LONG_CODE),)
    return Sender(
        id=id_,
        name=row.get("name", "").strip(),
        service=row.get("service", "").strip() or None,
        numbers=numbers,
        unblock_word=row.get("unblock_word", "UNSTOP").strip().upper() or "UNSTOP",
    )


def _number(sender: int, item: object, toll_free: bool | None) -> Number:
    table = item if isinstance(item, dict) else {"number": item}
    text = table.get("number")
    if not isinstance(text, str) or set(table) - {"number", "kind"}:
        raise ValueError(
            f'needs numbers as "+18885550199" or {{number = "…", kind = "…"}} in sender {sender}'
        )
    number = phone_key(re.sub(r"[ ().-]", "", text))
    if not _NUMBER.fullmatch(number):
        raise ValueError(
            f"has a number in sender {sender} that is neither an E.164 number nor a short code"
        )
    kind = table.get("kind")
    if kind is not None and not (isinstance(kind, str) and kind in {*NumberKind}):
        raise ValueError(
            f"needs toll_free, long_code or short_code as the kind of a number in sender {sender}"
        )
    planned = kind_of(number) or NumberKind.LONG_CODE
    return Number(
        number=number,
        kind=NumberKind(kind) if kind else NumberKind.TOLL_FREE if toll_free else planned,
    )
