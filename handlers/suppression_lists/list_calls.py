"""One HTTP call to a provider's API: within its time, without redirects, and to no other host.

Nothing is taken from the environment, such as a proxy. Nothing of an answer, and no address, goes
into a log line or an exception's text. Every call can be repeated: adding what is there and
removing what is not change nothing.
"""

from __future__ import annotations

import http.client
import json
import logging
import ssl
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from handlers.retry_after import retry_after
from handlers.suppression_lists.address_paths import address_segment, name_segment
from handlers.suppression_lists.kept_connections import (
    AnswerTooLarge,
    KeptConnections,
    ProviderCall,
)
from handlers.suppression_lists.provider_lists import (
    AddressRefused,
    ListsForbidden,
    ListsUnavailable,
    ReadOutdated,
)
from handlers.timed_connection import CALL_FAILED
from handlers.timed_sockets import Deadline

logger = logging.getLogger(__name__)

#: Seconds for a whole call. To connect takes five of them at most.
ANSWER_WITHIN = 15.0
#: Bytes of an answer, at most.
LARGEST = 16 * 1024 * 1024
#: The longest wait that a provider can ask for.
LONGEST_WAIT = timedelta(hours=1)
_AGENT = "Optin-Lists/1"

Query = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAnswer:
    """A status that the caller understands, and the JSON that came with it."""

    status: int
    content: Any = field(repr=False)


