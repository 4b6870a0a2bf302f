"""Reading what a provider sent, without trusting its shape."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Container, Iterable, Mapping
from datetime import UTC, datetime
from email.message import Message
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from bot.consent.addresses import without_scheme
from bot.consent.parsing import international, visible
from handlers.webhooks.provider import InvalidPayload, Request

_DEEPEST = 32
_MOST_FIELDS = 1000
#: Percent-encoded bytes of a form: room for 70 kB of text, and decoded in a tenth of a second.
_MOST_ESCAPES = 100_000
#: Values in JSON that is read before its signature: ten times what the largest event has.
_MOST_VALUES = 20_000
_LONGEST_ID = 255
_LONGEST_ADDRESS = 320
#: Bytes of the headers of one part of a form.
_LONGEST_HEAD = 4096

_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
#: Between the digits of a number; what begins with 00 or a plus is a whole one.
_SEPARATORS = re.compile(r"[ .()-]+")
_SPACED = re.compile(r"(?:00|\+)?[1-9][0-9]{6,14}", re.ASCII)
#: With the country's code, and without a plus.
_BARE_E164 = re.compile("[1-9][0-9]{9,14}", re.ASCII)
_MAILBOX = re.compile(r"[^\s@<>]+@[^\s@<>]+")
_NAMED = re.compile(r"[^<>]*<([^<>]*)>\s*")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_BLANK_LINE = re.compile(rb"(?:\A|\r?\n)\r?\n")
_DISPOSITION = re.compile(rb"^content-disposition:[^\r\n]*", re.IGNORECASE | re.MULTILINE)
_FIELD_NAME = re.compile(rb'[; \t]name="?([^";\r\n]*)', re.IGNORECASE)
_FILE_NAME = re.compile(rb"[; \t]filename\*?=", re.IGNORECASE)
_SEPARATE_FRACTION = re.compile(r"([.,][0-9]{6})[0-9]+")


def repaired(text: str) -> str:
    """The text with U+FFFD in place of what no storage takes: NUL and lone surrogates."""
    if text.isascii() and "\0" not in text:  # nearly all, and quicker than the expression
        return text
    return _UNSTORABLE.sub("\ufffd", text)


def read_json(body: bytes) -> Any:
    """The JSON in these bytes, which may be no UTF-8 in places. Raises `InvalidPayload`.

    NaN, infinities and endless numbers become None: one odd field does not spoil the rest. What is
    inside still has to be `checked`.
    """
    try:
        text = body.decode("utf-8-sig", "replace")
        return json.loads(text, parse_constant=lambda _: None, parse_int=_whole)
    except (ValueError, RecursionError):
        raise InvalidPayload("it is no JSON") from None


def read_unsigned_json(body: bytes) -> Any:
    """JSON that has its signature inside, so that anybody can have us read it. Raises
    `InvalidPayload`, for JSON with too many values before it is parsed."""
    if sum(map(body.count, (b",", b"[", b"{"))) > _MOST_VALUES:
        raise InvalidPayload("it has too many values")
    return read_json(body)


def json_body(request: Request, *, signed: bool = True) -> Any:
    """The body, whatever its content type says: the signature is over its bytes. `signed` says that
    the signature over it has held.


    Raises `InvalidPayload`.
    """
    return read_json(request.body) if signed else read_unsigned_json(request.body)


def checked(value: Any, deepest: int = _DEEPEST) -> Any:
    """A copy in which every text is `repaired`. What is nested too deeply becomes None."""
    if isinstance(value, str):
        return repaired(value)
    if not isinstance(value, dict | list):
        return value
    if not deepest:
        return None
    if isinstance(value, list):
        return [checked(one, deepest - 1) for one in value]
    return {repaired(name): checked(one, deepest - 1) for name, one in value.items()}


# To verify and to parse reads the same form twice.
@lru_cache(maxsize=8)
def raw_form(body: str | bytes) -> tuple[tuple[bytes, bytes], ...]:
    """The pairs of a form or a query as bytes, in order, blank values and repeats included: what
    a signature is over. Raises `InvalidPayload`."""
    # One character for each byte, so that none is lost on the way; a query comes like that.
    text = body if isinstance(body, str) else body.decode("latin-1")
    if text.count("%") > _MOST_ESCAPES:
        raise InvalidPayload("it is too long for a form")
    try:
        pairs = parse_qsl(text, True, encoding="latin-1", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise InvalidPayload("it is no form") from None
    return tuple((_bytes(name), _bytes(value)) for name, value in pairs)


def read_form(body: str | bytes) -> tuple[tuple[str, str], ...]:
    """The pairs of a form or a query as text, in order, blank values and repeats included.

    Raises `InvalidPayload`.
    """
    return tuple((_text(name), _text(value)) for name, value in raw_form(body))


def as_signed(raw: bytes) -> list[bytes]:
    """The bytes that a signature may be over: those that came. Where they are no UTF-8, a provider
    may have signed what its own encoder makes of them instead: `?` or U+FFFD."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        found = [raw, raw.decode("utf-8", "replace").encode()]
    else:
        return [raw]
    try:
        halves = raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return found
    return [*found, halves.encode("utf-8", "replace"), repaired(halves).encode()]


