"""What programs send of a consent, and its evidence."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from bot.consent.model import Channel
from bot.consent.use_cases.stated.statement import StatedEvidence
from handlers.api.operations import ApiMessage
from handlers.api.problems import Problem, unreadable

#: A time with its zone.
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class EvidenceAsked(ApiMessage):
    """What shows a consent. `yes` and `pending` need source, text and occurred_at. Then `text` and
    `wording` have at most 5,000 characters, and the others 1,000."""

    source: Annotated[str, msgspec.Meta(description="Where it was given, such as checkout.")] = ""
    text: Annotated[str, msgspec.Meta(description="What the contact did or said.")] = ""
    occurred_at: Annotated[
        Moment | None, msgspec.Meta(description="When, with a time zone; never in the future.")
    ] = None
    ip: str | None = None
    url: Annotated[str | None, msgspec.Meta(description="The page where it was given.")] = None
    method: Annotated[
        str | None, msgspec.Meta(description="How: checkbox, double_opt_in, phone …")
    ] = None
    wording: Annotated[
        str | None, msgspec.Meta(description="What the contact was told, or its version.")
    ] = None
    language: str | None = None
    purpose: str | None = None
    reference: Annotated[
        str | None, msgspec.Meta(description="The other system's number of this.")
    ] = None

    def stated(self) -> StatedEvidence:
        """As the use cases take it."""
        return StatedEvidence(**msgspec.structs.asdict(self))


class ConsentAsked(ApiMessage):
    """What a contact wants on one channel."""

    channel: Channel
    status: Literal["yes", "no", "pending"]
    evidence: EvidenceAsked | None = None


class ConsentGiven(ApiMessage):
    """The same, with evidence that is read once it is known what it is for."""

    channel: Channel
    status: Literal["yes", "no", "pending"]
    evidence: msgspec.Raw = msgspec.Raw(b"null")


_evidence = msgspec.json.Decoder(EvidenceAsked | None)


def evidence_of(body: ConsentGiven) -> EvidenceAsked | None:
    """What can't be read counts as none for a no, and is a problem for the others."""
    try:
        # Its bytes are not looked at before.
        read: EvidenceAsked | None = _evidence.decode(
            bytes(body.evidence).decode("utf-8", "replace")
        )
    except RecursionError:
        raise Problem("malformed", 400, "The body is nested too deeply.") from None
    except msgspec.DecodeError as error:
        if body.status == "no":
            return None
        problem = unreadable(error)
        problem.pointer = f"/evidence{problem.pointer or ''}"
        raise problem from None
    return read


#: Of the fields that errors name.
EVIDENCE_POINTERS = {
    "evidence": "/evidence",
    "evidence_date": "/evidence/occurred_at",
    **{f"evidence/{name}": f"/evidence/{name}" for name in EvidenceAsked.__struct_fields__},
}
