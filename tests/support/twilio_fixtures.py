"""Twilio's list of messages, as far as it is asked for: served over HTTP, with what may go wrong."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.runtime.server import Server

SID = "AC00000000000000000000000000000001"
TOKEN = "a-token-for-tests"
_PATH = f"/2010-04-01/Accounts/{SID}/Messages.json"


@dataclass(kw_only=True)
class Twilio:
    """The account, and what was asked of it."""

    url: str = ""
    #: The newest first, as Twilio has it.
    messages: list[dict[str, Any]] = field(default_factory=list)
    page: int = 2
    #: Answered instead, one request each; None is a good answer.
    faults: list[Response | None] = field(default_factory=list)
    #: In place of the address of a next page.
    next_page: str | None = None
    asked: list[str] = field(default_factory=list)

    def add(self, sid: str, text: str, at: datetime, **other: str) -> None:
        """A message that a contact wrote, unless `direction` says otherwise."""
        message = {
            "sid": sid,
            "body": text,
            "from": "+14155550100",
            "to": "+18885550199",
            "direction": "inbound",
            "date_sent": format_datetime(at.astimezone(UTC)),
            "messaging_service_sid": None,
            **other,
        }
        self.messages.insert(0, message)

    def answer(self, request: Request) -> Response:
        wanted = base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {wanted}":
            return JSONResponse({"code": 20003}, 401)
        self.asked.append(f"{request.url.path}?{request.url.query}")
        if self.faults and (fault := self.faults.pop(0)) is not None:
            return fault
        since = datetime.fromisoformat(request.query_params["DateSent>"])
        # The dates are read as mail has them, by the second.
        found = [one for one in self.messages if _time(one) >= since]
        first = int(request.query_params.get("Page", "0")) * self.page
        shown, left = found[first : first + self.page], found[first + self.page :]
        number = str(first // self.page + 1)
        query = urlencode({**request.query_params, "Page": number})
        following = self.next_page or f"{_PATH}?{query}"
        return JSONResponse({"messages": shown, "next_page_uri": following if left else None})


@contextmanager
def twilio_api() -> Iterator[Twilio]:
    """Serves it until the block ends."""
    twilio = Twilio()

    async def messages(request: Request) -> Response:
        return twilio.answer(request)

    with Server(Starlette(routes=[Route(_PATH, messages)])) as server:
        twilio.url = server.url
        yield twilio


def unavailable(status: int) -> Response:
    return JSONResponse({"code": 20429}, status, headers={"Retry-After": "30"})


def elsewhere(url: str) -> Response:
    return RedirectResponse(url)


def _time(message: dict[str, Any]) -> datetime:
    return parsedate_to_datetime(message["date_sent"])
