"""Asks Optin's API whether messages may be sent: POST /api/v1/check, with a bearer key."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import msgspec

from sandbox.newsletter.mailing_list import HeldReason, Medium
from sandbox.simulated_providers.webhook_sender import Post

PATH: Final = "/api/v1/check"
#: Seconds until a connection stands, and until the whole answer is there.
_TIMEOUT: Final = aiohttp.ClientTimeout(total=10.0, sock_connect=3.0)
#: Longest answer that is read, in bytes.
_LARGEST: Final = 4 * 1024 * 1024


class NoAnswer(Exception):
    """Optin gave no answer to rely on. The text says why, in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendVerdict:
    """Optin's answer for one recipient. Only "yes" lets a message go out."""

    answer: str
    reasons: tuple[HeldReason, ...] = ()

    @property
    def may_send(self) -> bool:
        return self.answer == "yes"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedList:
    """The verdicts in the order asked. `as_of`: the `seq` of the last event that they know of."""

    verdicts: tuple[SendVerdict, ...]
    as_of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentApi:
    """Where Optin listens, and the newsletter's key."""

    url: str = ""
    key: str = field(default="", repr=False)

    async def ask(self, post: Post, addresses: Sequence[str], medium: Medium) -> CheckedList:
        """One verdict for each address. Raises NoAnswer."""
        recipients = [{"to": address, "channel": medium.value} for address in addresses]
        status, body = await self._request(post, {"recipients": recipients})
        if status != 200:
            raise NoAnswer(_refusal(status, body))
        return _checked(body, addresses)

    async def _request(self, post: Post, question: dict[str, Any]) -> tuple[int, bytes]:
        line = post.begin(f"POST {PATH}", {"url": self.url + PATH, "body": question})
        began = time.perf_counter()
        line.outcome = "no answer"
        try:
            async with (
                aiohttp.ClientSession(
                    timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()
                ) as session,
                session.post(
                    self.url + PATH,
                    json=question,
                    headers={"Authorization": f"Bearer {self.key}"},
                    allow_redirects=False,
                ) as response,
            ):
                body = await response.content.read(_LARGEST + 1)
                while len(body) <= _LARGEST and not response.content.at_eof():
                    body += await response.content.read(_LARGEST + 1)
                line.outcome = str(response.status)
                return response.status, body
        except TimeoutError:
            raise NoAnswer("Optin did not answer in time.") from None
        except aiohttp.ClientError:
            raise NoAnswer("Optin can't be reached.") from None
        finally:
            line.ms = round((time.perf_counter() - began) * 1000, 1)


_REFUSALS: Final = {
    401: "Optin refused the API key (401).",
    403: "The API key may not ask this (403).",
    429: "Optin asks to wait before the next question (429).",
}


def _refusal(status: int, body: bytes) -> str:
    known = _REFUSALS.get(status)
    if known:
        return known
    if status >= 500:
        return f"Optin has a problem of its own ({status})."
    try:
        detail = msgspec.json.decode(body)["detail"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return f"Optin did not answer the question ({status})."
    return f"Optin did not answer the question ({status}): {detail}"


def _checked(body: bytes, asked: Sequence[str]) -> CheckedList:
    """Raises NoAnswer unless there is exactly one verdict for each recipient, in their order."""
    try:
        said = msgspec.json.decode(body)
        addresses = [result["to"] for result in said["results"]]
        verdicts = tuple(_verdict(result) for result in said["results"])
        as_of = int(said["as_of"])
    except (msgspec.DecodeError, AttributeError, KeyError, TypeError, ValueError):
        raise NoAnswer("Optin's answer can't be read.") from None
    if addresses != list(asked):
        raise NoAnswer("Optin's answer is not about these recipients.")
    return CheckedList(verdicts=verdicts, as_of=as_of)


def _verdict(result: dict[str, Any]) -> SendVerdict:
    error = result.get("error")
    if error:
        reason = HeldReason(code="error", remedy=str(error["detail"]))
        return SendVerdict(answer="error", reasons=(reason,))
    reasons = tuple(
        HeldReason(code=str(gate["code"]), remedy=str(gate["remedy"]), owner=str(gate["owner"]))
        for gate in result["gates"]
    )
    return SendVerdict(answer=str(result["answer"]), reasons=reasons)
