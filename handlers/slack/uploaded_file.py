"""A file that a person uploaded in a modal of ours, fetched from Slack by its id.

https://docs.slack.dev/reference/objects/file-object
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPException, HTTPResponse
from typing import IO, Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from slack_sdk import WebClient

from bot.consent.errors import Invalid, OptinError

_HOST = "files.slack.com"
#: Seconds without a byte, and for a whole file.
_PATIENCE = 10
_LONGEST = 300.0
_PIECE = 64 * 1024
#: An upload and the modal's Submit lie no further apart.
_JUST_NOW = timedelta(hours=1)

_NOT_YOURS = "This is no file that you have just uploaded here. Upload it again."
_MEGABYTE = 1024 * 1024


class Unfetched(OptinError):
    """Slack did not give the file. Try it again in a minute."""


def uploaded_id(fields: dict[str, dict[str, Any]], block: str) -> str | None:
    """The id of the file in this field of a modal."""
    return _uploaded(fields, block, "id") or None


def uploaded_name(fields: dict[str, dict[str, Any]], block: str) -> str:
    """What the file is called."""
    return _uploaded(fields, block, "name")[:200] or "a file"


def _uploaded(fields: dict[str, dict[str, Any]], block: str, what: str) -> str:
    files = fields.get(block, {}).get(block, {}).get("files")
    if not isinstance(files, list) or not files or not isinstance(files[0], dict):
        return ""
    return str(files[0].get(what) or "")


def fetch(
    client: WebClient,
    id: str,
    user: str,
    into: IO[bytes],
    *,
    most: int,
    now: datetime,
    longest: float = _LONGEST,
) -> str:
    """Writes the file into `into`; its name. `most` is in bytes, `longest` in seconds. `now` is
    when the modal was submitted.

    Raises `Invalid` where it is not this person's own, or not just uploaded, or too large;
    `Unfetched` where Slack does not give it, or not in time; and `CALL_FAILED`.
    """
    about = client.files_info(file=id)["file"]
    if about.get("user") != user or about.get("is_external"):
        raise Invalid(_NOT_YOURS)
    created = datetime.fromtimestamp(float(about.get("created") or 0), UTC)
    if now - created > _JUST_NOW:
        raise Invalid(_NOT_YOURS)
    if int(about.get("size") or 0) > most:
        raise _too_large(most)
    url = str(about.get("url_private_download") or "")
    if not is_slacks(url, client.base_url):
        raise Unfetched
    try:
        with _opened(client, url) as answer:
            # Slack shows a page to sign in instead of a file that the token may not read.
            if answer.status != 200 or _is_page(answer, about):
                raise Unfetched
            got = _copied(answer, into, most, time.monotonic() + longest)
    except (OSError, HTTPException) as error:
        raise Unfetched from error
    if got != about.get("size"):
        raise Unfetched
    return str(about.get("name") or "file")


def _copied(answer: HTTPResponse, into: IO[bytes], most: int, until: float) -> int:
    """How many bytes."""
    got = 0
    while piece := answer.read1(_PIECE):
        got += len(piece)
        if got > most:
            raise _too_large(most)
        if time.monotonic() > until:
            raise Unfetched
        into.write(piece)
    return got


def _too_large(most: int) -> Invalid:
    return Invalid(f"The file is larger than {most // _MEGABYTE} MB.")


def is_slacks(url: str, api: str) -> bool:
    """Slack's own host of files, or that of the API where it is another one than Slack's."""
    parts, ours = urlsplit(url), urlsplit(api)
    if (parts.scheme, parts.netloc) == ("https", _HOST):
        return True
    return ours.hostname != "slack.com" and parts[:2] == ours[:2]


def _is_page(answer: HTTPResponse, about: dict[str, Any]) -> bool:
    return answer.headers.get_content_type() == "text/html" and about.get("filetype") != "html"


class _NoRedirects(HTTPRedirectHandler):
    """A redirect would carry the token to another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@contextmanager
def _opened(client: WebClient, url: str) -> Iterator[HTTPResponse]:
    opener = build_opener(_NoRedirects, HTTPSHandler(context=client.ssl))
    request = Request(url, headers={"Authorization": f"Bearer {client.token}"})  # noqa: S310 - `is_slacks` checked it
    try:
        answer = opener.open(request, timeout=_PATIENCE)
    except URLError as error:
        raise Unfetched from error
    with answer:
        yield answer
