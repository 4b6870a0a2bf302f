"""What goes wrong, as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bot.consent.errors import (
    Changed,
    Invalid,
    NeedsEvidence,
    NotAllowed,
    NotFound,
    OptinError,
    Refused,
    StorageFailed,
)
from bot.consent.use_cases.idempotency import KeyReused, StillRunning
from bot.consent.use_cases.stated.statement import Withheld
from handlers.json_shapes import case_shape, gate_shape

#: Where the kinds of problems are explained, each under its own heading.
DOCS = "/api/v1/docs"
MEDIA_TYPE = "application/problem+json"

#: Each kind with its title.
TITLES = {
    "malformed": "The request can't be read",
    "invalid": "A value is not valid",
    "unauthorized": "The key is missing or not valid",
    "key_in_url": "The URL holds a key",
    "forbidden": "The key may not do this",
    "not_found": "There is nothing here",
    "off": "The API is off",
    "method_not_allowed": "This address does not allow the method",
    "unsupported_media_type": "The body is not JSON",
    "too_large": "The body is too large",
    "too_slow": "The body came too slowly",
    "too_many_requests": "Too many requests",
    "refused": "A rule does not allow this",
    "changed": "The contact changed meanwhile",
    "version_missing": "The request names no version",
    "idempotency_reused": "The idempotency key belongs to another request",
    "idempotency_running": "The first request with this key is still running",
    "storage": "The storage could not answer",
    "internal": "Optin failed",
}
#: What to do about each.
EXPLAINED = {
    "malformed": "Send what the documentation shows, as JSON in UTF-8.",
    "invalid": "Correct the value that the pointer names. The sentence says what is wrong with it.",
    "unauthorized": "Send a key that is in use. A revoked or expired key never works again: "
    "`optin key add` makes a new one.",
    "key_in_url": "Send the key in the Authorization header. Replace the key, since the URL may "
    "be in a log by now.",
    "forbidden": "Use a key with the scope that the sentence names.",
    "not_found": "Check the id. A contact may have been erased.",
    "off": "Make the first key where Optin runs: `optin key add`.",
    "method_not_allowed": "Use a method of the Allow header.",
    "unsupported_media_type": "Send Content-Type: application/json.",
    "too_large": "Send less at once: at most 1 MiB.",
    "too_slow": "Send the whole body at once.",
    "too_many_requests": "Wait for as many seconds as Retry-After says. Ask for many recipients in "
    "one request.",
    "refused": "Nothing was changed. The sentence names the rule, and `gates` says who can act.",
    "changed": "Read the contact again, and then decide.",
    "version_missing": "Send If-Match with the ETag of the contact as you read it.",
    "idempotency_reused": "Use a new Idempotency-Key for another request.",
    "idempotency_running": "Wait for the answer to the first request, or ask again later.",
    "storage": "Nothing was changed. Ask again after as many seconds as Retry-After says.",
    "internal": "Nothing was changed, unless the sentence says so. Give the request_id to whoever "
    "runs Optin.",
}
#: What an error of the use cases is to a program: kind and status.
_ERRORS: tuple[tuple[type[OptinError], str, int], ...] = (
    (KeyReused, "idempotency_reused", 422),
    (StillRunning, "idempotency_running", 409),
    (Invalid, "invalid", 400),
    (NeedsEvidence, "invalid", 400),
    (NotAllowed, "forbidden", 403),
    (Changed, "changed", 409),
    (Refused, "refused", 409),
    (NotFound, "not_found", 404),
    (StorageFailed, "storage", 503),
)
_AT = re.compile(r" - at `(key in )?\$(.*)`\Z", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]`]+)|\[([0-9]+|\.\.\.)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`\Z", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`\Z", re.DOTALL)
#: Of what the sender wrote, as far as an answer repeats it.
_LONGEST_NAME = 100


@dataclass
class Problem(Exception):
    """A request that is not done, and why. `detail` is a sentence; `pointer` says where in the body
    (RFC 6901)."""

    kind: str
    status: int
    detail: str
    pointer: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    #: Further members: `gates`, `case`.
    more: dict[str, Any] = field(default_factory=dict)

    def body(self, request_id: str) -> bytes:
        """The problem as JSON."""
        told: dict[str, Any] = {
            "type": f"{DOCS}#{self.kind}",
            "title": TITLES[self.kind],
            "status": self.status,
            "detail": self.detail,
            "request_id": request_id,
        }
        if self.pointer is not None:
            told["pointer"] = self.pointer
        return msgspec.json.encode(told | self.more)


def problem_of(error: OptinError, pointers: Mapping[str, str] | None = None) -> Problem:
    """What an error of the use cases is to a program. `pointers` say where in the body the fields
    stand that errors name (`OptinError.field`)."""
    kind, status = next((k, s) for of, k, s in _ERRORS if isinstance(error, of))
    headers = {"retry-after": "5"} if kind == "storage" else {}
    pointer = (pointers or {}).get(error.field or "")
    more: dict[str, Any] = {}
    if isinstance(error, Withheld):
        more["gates"] = [gate_shape(error.gate)]
        if error.case is not None:
            more["case"] = case_shape(error.case)
    return Problem(kind, status, error.public_sentence, pointer=pointer, headers=headers, more=more)


def unreadable(error: msgspec.DecodeError) -> Problem:
    """The body is no JSON, or not of the shape that the route takes."""
    said = str(error)
    if not isinstance(error, msgspec.ValidationError):
        return Problem("malformed", 400, f"The body is not JSON: {said}.")
    found = _AT.search(said)
    pointer = _pointer(found[2]) if found else ""
    said = said[: found.start()] if found else said
    for pattern, sentence in (
        (_UNKNOWN, "There is no field {name} here."),
        (_MISSING, "The field {name} is missing."),
    ):
        if named := pattern.fullmatch(said):
            name = named[1][:_LONGEST_NAME]
            return Problem(
                "invalid", 400, sentence.format(name=name), pointer=f"{pointer}/{_escaped(name)}"
            )
    return Problem("invalid", 400, f"{said.replace('`', '')}.", pointer=pointer)


def _pointer(path: str) -> str:
    """RFC 6901 of msgspec's `.recipients[0].to`."""
    return "".join(f"/{_escaped(name or index)}" for name, index in _STEP.findall(path))


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
