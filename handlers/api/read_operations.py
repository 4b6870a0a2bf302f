"""What a program may read: contacts, the Activity Log, and everybody who gets nothing."""

from __future__ import annotations

import csv
import io
from typing import Any

from bot.consent.api_key import Scope
from bot.consent.errors import NotFound
from bot.consent.use_cases import Service, profile
from bot.consent.use_cases.contact_profile import Profile
from bot.consent.use_cases.feed import entries_since
from bot.consent.use_cases.find_exactly import find_exactly
from bot.consent.use_cases.suppressed_contacts import Suppressed, suppressed
from handlers import json_shapes
from handlers.api.operations import (
    ApiReply,
    ApiRequest,
    Operation,
)
from handlers.api.problems import Problem
from handlers.api.read_messages import (
    ActivityAsked,
    ActivityPage,
    ContactsFound,
    ContactStatus,
    FindAsked,
    KeyTold,
    SuppressionsAsked,
    SuppressionsPage,
    SuppressionTold,
)
from handlers.cells import defused


def who_am_i(asked: ApiRequest) -> ApiReply:
    """Names the key and its scopes. A connection test needs no more."""
    key = asked.key
    until = json_shapes.instant(key.expires_at) if key.expires_at else None
    return ApiReply(value={"name": key.name, "scopes": list(key.scopes), "expires_at": until})


def get_contact(asked: ApiRequest) -> ApiReply:
    """Returns a contact by the id that Optin gave it. The ETag is the contact's version."""
    return contact_reply(asked.service, asked, asked.path["id"])


def find_contacts(asked: ApiRequest) -> ApiReply:
    """Finds contacts by phone, email or external id. They are in the body, since URLs end up in
    logs."""
    body: FindAsked = asked.body
    given = {
        name: value
        for name in ("phone", "email", "external_id")
        if (value := getattr(body, name)) is not None
    }
    if len(given) != 1:
        raise Problem("invalid", 400, "Send one of phone, email and external_id.", pointer="")
    found = find_exactly(asked.service, asked.actor, **given)
    return ApiReply(value={"contacts": [json_shapes.status(one) for one in found]})


def list_activity(asked: ApiRequest) -> ApiReply:
    """Returns the Activity Log, the oldest entry first. The hash of each entry covers the hash of
    the one before, so a later change can be detected."""
    query: ActivityAsked = asked.query
    entries, more = entries_since(asked.service, query.after, limit=query.limit)
    told = [{"seq": entry.seq, **json_shapes.entry(entry)} for entry in entries]
    next = entries[-1].seq if entries else query.after
    return ApiReply(value={"entries": told, "next": next, "more": more})


def list_suppressions(asked: ApiRequest) -> ApiReply:
    """Returns everybody who must not be sent to: each address whose answer is not yes.

    A page holds the addresses of up to `limit` contacts. Opt-outs of addresses that nobody has are
    stored as hashes and can't be listed: `POST /check` knows them.
    """
    query: SuppressionsAsked = asked.query
    found, next = suppressed(
        asked.service, channel=query.channel, after=query.after, limit=query.limit
    )
    rows = [_row(one) for one in found]
    if query.format == "json":
        return ApiReply(value={"suppressions": rows, "next": next})
    text = io.StringIO()
    writer = csv.DictWriter(text, list(SuppressionTold.__struct_fields__), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: defused(str(v or "")) for name, v in row.items()} for row in rows)
    headers = {"x-next": next} if next else {}
    return ApiReply(value=text.getvalue().encode(), media_type="text/csv", headers=headers)


def contact_reply(service: Service, asked: ApiRequest, id: str, status: int = 200) -> ApiReply:
    """A contact as it is now, with its version as the ETag. Raises `NotFound`, for an erased one,
    too."""
    found: Profile = profile(service, id, asked.actor, latest=0)
    if found.contact.erased:
        raise NotFound
    return ApiReply(
        value=json_shapes.status(found),
        status=status,
        headers={"etag": f'"{found.contact.version}"'},
    )


def _row(one: Suppressed) -> dict[str, Any]:
    return {
        "contact": one.contact.id,
        "external_id": one.contact.external_id or None,
        "channel": one.channel.value,
        "address": one.contact.address(one.channel),
        "answer": one.decision.answer.value,
        "gate": one.decision.gates[0].code.value,
        "version": one.contact.version,
    }


READS = (
    Operation(
        method="GET",
        path="/me",
        scope=None,
        summary="Which key asks?",
        run=who_am_i,
        tag="about",
        answers={200: KeyTold},
    ),
    Operation(
        method="GET",
        path="/contacts/{id}",
        scope=Scope.READ,
        summary="A contact with both answers",
        run=get_contact,
        tag="read",
        answers={200: ContactStatus},
        headers=("ETag",),
    ),
    Operation(
        method="POST",
        path="/contacts/find",
        scope=Scope.READ,
        summary="Find contacts",
        run=find_contacts,
        tag="read",
        body=FindAsked,
        example={"phone": "+14155550100"},
        answers={200: ContactsFound},
    ),
    Operation(
        method="GET",
        path="/activity",
        scope=Scope.READ,
        summary="The Activity Log",
        run=list_activity,
        tag="read",
        query=ActivityAsked,
        answers={200: ActivityPage},
    ),
    Operation(
        method="GET",
        path="/suppressions",
        scope=Scope.READ,
        summary="Everybody who must not be sent to",
        run=list_suppressions,
        tag="follow",
        query=SuppressionsAsked,
        answers={200: SuppressionsPage},
        other_media_type="text/csv",
        headers=("X-Next",),
    ),
)
