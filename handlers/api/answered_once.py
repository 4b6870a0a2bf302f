"""Running an operation; with an Idempotency-Key once, and its answer kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from bot.consent.errors import OptinError
from bot.consent.use_cases import Service
from bot.consent.use_cases.idempotency import IdempotentRequests, KeptAnswer, OnceKey
from handlers.api.operations import ApiReply, ApiRequest, Operation
from handlers.api.problems import Problem, problem_of

KEY_HEADER = "idempotency-key"
#: Says that an answer was given before.
REPLAYED = "idempotent-replayed"
#: Stands in a kept answer for its secret, which is made anew.
_LEFT_OUT = " "


def run(operation: Operation, asked: ApiRequest) -> ApiReply:
    """The operation's reply. Raises `Problem`."""
    try:
        return operation.run(asked)
    except OptinError as error:
        raise problem_of(error, operation.pointers) from error


def once_key(asked: ApiRequest, given: str, method: str, path: str, body: bytes) -> OnceKey:
    """The request and its key. Raises `Invalid` for a key that is too long."""
    return OnceKey.of(asked.key.id, given, method, path, body)


class AnsweredOnce:
    """One for the whole process."""

    def __init__(self) -> None:
        self._requests = IdempotentRequests()

    def reply(self, operation: Operation, asked: ApiRequest, once: OnceKey) -> ApiReply:
        """The first answer to this request, now or again. Raises `Problem`."""
        token = once.token(asked.service)

        def answer(service: Service) -> KeptAnswer:
            reply = operation.run(replace(asked, service=service, token=token))
            value = _with_token(reply.value, token, _LEFT_OUT)
            return KeptAnswer(
                status=reply.status,
                body=msgspec.json.encode(value).decode(),
                headers=reply.headers,
                contacts=reply.contacts,
            )

        def refused(error: OptinError) -> KeptAnswer:
            problem = problem_of(error, operation.pointers)
            told = {"kind": problem.kind, "detail": problem.detail, "pointer": problem.pointer}
            body = msgspec.json.encode({**told, "more": problem.more}).decode()
            contacts = tuple(filter(None, (asked.path.get("id"), _contact(asked.body))))
            return KeptAnswer(status=problem.status, body=body, contacts=contacts)

        try:
            kept = self._requests.answer(asked.service, once, answer, refused)
        except OptinError as error:
            raise problem_of(error, operation.pointers) from error
        headers = {REPLAYED: "true"} if kept.replayed else {}
        value = msgspec.json.decode(kept.body)
        if kept.status >= 400:
            raise Problem(status=kept.status, headers=headers, **value)
        return ApiReply(
            value=_with_token(value, _LEFT_OUT, token),
            status=kept.status,
            headers={**kept.headers, **headers},
        )


def _with_token(value: Any, of: str, to: str) -> Any:
    if isinstance(value, dict) and value.get("token") == of:
        return {**value, "token": to}
    return value


def _contact(body: Any) -> str | None:
    """The contact that a body names."""
    contact = getattr(body, "contact", None)
    return contact if isinstance(contact, str) else None
