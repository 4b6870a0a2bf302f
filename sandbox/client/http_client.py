"""JSON over HTTP, one connection for each request: any thread may ask."""

import json
from contextlib import closing
from http.client import HTTPConnection
from typing import Any, Final
from urllib.parse import urlsplit

from sandbox.sandbox_errors import Impossible

PATIENCE: Final = 60.0


class Address:
    """The server at `url`. Raises Impossible for what the workspace says no to."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._netloc = urlsplit(self.url).netloc

    def get(self, path: str) -> Any:
        return self._request("GET", path, None)

    def post(self, path: str, body: Any) -> Any:
        return self._request("POST", path, json.dumps(body).encode())

    def delete(self, path: str) -> Any:
        return self._request("DELETE", path, None)

    def upload(self, path: str, content: bytes) -> Any:
        return self._request("POST", path, content)

    def download(self, url: str, person: str) -> bytes:
        with closing(HTTPConnection(self._netloc, timeout=PATIENCE)) as connection:
            connection.request("GET", f"{urlsplit(url).path}?person={person}")
            return connection.getresponse().read()

    def _request(self, verb: str, path: str, body: bytes | None) -> Any:
        with closing(HTTPConnection(self._netloc, timeout=PATIENCE)) as connection:
            connection.request(verb, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read().decode()
        if response.status == 409:
            raise Impossible(json.loads(text)["notice"])
        if response.status != 200:
            raise ValueError(f"{verb} {path}: {response.status} {text}")
        return json.loads(text)