class ListCalls:
    """Calls of one provider's API. Keeps connections alive between them. Safe across threads.

    An entry of a list can be named only with its address or its id: `find`, `delete`,
    `delete_entry`. Nothing here can empty a list.
    """

    def __init__(
        self,
        *,
        label: str,
        api_url: str,
        headers: Callable[[ProviderCall], Mapping[str, str]],
        forbidden: str,
        refuses_key: Callable[[int, Any], bool] = lambda status, content: False,
        answer_within: float = ANSWER_WITHIN,
        largest: int = LARGEST,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`headers` proves who calls. `forbidden` says what to do if the provider refuses that:
        with 401 or 403, or with another status and JSON by which `refuses_key` knows it."""
        parts = urlsplit(api_url)
        self.label = label
        self.host, self.base = parts.netloc, parts.path.rstrip("/")
        self._headers = headers
        self._forbidden = forbidden
        self._refuses_key = refuses_key
        self._within = answer_within
        self._largest = largest
        self._monotonic = monotonic
        self._connections = KeptConnections(api_url)

    def get(
        self,
        path: str,
        query: Query = (),
        *,
        within: float | None = None,
        outdated: Collection[int] = (),
        denied: Collection[int] = (),
    ) -> Any:
        """The JSON at a path that names no entry. After one of the statuses `outdated`, it raises
        `ReadOutdated`; after one of `denied`, `ListsForbidden`."""
        call = self._call("GET", path, query)
        answer = self._answer(call, path, {200, *outdated}, within, denied=denied)
        if answer.status in outdated:
            raise ReadOutdated(f"{self.label} answers {answer.status}: the read begins anew")
        return answer.content

    def find(
        self,
        place: str,
        address: str,
        query: Query = (),
        *,
        says_missing: Callable[[Any], bool],
    ) -> Any:
        """What this place has of the address; None where it has nothing. That takes more than a
        404: `says_missing` reads its content, since a wrong host or domain is a 404, too."""
        call = self._call("GET", f"{place}/{address_segment(address)}", query)
        answer = self._answer(call, place, {200, 404}, None, of_one=True)
        if answer.status == 200:
            return answer.content
        if not says_missing(answer.content):
            raise ListsUnavailable(f"{self.label} answers 404, and not about the address")
        return None

    def delete(self, place: str, address: str, query: Query = ()) -> None:
        """Takes the address off. What is not there (404) is done."""
        call = self._call("DELETE", f"{place}/{address_segment(address)}", query)
        self._answer(call, place, {200, 202, 204, 404}, None, of_one=True)

    def delete_entry(self, place: str, id: str) -> None:
        """The same by the entry's own id. Raises `AddressRefused` where that is none."""
        try:
            segment = name_segment(id)
        except ValueError:
            raise AddressRefused("has no id at the provider") from None
        call = self._call("DELETE", f"{place}/{segment}", ())
        self._answer(call, place, {200, 202, 204, 404}, None, of_one=True)

    def send(
        self,
        method: str,
        path: str,
        content: Any = None,
        *,
        form: Query | None = None,
        of_one: bool = False,
        denied: Collection[int] = (),
    ) -> ProviderAnswer:
        """POST or PUT of JSON, or of a form. `of_one`: it is about a single address, which a 400 or
        422 refuses."""
        assert method in ("POST", "PUT")
        body = urlencode(form) if form is not None else json.dumps(content)
        call = self._call(method, path, (), body.encode())
        return self._answer(
            call,
            path,
            {200, 201, 204},
            None,
            of_one=of_one,
            form=form is not None,
            denied=denied,
        )

    def _call(self, method: str, path: str, query: Query, body: bytes = b"") -> ProviderCall:
        encoded = urlencode(query, quote_via=quote, safe="")
        return ProviderCall(
            method=method, host=self.host, path=self.base + path, query=encoded, body=body
        )

    def _answer(
        self,
        call: ProviderCall,
        place: str,
        wanted: Collection[int],
        within: float | None,
        *,
        of_one: bool = False,
        form: bool = False,
        denied: Collection[int] = (),
    ) -> ProviderAnswer:
        began = self._monotonic()
        status, headers, body = self._exchanged(call, within or self._within, form)
        logger.debug(
            "%s answered %d to %s %s, %d bytes in %.2f s",
            *(self.label, status, call.method, place, len(body), self._monotonic() - began),
        )
        if status in wanted:
            return ProviderAnswer(status=status, content=self._content(body))
        if status in denied:
            raise ListsForbidden(f"{self.label} answers {status}.", cure=self._forbidden)
        raise self._problem(status, headers, body, of_one=of_one)

    def _content(self, body: bytes) -> Any:
        if not body.strip():
            return None
        try:
            return json.loads(body.decode("utf-8-sig"), parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            raise ListsUnavailable(f"{self.label}'s answer is no JSON") from None

    def _problem(
        self, status: int, headers: http.client.HTTPMessage, body: bytes, *, of_one: bool
    ) -> ListsUnavailable | AddressRefused:
        if status in (401, 403) or (status in (400, 422) and self._is_of_key(status, body)):
            return ListsForbidden(f"{self.label} answers {status}.", cure=self._forbidden)
        if status in (400, 422) and of_one:
            return AddressRefused(f"was refused by {self.label} ({status})")
        problem = f"{self.label} answers {status}"
        if 300 <= status < 400:
            problem = f"{problem}, a redirect, which Optin does not follow"
        return ListsUnavailable(problem, retry_after=_wait(headers))

    def _is_of_key(self, status: int, body: bytes) -> bool:
        try:
            return self._refuses_key(status, self._content(body))
        except ListsUnavailable:
            return False

    def _exchanged(
        self, call: ProviderCall, within: float, form: bool
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        headers = {
            "Accept": "application/json",
            "User-Agent": _AGENT,
            "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
            **self._headers(call),
        }
        if not call.body:
            del headers["Content-Type"]
        deadline = Deadline(within, self._monotonic)
        try:
            return self._connections.exchange(call, headers, deadline, self._largest)
        except AnswerTooLarge:
            most = self._largest // 2**20
            raise ListsUnavailable(f"{self.label}'s answer is larger than {most} MB") from None
        except CALL_FAILED as error:
            raise self._unreachable(error, within) from None

    def _unreachable(self, error: Exception, within: float) -> ListsUnavailable:
        if isinstance(error, TimeoutError):
            return ListsUnavailable(f"{self.label} does not answer within {within:g} seconds")
        if isinstance(error, ssl.SSLError):
            return ListsUnavailable(f"{self.label} has no valid TLS certificate, or no TLS")
        if isinstance(error, http.client.HTTPException | ConnectionResetError):
            return ListsUnavailable(f"{self.label} closes the connection without a whole answer")
        return ListsUnavailable(f"{self.label} can't be reached")


def _wait(headers: http.client.HTTPMessage) -> timedelta | None:
    """What the provider asked for, by `Retry-After`, else by when its rate limit starts anew."""
    now = datetime.now(UTC)
    asked = retry_after(headers.get("Retry-After"), now)
    if asked is None:
        reset = (headers.get("ratelimit-reset") or headers.get("X-RateLimit-Reset") or "").strip()
        if reset.isascii() and reset.isdigit():
            seconds = int(reset[:12])
            if seconds > 10**9:  # since 1970
                seconds = max(seconds - int(now.timestamp()), 0)
            asked = timedelta(seconds=seconds)
    return min(asked, LONGEST_WAIT) if asked is not None else None
