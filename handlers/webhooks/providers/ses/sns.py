"""Amazon SNS over HTTP: who sent it, before what it says.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html

Any customer of Amazon's can have validly signed messages sent to us, so a message counts only where
its topic is one of ours; and a message names the certificate to check it by, so that no address out
of it is used before it has the one shape that Amazon's have.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Set
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from handlers.webhooks.payload_parsing import (
    checked,
    moment,
    read_json,
    read_unsigned_json,
    text_at,
)
from handlers.webhooks.provider import (
    Confirmation,
    InvalidPayload,
    InvalidSignature,
    Request,
    WrongTime,
)
from handlers.webhooks.providers.ses.amazon import HOST
from handlers.webhooks.signatures import check_timestamp, unbase64

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

#: Seconds. SNS tries for an hour at most.
WINDOW = 3600 + 15 * 60

NOTIFICATION = "Notification"
SUBSCRIPTION = "SubscriptionConfirmation"
UNSUBSCRIPTION = "UnsubscribeConfirmation"

#: The fields that are signed, in byte order.
_TO_CONFIRM = (
    "Message",
    "MessageId",
    "SubscribeURL",
    "Timestamp",
    "Token",
    "TopicArn",
    "Type",
)
_SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    SUBSCRIPTION: _TO_CONFIRM,
    UNSUBSCRIPTION: _TO_CONFIRM,
}
#: By the version of the signature, as the library names them.
_HASHES = {"1": "SHA1", "2": "SHA256"}
_CERTIFICATE = re.compile(rf"https://{HOST}/[A-Za-z0-9_.-]{{1,200}}\.pem", re.ASCII)
_SUBSCRIBE = re.compile(rf"https://({HOST})/\?\S*", re.ASCII)


def read_envelope(request: Request) -> dict[str, Any]:
    """The envelope, which SNS sends as text/plain, as it came. Raises `InvalidPayload`."""
    envelope = read_unsigned_json(request.body)
    if not isinstance(envelope, dict):
        raise InvalidPayload("it is no message of SNS")
    return envelope


def verify(
    request: Request,
    now: datetime,
    topics: Set[str],
    certificate: Callable[[str, datetime], Certificate],
) -> None:
    """All that can be checked without a certificate first; then the certificate is asked for.

    Raises `InvalidSignature`, `InvalidPayload`, and what `certificate` raises.
    """
    envelope = read_envelope(request)
    kind = text_at(envelope, "Type")
    names = _SIGNED.get(kind)
    # Without an envelope of its own (raw delivery) nothing is signed.
    if names is None or request.header("x-amz-sns-message-type") != kind:
        raise InvalidSignature("it is no message of SNS")
    if text_at(envelope, "TopicArn") not in topics:
        raise InvalidSignature("its topic is none of ours")
    sent_at = moment(envelope.get("Timestamp"))
    if sent_at is None:
        raise InvalidSignature("no time was signed")
    try:
        check_timestamp(WINDOW, str(int(sent_at.timestamp())), now)
    except WrongTime as fault:
        # Nobody may look at it again by its own time: a certificate is left alone until a time.
        raise InvalidSignature(str(fault)) from None
    if kind == SUBSCRIPTION and not _SUBSCRIBE.fullmatch(text_at(envelope, "SubscribeURL")):
        raise InvalidSignature("it would have us call another host")
    signature = unbase64(text_at(envelope, "Signature"))
    algorithm = _HASHES.get(text_at(envelope, "SignatureVersion"))
    address = text_at(envelope, "SigningCertURL")
    if algorithm is None or not _CERTIFICATE.fullmatch(address):
        raise InvalidSignature("its certificate is not Amazon's")
    _check(certificate(address, now), sent_at, signature, _text(envelope, names), algorithm)


def confirmation(envelope: dict[str, Any]) -> Confirmation:
    """What the worker asks Amazon for, built anew out of what was signed."""
    match = _SUBSCRIBE.fullmatch(text_at(envelope, "SubscribeURL"))
    if match is None:
        raise InvalidPayload("it would have us call another host")
    topic = text_at(envelope, "TopicArn")
    query = {
        "Action": "ConfirmSubscription",
        "TopicArn": topic,
        "Token": text_at(envelope, "Token"),
    }
    return Confirmation(url=f"https://{match[1]}/?{urlencode(query)}", topic=topic)


def read_message(envelope: dict[str, Any]) -> Any:
    """What SES says inside; None where it is a sentence, as after the set-up.

    Raises `InvalidPayload`.
    """
    text = text_at(envelope, "Message")
    if not text.strip():
        raise InvalidPayload("an event has no data")
    if not text.lstrip().startswith("{"):
        return None
    return checked(read_json(text.encode("utf-8", "surrogatepass")))


def _text(envelope: dict[str, Any], names: tuple[str, ...]) -> bytes:
    """A line for the name and one for the value of each field, in byte order. Only the subject
    may be missing, and is then left out."""
    found: list[str] = []
    for name in names:
        value = envelope.get(name)
        if value is None and name == "Subject":
            continue
        if not isinstance(value, str):
            raise InvalidSignature("a field that must be signed is missing")
        found += (name, value)
    return "".join(f"{line}\n" for line in found).encode("utf-8", "surrogatepass")


def _check(
    certificate: Certificate,
    sent_at: datetime,
    signature: bytes,
    text: bytes,
    algorithm: str,
) -> None:
    from cryptography.exceptions import InvalidSignature as SignatureMismatch
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    # Amazon's hold for a year: valid when it was sent, not now.
    valid = certificate.not_valid_before_utc <= sent_at <= certificate.not_valid_after_utc
    key = certificate.public_key()
    if not valid or not isinstance(key, RSAPublicKey):
        raise InvalidSignature("its certificate did not hold when it was sent")
    try:
        key.verify(signature, text, padding.PKCS1v15(), getattr(hashes, algorithm)())
    except SignatureMismatch:
        raise InvalidSignature("the signature does not hold") from None
