"""The document of the API, and a page that shows it without the internet.

The page is RapiDoc (https://rapidocweb.com, MIT), which stands beside it as one file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import msgspec

from handlers.api.openapi import openapi
from handlers.api.operations import ApiReply, ApiRequest, Operation
from handlers.api.problems import EXPLAINED, TITLES

_FOLDER = Path(__file__).parent / "page"
#: The page runs its own file and nothing else, and asks nobody but this server.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def about_operations(operations: Sequence[Operation]) -> tuple[Operation, ...]:
    """The document of these operations and of the ones here, the page, and its script."""

    @cache
    def document() -> bytes:
        return msgspec.json.format(msgspec.json.encode(api_document(operations)))

    def openapi_document(_: ApiRequest) -> ApiReply:
        """Returns this document."""
        return ApiReply(value=document())

    def documentation(_: ApiRequest) -> ApiReply:
        """Shows this document as a page. It needs no internet."""
        headers = {"content-security-policy": _POLICY}
        return ApiReply(value=_page(), media_type="text/html", headers=headers)

    def documentation_script(_: ApiRequest) -> ApiReply:
        """Returns the script of the page."""
        headers = {"cache-control": "public, max-age=86400"}
        return ApiReply(value=_script(), media_type="text/javascript", headers=headers)

    return (
        _about("/openapi.json", openapi_document, "This document", "application/json"),
        _about("/docs", documentation, "This document as a page", "text/html"),
        _about("/docs/rapidoc.js", documentation_script, "The page's script", "text/javascript"),
    )


def api_document(operations: Sequence[Operation]) -> dict[str, Any]:
    """The OpenAPI document of these operations and of those of this module."""
    return openapi((*operations, *about_operations(operations)), _version())


def _about(
    path: str, run: Callable[[ApiRequest], ApiReply], summary: str, media_type: str
) -> Operation:
    return Operation(
        method="GET",
        path=path,
        scope=None,
        public=True,
        summary=summary,
        run=run,
        tag="about",
        answers={200: None},
        media_type=media_type,
    )


def _version() -> str:
    """Optin runs from its checkout, and is no installed package."""
    with (Path(__file__).parents[2] / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


@cache
def _script() -> bytes:
    return (_FOLDER / "rapidoc.js").read_bytes()


def _with_code(text: str) -> str:
    return re.sub("`(.*?)`", r"<code>\1</code>", escape(text))


@cache
def _page() -> bytes:
    problems = "".join(
        f'<dt id="{kind}"><b>{escape(title)}</b> <code>{kind}</code></dt>'
        f"<dd>{_with_code(EXPLAINED[kind])}</dd>"
        for kind, title in TITLES.items()
    )
    page = (_FOLDER / "docs.html").read_text("utf-8").replace("{problems}", problems)
    return page.encode()
