"""The OpenAPI 3.1 document of the operations, made from the types that read and write them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from itertools import chain
from typing import Any

import msgspec

from bot.consent.use_cases.idempotency import LONGEST_KEY
from handlers.api.answer_headers import HEADERS, headers_of
from handlers.api.case_messages import CaseTold
from handlers.api.check_operation import GateTold
from handlers.api.operations import LONGEST_IN_PATH, Operation
from handlers.api.problems import MEDIA_TYPE

_REF = "#/components/schemas/{name}"
_STANDARD = (400, 500, 503)
_WITH_KEY = (401, 403, 404, 429)


class ProblemTold(msgspec.Struct):
    """Why a request was not done (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    pointer: str | msgspec.UnsetType = msgspec.UNSET
    gates: list[GateTold] | msgspec.UnsetType = msgspec.UNSET
    case: CaseTold | msgspec.UnsetType = msgspec.UNSET


def openapi(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """The document, for these operations."""
    types: list[Any] = [ProblemTold]
    for operation in operations:
        answers = chain.from_iterable(map(_types, operation.answers.values()))
        types += [operation.query, *filter(None, (_body(operation), *answers))]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    by_type = dict(zip(map(id, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        told = _operation(operation, by_type, components)
        paths.setdefault(operation.path, {})[operation.method.lower()] = told
    used = {operation.query.__name__ for operation in operations}
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Optin",
            "version": version,
            "description": "Who may be texted and e-mailed, why not, and what changed.",
            "license": {"name": "MIT", "identifier": "MIT"},
            "contact": {"name": "Whoever runs this Optin"},
        },
        "servers": [{"url": "/api/v1"}],
        "tags": [{"name": tag, "description": text} for tag, text in _TAGS.items()],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": {name: one for name, one in components.items() if name not in used},
            "headers": HEADERS,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key that `optin key add` made.",
                }
            },
        },
    }
    _add_widths(document)
    return document


_TAGS = {
    "ask": "Before a message goes out.",
    "follow": "What changed, and who gets nothing.",
    "read": "Contacts and the Activity Log.",
    "state": "What other systems know.",
    "webhooks": "Changes, sent to an address.",
    "about": "This document.",
}


def _operation(
    operation: Operation, by_type: Mapping[int, Any], components: Mapping[str, Any]
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": inspect.cleandoc(operation.run.__doc__ or ""),
        "tags": [operation.tag],
        "parameters": [*_parameters(operation, components)],
        "responses": _responses(operation, by_type),
    }
    if operation.public:
        told["security"] = []
    elif operation.scope:
        told["description"] += f"\n\nNeeds the scope `{operation.scope}`."
    if operation.body is not None:
        told["requestBody"] = _request_body(operation, by_type)
    return told


def _responses(operation: Operation, by_type: Mapping[int, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for status, type in operation.answers.items():
        told_as = [by_type[id(one)] for one in _types(type)]
        schema = told_as[0] if len(told_as) == 1 else {"oneOf": told_as}
        content = {operation.media_type: {"schema": schema}} if told_as else {}
        if operation.other_media_type:
            content[operation.other_media_type] = {"schema": {"type": "string"}}
        told[str(status)] = _response(operation, status, content)
        if operation.links:
            told[str(status)]["links"] = _links(operation)
    problem = {MEDIA_TYPE: {"schema": {"$ref": _REF.format(name="ProblemTold")}}}
    for status in _problems(operation):
        told[str(status)] = _response(operation, status, problem)
    return told


def _problems(operation: Operation) -> list[int]:
    statuses = {*operation.problems, *_STANDARD, *(() if operation.public else _WITH_KEY)}
    if operation.idempotent:
        statuses |= {409, 422}
    if operation.versioned:
        statuses |= {412, 428}
    if operation.body is not None:
        statuses |= {408, 413, 415}
    return sorted(statuses)


def _response(operation: Operation, status: int, content: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "description": HTTPStatus(status).phrase,
        "headers": headers_of(operation, status),
        "content": content,
    }


def _links(operation: Operation) -> dict[str, Any]:
    return {
        name: {"operationId": name, "parameters": {parameter: f"$response.body#{pointer}"}}
        for name, (parameter, pointer) in operation.links.items()
    }


def _add_widths(part: Any) -> None:
    """Names the width of each whole number: programs in Java and Go would take 32 bits."""
    if isinstance(part, dict):
        if part.get("type") == "integer":
            part.setdefault("format", "int64")
        for one in part.values():
            _add_widths(one)
    elif isinstance(part, list):
        for one in part:
            _add_widths(one)


def _body(operation: Operation) -> Any:
    return operation.documented_body or operation.body


def _request_body(operation: Operation, by_type: Mapping[int, Any]) -> dict[str, Any]:
    content = {"schema": by_type[id(_body(operation))]}
    if operation.example is not None:
        # The page ignores `example` for an object, and makes up values in its place.
        content["examples"] = {"example": {"value": operation.example}}
    return {"required": True, "content": {"application/json": content}}


def _types(answer: Any) -> tuple[Any, ...]:
    if answer is None:
        return ()
    return answer if isinstance(answer, tuple) else (answer,)


def _parameters(operation: Operation, components: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", operation.path):
        schema = {"type": "string", "maxLength": LONGEST_IN_PATH}
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    query = components.get(operation.query.__name__, {})
    for name, schema in query.get("properties", {}).items():
        plain = {key: value for key, value in schema.items() if key != "description"}
        told = {"name": name, "in": "query", "schema": plain}
        if said := schema.get("description"):
            told["description"] = said
        if name in query.get("required", ()):
            told["required"] = True
        yield told
    if operation.versioned:
        yield {
            "name": "If-Match",
            "in": "header",
            "required": True,
            "description": "The ETag of the contact, as it was read.",
            "schema": HEADERS["ETag"]["schema"],
        }
    if operation.idempotent:
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Your own key for this request. If you send the request again with it "
            "within 24 hours, Optin returns the first answer.",
            "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
        }
