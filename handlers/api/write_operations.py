"""What a program may write: who a contact is, and what they agreed to or refused."""

from __future__ import annotations

from typing import Annotated

import msgspec

from bot.consent.api_key import Scope
from bot.consent.errors import Changed
from bot.consent.model import Channel
from bot.consent.use_cases import Details, profile
from bot.consent.use_cases.contacts import LONGEST_NAME
from bot.consent.use_cases.stated.confirm_consent import confirm
from bot.consent.use_cases.stated.state_consent import state_consent
from bot.consent.use_cases.stated.stated_contacts import patch_contact, put_contact
from bot.consent.use_cases.stated.statement import (
    ConsentStatement,
    Stated,
    StatedStatus,
)
from handlers.api.case_messages import CaseTold
from handlers.api.consent_messages import (
    EVIDENCE_POINTERS,
    ConsentAsked,
    ConsentGiven,
    evidence_of,
)
from handlers.api.operations import ApiMessage, ApiReply, ApiRequest, Instant, Operation
from handlers.api.problems import Problem
from handlers.api.read_messages import ContactStatus
from handlers.api.read_operations import contact_reply
from handlers.json_shapes import case_shape, instant

_Detail = Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)] | None | msgspec.UnsetType


class ContactAsked(ApiMessage):
    """Who a contact is. What is left out stays as it is; null removes it."""

    name: _Detail = msgspec.UNSET
    phone: _Detail = msgspec.UNSET
    email: _Detail = msgspec.UNSET
    company: _Detail = msgspec.UNSET


class ConsentTold(ApiMessage):
    """How things stand after a statement."""

    contact: str
    channel: Channel
    on: Annotated[str, msgspec.Meta(description="YES, NO or UNSET.")]
    answer: Annotated[str, msgspec.Meta(description="Whether a message may be sent now.")]
    changed: bool
    also: Annotated[
        int, msgspec.Meta(description="Others with the same address whom a no reached.")
    ]
    case: Annotated[
        CaseTold | None,
        msgspec.Meta(description="The contact had opted out: a manager decides this request."),
    ]
    token: Annotated[
        str | None,
        msgspec.Meta(description="Of a pending consent. Send it to the contact, to confirm with."),
    ]
    expires_at: Annotated[Instant | None, msgspec.Meta(description="Until when the token works.")]
    version: int


def put_contact_by_external_id(asked: ApiRequest) -> ApiReply:
    """Makes the contact with your own id, or updates it. The same again changes nothing.

    A contact whom Optin knows by name and address, without an id, gets this one. A new contact
    needs a name, and a phone or an email. A new address starts with the opt-outs that Optin
    knows of it.
    """
    details = _details(asked.body)
    done = put_contact(asked.service, asked.path["external_id"], details, asked.actor)
    return contact_reply(asked.service, asked, done.contact.id, 201 if done.created else 200)


def update_contact(asked: ApiRequest) -> ApiReply:
    """Changes the details that it names, if the contact still has the version of If-Match."""
    if asked.if_match is None:
        raise Problem(
            "version_missing", 428, "Send If-Match with the ETag of the contact as you read it."
        )
    details, id = _details(asked.body), asked.path["id"]
    try:
        patch_contact(asked.service, id, details, asked.actor, version=asked.if_match)
    except Changed:
        said = "The contact has another version now: read it again."
        raise Problem("changed", 412, said) from None
    return contact_reply(asked.service, asked, id)


def state_a_consent(asked: ApiRequest) -> ApiReply:
    """States what a contact agreed to or refused.

    `no` counts at once, for everybody with the address, whatever its evidence. `yes` counts where
    the contact was never asked. Where they had opted out, it opens a request that a manager decides
    (202, with the case). Optin refuses it (409, with the gates) if the evidence is not newer than
    the opt-out, if staff switched the channel off, and for Do not contact. `pending` returns
    a token for the contact's own confirmation, which works for 7 days. Until then it is no yes.
    """
    body: ConsentGiven = asked.body
    evidence = evidence_of(body)
    statement = ConsentStatement(
        channel=body.channel,
        status=StatedStatus(body.status),
        evidence=evidence.stated() if evidence else None,
    )
    done = state_consent(asked.service, asked.path["id"], statement, asked.actor, token=asked.token)
    return _told(asked, done, body.channel)