def read_multipart(request: Request) -> tuple[tuple[str, str], ...]:
    """The pairs of a multipart form, without its files. Raises `InvalidPayload`.

    https://www.rfc-editor.org/rfc/rfc7578
    """
    head = Message()
    head["content-type"] = request.header("content-type").replace("\r", " ").replace("\n", " ")
    boundary = head.get_boundary()
    if not boundary:
        raise InvalidPayload("it is no form")
    marker = re.escape(b"--" + boundary.encode("utf-8", "replace"))
    parts = re.split(rb"(?:\A|\r?\n)" + marker + rb"(?:--)?[ \t]*(?:\r?\n|\Z)", request.body)
    if len(parts) < 3 or len(parts) > _MOST_FIELDS:
        raise InvalidPayload("it is no form")
    found: list[tuple[str, str]] = []
    for part in parts[1:-1]:
        headers, *content = _BLANK_LINE.split(part, maxsplit=1)
        said = _DISPOSITION.search(headers[:_LONGEST_HEAD])
        if said and (name := _FIELD_NAME.search(said[0])) and not _FILE_NAME.search(said[0]):
            found.append((_text(name[1]), _text(b"".join(content))))
    return tuple(found)


def fields(
    pairs: Iterable[tuple[str, str]], needed: Container[str] | None = None
) -> Mapping[str, str]:
    """The fields of a form by name; of one that comes twice the first value.

    Raises `InvalidPayload` if a `needed` field comes twice with different values, since nobody can
    say which was meant. By default all fields are needed.
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        if found.setdefault(name, value) != value and (needed is None or name in needed):
            raise InvalidPayload("a field comes twice")
    return found


def at(value: Any, *path: str) -> Any:
    """What stands at this place; None where there is no such place."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def text_at(value: Any, *path: str) -> str:
    """The text or whole number at this place, as text; else empty."""
    found = at(value, *path)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return found if isinstance(found, str) else ""


def list_at(value: Any, *path: str) -> list[Any]:
    """The list at this place; else an empty one."""
    found = at(value, *path)
    return found if isinstance(found, list) else []


def id_at(value: Any, *path: str) -> str:
    """The id at this place. Where there is none, what is told stands for itself: a provider that
    repeats it tells the same."""
    found = text_at(value, *path)
    if found and len(found) <= _LONGEST_ID and not _UNPRINTABLE.search(found):
        return found
    told = json.dumps(value, sort_keys=True).encode()
    return f"sha256:{hashlib.sha256(told).hexdigest()}"


def phone(text: str) -> str:
    """E.164 where it is a whole number, also one without its plus, or with spaces in it; without
    the prefix of another channel (`rcs:+1…`); else as it came: short codes, names.

    Raises `InvalidPayload` where there is nothing.
    """
    text = without_scheme(visible(text).strip()).strip()
    if not text or len(text) > _LONGEST_ADDRESS or _UNPRINTABLE.search(text):
        raise InvalidPayload("a message has no number")
    digits = _SEPARATORS.sub("", text)
    if _SPACED.fullmatch(digits):
        text = f"+{digits[2:]}" if digits.startswith("00") else digits
    if _E164.fullmatch(text) or not text.isdecimal():
        return text
    if _BARE_E164.fullmatch(text):
        return f"+{text}"
    # The numbers of some countries are as short as a long short code.
    return international(text) or text


def mailbox(text: str) -> str:
    """In lower case, out of its angle brackets. Raises `InvalidPayload` where it is none."""
    if named := _NAMED.fullmatch(text):
        text = named[1]
    text = without_scheme(visible(text).strip()).lower()
    if len(text) > _LONGEST_ADDRESS or not _MAILBOX.fullmatch(text) or _UNPRINTABLE.search(text):
        raise InvalidPayload("an event has no mailbox")
    return text


def only_mailbox(destinations: Iterable[object]) -> str | None:
    """The one mailbox that a message was sent to; None where it was sent to several, or to what is
    no mailbox."""
    try:
        found = {mailbox(one if isinstance(one, str) else "") for one in destinations}
    except InvalidPayload:
        return None
    return found.pop() if len(found) == 1 else None


def moment(value: object) -> datetime | None:
    """A time in ISO 8601 or in seconds since 1970; UTC where no zone is said. None where it is
    none: an event is not lost over its time."""
    try:
        if isinstance(value, str):
            # Some have seven digits in the fraction.
            found = datetime.fromisoformat(_SEPARATE_FRACTION.sub(r"\1", value))
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _bytes(text: str) -> bytes:
    return text.encode("latin-1", "replace")


def _text(raw: bytes) -> str:
    return repaired(raw.decode("utf-8", "replace"))


def _whole(digits: str) -> int | None:
    try:
        return int(digits)
    except ValueError:  # longer than Python reads
        return None
