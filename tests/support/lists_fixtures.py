"""Calls of a simulated provider's list API, as a client makes them."""

import base64
import json
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiAnswer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def basic(user: str, password: str) -> dict[str, str]:
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {token}"}


def part(text: str) -> str:
    """An address as a part of a path."""
    return quote(text, safe="")


def call(
    url: str,
    method: str = "GET",
    *,
    headers: dict[str, str] | None = None,
    query: dict[str, Any] | None = None,
    json_body: Any = None,
    form: list[tuple[str, str]] | None = None,
    timeout: float = 10.0,
) -> ApiAnswer:
    """One request. Raises OSError or HTTPException where no answer comes."""
    parts = urlsplit(url)
    sent = dict(headers or {})
    body: str | None = None
    if json_body is not None:
        sent["Content-Type"], body = "application/json", json.dumps(json_body)
    elif form is not None:
        sent["Content-Type"], body = "application/x-www-form-urlencoded", urlencode(form)
    whole = "&".join(filter(None, [parts.query, urlencode(query or {}, quote_via=quote)]))
    with closing(HTTPConnection(parts.netloc, timeout=timeout)) as connection:
        connection.request(method, parts.path + (f"?{whole}" if whole else ""), body, sent)
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        names = {name.lower(): value for name, value in response.getheaders()}
    return ApiAnswer(status=response.status, headers=names, text=text)