def confirm_consent(asked: ApiRequest) -> ApiReply:
    """Confirms a pending consent, once: call it when the contact follows the link that you sent.

    It does nothing, and says so, where the contact has opted out since, or has another address.
    """
    done = confirm(asked.service, asked.path["token"], asked.actor)
    assert done.channel is not None
    return _told(asked, done, done.channel)


def _told(asked: ApiRequest, done: Stated, channel: Channel) -> ApiReply:
    contact = done.contact
    found = profile(asked.service, contact.id, asked.actor, latest=0)
    waits = done.case is not None and done.case.open
    return ApiReply(
        value={
            "contact": contact.id,
            "channel": channel.value,
            "on": found.contact.consent(channel).on.value,
            "answer": found.decisions[channel].answer.value,
            "changed": done.changed,
            "also": done.also,
            "case": case_shape(done.case) if done.case else None,
            "token": done.token,
            "expires_at": instant(done.expires_at) if done.expires_at else None,
            "version": found.contact.version,
        },
        status=202 if waits else 200,
        contacts=(contact.id,),
    )


def _details(body: ContactAsked) -> Details:
    given = {
        name: value or ""
        for name, value in msgspec.structs.asdict(body).items()
        if value is not msgspec.UNSET
    }
    return Details(**given)


#: Of the fields that errors name.
_CONTACT_POINTERS = {name: f"/{name}" for name in ContactAsked.__struct_fields__}

WRITES = (
    Operation(
        method="PUT",
        path="/contacts/by-external-id/{external_id}",
        scope=Scope.WRITE,
        summary="Make or update a contact by your own id",
        run=put_contact_by_external_id,
        tag="state",
        body=ContactAsked,
        example={"name": "Ana Gómez", "phone": "+14155550100", "email": "ana@example.com"},
        answers={200: ContactStatus, 201: ContactStatus},
        headers=("ETag",),
        links={
            "get_contact": ("id", "/contact/id"),
            "update_contact": ("id", "/contact/id"),
            "state_a_consent": ("id", "/contact/id"),
        },
        pointers=_CONTACT_POINTERS,
        problems=(409,),
    ),
    Operation(
        method="PATCH",
        path="/contacts/{id}",
        scope=Scope.WRITE,
        summary="Change a contact",
        run=update_contact,
        tag="state",
        body=ContactAsked,
        example={"phone": "+14155550101"},
        answers={200: ContactStatus},
        headers=("ETag",),
        pointers=_CONTACT_POINTERS,
        problems=(409,),
        versioned=True,
    ),
    Operation(
        method="POST",
        path="/contacts/{id}/consents",
        scope=Scope.WRITE,
        summary="State a consent",
        run=state_a_consent,
        tag="state",
        body=ConsentGiven,
        documented_body=ConsentAsked,
        example={
            "channel": "sms",
            "status": "yes",
            "evidence": {
                "source": "checkout",
                "text": "Ticked: text me about my order",
                "occurred_at": "2026-11-03T14:02:00Z",
            },
        },
        answers={200: ConsentTold, 202: ConsentTold},
        pointers={"status": "/status", **EVIDENCE_POINTERS},
        links={"confirm_consent": ("token", "/token")},
        problems=(409,),
        idempotent=True,
    ),
    Operation(
        method="POST",
        path="/consents/{token}/confirm",
        scope=Scope.WRITE,
        summary="Confirm a pending consent",
        run=confirm_consent,
        tag="state",
        answers={200: ConsentTold, 202: ConsentTold},
        problems=(409,),
        idempotent=True,
    ),
)
