"""Where the head of the Activity Log is published: one part of `OPTIN_WITNESSES`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bot.config.setting_values import several


class WitnessKind(StrEnum):
    """How a witness is reached."""

    FILE = "file"
    SLACK = "slack"
    #: A time-stamp authority.
    TIMESTAMP = "rfc3161"


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessAddress:
    """One witness."""

    kind: WitnessKind
    #: As the setting has it: sentences name the witness by it.
    name: str
    #: The file's path, or the authority's address; empty for Slack.
    place: str


def witnesses(text: str) -> tuple[WitnessAddress, ...]:
    """Those between the commas. Raises ValueError with the rest of a sentence that begins with the
    setting's name."""
    found = tuple(map(witness, several(text)))
    if len({one.name for one in found}) < len(found):
        raise ValueError("names a witness twice")
    return found


def witness(text: str) -> WitnessAddress:
    """One of them. Raises ValueError as `witnesses` does."""
    if text == WitnessKind.SLACK:
        return WitnessAddress(kind=WitnessKind.SLACK, name=text, place="")
    kind, _, place = text.partition(":")
    if kind == WitnessKind.TIMESTAMP and _is_url(place):
        return WitnessAddress(kind=WitnessKind.TIMESTAMP, name=text, place=place)
    if text.startswith("file:///"):
        path = unquote(urlsplit(text).path)
        if not path.endswith("/") and "\0" not in path:
            return WitnessAddress(kind=WitnessKind.FILE, name=text, place=path)
    raise ValueError(
        "must be slack, file:///PATH or rfc3161:https://…, or several of these with commas "
        f"between them, not {text!r}"
    )


def file_witness(path: Path) -> WitnessAddress:
    """The witness that is this file."""
    whole = path.absolute()
    return WitnessAddress(kind=WitnessKind.FILE, name=whole.as_uri(), place=str(whole))


def _is_url(text: str) -> bool:
    # Authorities sign what they answer, and most of them have no https.
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.password
    except ValueError:
        return False
