"""docs/openapi.json, the document of the API: written by `make openapi`, and what it promises.

Programs that were written for a document go on working with every later one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from handlers.api.api_operations import OPERATIONS
from handlers.api.docs_page import api_document

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT / "docs" / "openapi.json"

Document = Mapping[str, Any]


def document_text() -> str:
    """The document that the program makes."""
    made = msgspec.json.encode(api_document(OPERATIONS))
    return msgspec.json.format(made, indent=2).decode() + "\n"


def breaks(before: Document, now: Document) -> list[str]:
    """What a program that was written for the document `before` would miss."""
    kept, known = promises(now), promises(before)
    gone = sorted(f"{one} is gone" for one in known - kept)
    # A field of something new harms nobody.
    new = {(parent, name) for parent, name in demands(now) - demands(before) if parent in known}
    return gone + sorted(f"{parent} needs {name} now" for parent, name in new)


def promises(document: Document) -> set[str]:
    """Each operation, each parameter, field and value that it takes, each field that it answers."""
    return {one for name, told in _operations(document) for one in _promises(document, name, told)}


def demands(document: Document) -> set[tuple[str, str]]:
    """Each parameter and field that has to be sent, behind what it belongs to."""
    return {one for name, told in _operations(document) for one in _demands(document, name, told)}


def _operations(document: Document) -> Iterator[tuple[str, Document]]:
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            yield f"{method.upper()} {path}", told


def _promises(document: Document, name: str, told: Document) -> Iterator[str]:
    yield name
    yield f"{name} as {told['operationId']}"
    for parameter in told.get("parameters", ()):
        given = f"{name} takes {parameter['in']} {parameter['name']}"
        yield given
        yield from (f"{given}{one}" for one, _ in _fields(document, parameter["schema"], ""))
    for kind, schema in _schemas(told.get("requestBody", {})):
        yield from (f"{name} takes {kind}{one}" for one, _ in _fields(document, schema, ""))
    for status, answer in told["responses"].items():
        for kind, schema in _schemas(answer):
            fields = (one for one, _ in _fields(document, schema, "") if "=" not in one)
            yield from (f"{name} answers {status} {kind}{one}" for one in fields)
        for header in answer.get("headers", ()):
            yield f"{name} answers {status} with {header}"


def _demands(document: Document, name: str, told: Document) -> Iterator[tuple[str, str]]:
    for parameter in told.get("parameters", ()):
        if parameter.get("required"):
            yield name, f"{parameter['in']} {parameter['name']}"
    for kind, schema in _schemas(told.get("requestBody", {})):
        for one, required in _fields(document, schema, ""):
            yield from ((f"{name} takes {kind}{one}", field) for field in required)


def _schemas(told: Document) -> Iterator[tuple[str, Any]]:
    for kind, content in told.get("content", {}).items():
        yield kind, content.get("schema", {})


def _fields(
    document: Document, schema: Any, at: str, inside: tuple[str, ...] = ()
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each place in a schema, as `/recipients/-/to`, with the fields that it requires; and each
    value of an enumeration, as `/channel=sms`."""
    if ref := schema.get("$ref"):
        if ref not in inside:
            name = ref.rpartition("/")[2]
            yield from _fields(
                document, document["components"]["schemas"][name], at, (*inside, ref)
            )
        return
    yield at, tuple(schema.get("required", ()))
    yield from ((f"{at}={value}", ()) for value in schema.get("enum", ()))
    for name, one in schema.get("properties", {}).items():
        yield from _fields(document, one, f"{at}/{name}", inside)
    if items := schema.get("items"):
        yield from _fields(document, items, f"{at}/-", inside)
    for one in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _fields(document, one, at, inside)


def main() -> None:
    """Writes the file. Refuses where programs would miss something."""
    text = document_text()
    if PUBLISHED.exists() and (
        found := breaks(json.loads(PUBLISHED.read_text("utf-8")), json.loads(text))
    ):
        sys.exit("Programs rely on docs/openapi.json:\n" + "\n".join(found))
    PUBLISHED.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
