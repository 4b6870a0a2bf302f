"""The product from outside, for the cases out of public bug reports: providers' signed requests over
HTTP, the command line and files, all on one storage.

Every provider is on, with secrets of the tests' own. `Product` is what people and providers do with
it; the names of its methods are theirs.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bot.runtime import clock
from bot.runtime.clock import Stopped
from tests.support.cli_fixtures import Cli, Done
from tests.support.receiving_fixtures import PUBLIC, Answer, Receiver, receiver
from tests.support.storages import by_turns, forget, path_in, url_of, with_tables

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
PHONE, MAILBOX = "+14155550100", "ana@example.com"
#: Our numbers, a messaging service of Twilio's and a messaging profile of Telnyx's.
OURS, OURS_2, TOLL_FREE = "+14155550001", "+14155550002", "+18885550199"
SERVICE, PROFILE = "MG00000000000000000000000000000001", "40010000-0000-4000-8000-000000000001"
YES = ("--evidence", "The web form")

_TOKEN = "a-token-of-twilios"
_TELNYX = Ed25519PrivateKey.generate()
_SENDGRID = ec.generate_private_key(ec.SECP256R1())
_MAILGUN = "a-key-of-mailguns"
_RESEND = base64.b64encode(b"a-secret-of-resends-twenty-four").decode()
_VONAGE = "a-secret-of-vonages-0123456789-0123456789"
_POSTMARK = ("postmark", "a-password-of-postmarks")
_AMAZON = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_TOPIC = "arn:aws:sns:us-east-1:123456789012:optin"
_CERTIFICATE = "SimpleNotificationService-tests.pem"
UNSUBSCRIBE_KEY = "a-key-of-unsubscribe-links"

_ids = itertools.count(1)


def _id() -> str:
    return f"{next(_ids):032x}"


class Told(Protocol):
    """Whom providers tell, and when."""

    @property
    def clock(self) -> Callable[[], datetime]: ...

    @property
    def seconds(self) -> int: ...

    @property
    def iso(self) -> str: ...

    def tell(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer: ...


@dataclass(kw_only=True)
class Product:
    """A running bot without Slack, the command line beside it, and a clock that stands still."""

    bot: Receiver
    cli: Cli
    clock: Stopped
    monkeypatch: pytest.MonkeyPatch
    _files: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # What people do

    def add(self, name: str = "Ana Gómez", *, yes: bool = True, **fields: str) -> str:
        """The id of a new contact, who has agreed to everything, with evidence, an hour ago."""
        options = [f"--{name.replace('_', '-')}={value}" for name, value in fields.items()]
        before = self.ids()
        self.done("contact", "add", f"--name={name}", *options)
        (made,) = self.ids() - before
        if yes:
            channels = [("sms", "phone"), ("email", "email")]
            set_ = [f"--{channel}=yes" for channel, column in channels if column in fields]
            self.done("set", made, *set_, "--reason=Web form", *YES)
        self.wait(hours=1)
        return made

    def ids(self) -> set[str]:
        """Of every contact."""
        with self.bot.service.store.reading() as records:
            return {contact.id for contact in records.contacts.all()}

    def people(self, people: Mapping[str, Mapping[str, str]]) -> None:
        """Takes these people in from a file, by name, with consent to everything and evidence."""
        columns = ("name", "phone", "email", "sms_on", "email_on", "consent_source", "consent_at")
        rows = [",".join(columns)]
        for name, addresses in people.items():
            row = {"name": name, "consent_source": "Web form", "consent_at": "2026-01-01"}
            row |= {"sms_on": "yes"} if "phone" in addresses else {}
            row |= {"email_on": "yes"} if "email" in addresses else {}
            row |= addresses
            rows.append(",".join(row.get(column, "") for column in columns))
        taken = self.import_("\n".join(rows))
        assert taken.status == 0, taken.err
        self.wait(hours=1)

    def answers(self) -> dict[str, Any]:
        """The status of every contact, by name."""
        return {
            one["contact"]["name"]: one
            for one in json.loads(self.done("export", "--format=json").out)
        }

    def done(self, *arguments: str | Path) -> Done:
        """A command that has to succeed."""
        done = self.cli(*arguments)
        assert done.status == 0, done.err
        return done

    def import_(self, text: str | bytes, *options: str, name: str = "") -> Done:
        """Takes a file in. The exit status is for the test to see."""
        path = self.cli.file(text, name or f"file{next(self._files)}.csv")
        return self.cli("import", path, *options)

    def import_id(self, done: Done) -> str:
        """The id that the report of an import names."""
        return done.out.rpartition("--undo ")[2].split()[0]

    def approve_re_opt_in(self, contact: str, channel: str) -> str:
        """Asks for it with fresh evidence, and another manager approves: what the approval says."""
        self.wait(minutes=1)
        asked = self.done(
            "case", "request", contact, f"--channel={channel}", "--evidence=Called us"
        )
        case = asked.out.split()[2]
        self.wait(minutes=1)
        with self.monkeypatch.context() as patch:
            patch.setenv("LOGNAME", "another-manager")
            return self.done("case", "approve", case).out

    def wait(self, **time: float) -> None:
        self.clock.advance(timedelta(**time))

    # What is seen

    def status(self, contact: str) -> Any:
        """`optin status --json`; of an address that nobody has, too."""
        return self.cli("status", contact, "--json").json

    def sms(self, contact: str) -> Any:
        return self.status(contact)["sms"]

    def email(self, contact: str) -> Any:
        return self.status(contact)["email"]

    def card(self, contact: str) -> str:
        return self.cli("status", contact).out

    def everything(self, *but: str) -> dict[str, Any]:
        """The status of every contact but these."""
        return {id: self.status(id) for id in sorted(self.ids() - {*but})}

    def log(self, contact: str) -> list[Any]:
        """Entries of one contact, the oldest first."""
        return list(reversed(self.done("activity", contact, "--json", "--limit=500").json))

    def check(self) -> None:
        """The log is whole, and its fold is the state."""
        self.done("verify")

    # What providers tell

    def tell(
        self, path: str, body: bytes, headers: Mapping[str, str], *, method: str = "POST"
    ) -> Answer:
        """One request; the clock is then a second later."""
        answer = self.bot.send(method, path, body, headers)
        self.wait(seconds=1)
        return answer

    def text(self, body: str, *, to: str = OURS, by: str = "twilio", **more: Any) -> None:
        """A contact texts us. `sender` is their number, as this provider writes it."""
        more = {"sender": PHONE, **more}
        assert TEXTS[by](self, to=to, body=body, **more).status == 200

    def fail(self, code: str, *, to: str = PHONE, by: str = "twilio", **more: Any) -> None:
        """A text of ours fails with this code of the provider's."""
        more = {"sender": OURS, **more}
        assert FAILURES[by](self, to=to, code=code, **more).status == 200

    def mail(self, what: str, mailbox: str = MAILBOX, *, by: str = "sendgrid", **more: Any) -> None:
        """An e-mail provider tells something of a mailbox; `what` is one of `MAIL_EVENTS`."""
        assert MAILS[by](self, what, mailbox, **more).status == 200

    def click(self, contact: str, mailbox: str, *, list_: str = "news", **how: Any) -> Answer:
        """A click on an unsubscribe link whose token was made over this mailbox."""
        body: bytes = how.pop("body", b"List-Unsubscribe=One-Click")
        kind = how.pop("kind", "application/x-www-form-urlencoded")
        digest = hmac.digest(UNSUBSCRIBE_KEY.encode(), f"{mailbox}|{list_}".encode(), "sha256")
        token = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        query = urlencode({"c": contact, "l": list_, "t": token})
        return self.tell(f"/u/one-click?{query}", body, {"Content-Type": kind})

    @property
    def seconds(self) -> int:
        return int(self.clock().timestamp())

    @property
    def iso(self) -> str:
        return self.clock().isoformat().replace("+00:00", "Z")


def gates(channel: Any) -> list[tuple[str, str]]:
    """Code and owner of each gate of one channel."""
    return [(gate["code"], gate["owner"]) for gate in channel["gates"]]


def said_no(channel: Any) -> bool:
    """Whether it is the contact's NO, for which a manager's approval is needed."""
    return (channel["answer"], channel["on"]) == ("no", "NO") and (
        ("opted_out", "manager") in gates(channel)
    )


# Texts


def twilio(
    product: Told, form: Mapping[str, str | bytes], *, path: str = "/webhooks/twilio/inbound"
) -> Answer:
    """A form, signed over what it holds when it is read as UTF-8."""
    raw = {name: text if isinstance(text, bytes) else text.encode() for name, text in form.items()}
    read = {name: text.decode("utf-8", "replace") for name, text in raw.items()}
    signed = PUBLIC + path + "".join(name + read[name] for name in sorted(read))
    return product.tell(path, urlencode(raw).encode(), _twilio_headers(signed.encode()))


def _twilio_headers(
    signed: bytes, kind: str = "application/x-www-form-urlencoded"
) -> dict[str, str]:
    digest = hmac.digest(_TOKEN.encode(), signed, "sha1")
    return {"Content-Type": kind, "X-Twilio-Signature": base64.b64encode(digest).decode()}


def _twilio_text(
    product: Told, *, sender: str, to: str, body: str | bytes, service: str = "", **more: str
) -> Answer:
    form = {"From": sender, "To": to, "Body": body, "MessageSid": f"SM{_id()}", **more}
    return twilio(product, form | ({"MessagingServiceSid": service} if service else {}))


def _twilio_status(
    product: Told, *, sender: str, to: str, code: str, service: str = "", **more: str
) -> Answer:
    status = "failed" if code else "delivered"
    form = {"From": sender, "To": to, "MessageSid": f"SM{_id()}", "MessageStatus": status}
    form |= {"ErrorCode": code} if code else {}
    form |= {"MessagingServiceSid": service} if service else {}
    return twilio(product, form | more, path="/webhooks/twilio/status")


def streamed(product: Told, kind: str, data: Mapping[str, Any]) -> Answer:
    """One event of Twilio's Event Streams."""
    body = json.dumps(
        [{"type": f"com.twilio.messaging.{kind}", "time": product.iso, "data": dict(data)}]
    ).encode()
    path = f"/webhooks/twilio/events?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = _twilio_headers((PUBLIC + path).encode(), "application/json")
    return product.tell(path, body, headers)


def _streamed_text(product: Told, *, sender: str, to: str, body: str, service: str = "") -> Answer:
    data = {"from": sender, "to": to, "body": body, "messageSid": f"SM{_id()}"}
    data |= {"messagingServiceSid": service} if service else {}
    return streamed(product, "inbound-message.received", data)


def _streamed_status(
    product: Told, *, sender: str, to: str, code: str, service: str = ""
) -> Answer:
    data = {"from": sender, "to": to, "messageSid": f"SM{_id()}", "timestamp": product.iso}
    data |= {"messagingServiceSid": service} if service else {}
    data |= {"messageStatus": "UNDELIVERED", "errorCode": int(code)}
    return streamed(product, "message.undelivered", data)


def telnyx(product: Told, data: Mapping[str, Any], *, body: bytes | None = None) -> Answer:
    """One event, or exactly this body."""
    body = body if body is not None else json.dumps({"data": data}).encode()
    stamp = str(product.seconds)
    signature = _TELNYX.sign(stamp.encode() + b"|" + body)
    headers = {
        "Content-Type": "application/json",
        "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
        "telnyx-timestamp": stamp,
    }
    return product.tell("/webhooks/telnyx", body, headers)


def _telnyx_text(
    product: Told, *, sender: str, to: str, body: str, service: str = "", **more: Any
) -> Answer:
    payload = {
        "id": _id(),
        "from": {"phone_number": sender},
        "to": [{"phone_number": to}],
        "text": body,
        "type": "SMS",
        **({"messaging_profile_id": service} if service else {}),
        **more,
    }
    return telnyx(product, _telnyx_event(product, "message.received", payload))


def _telnyx_status(
    product: Told, *, sender: str, to: str, code: str, service: str = "", **more: Any
) -> Answer:
    title = "Blocked due to STOP message" if code == "40300" else "Failed"
    payload = {
        "id": _id(),
        "from": {"phone_number": sender},
        "to": [{"phone_number": to, "status": "delivery_failed" if code else "delivered"}],
        "errors": [{"code": code, "title": title}] if code else [],
        **({"messaging_profile_id": service} if service else {}),
        **more,
    }
    return telnyx(product, _telnyx_event(product, "message.finalized", payload))


def _telnyx_event(product: Told, kind: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": _id(), "event_type": kind, "occurred_at": product.iso, "payload": payload}


def vonage_message(
    product: Told, message: Mapping[str, Any], *, path: str = "inbound", body: bytes = b""
) -> Answer:
    """A message or a status of the Messages API, or exactly this body."""
    body = body or json.dumps(message).encode()
    claims = {
        "iat": product.seconds,
        "iss": "Vonage",
        "jti": _id(),
        "payload_hash": hashlib.sha256(body).hexdigest(),
    }
    token = jwt.encode(claims, _VONAGE, "HS256")
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    return product.tell(f"/webhooks/vonage/{path}", body, headers)


def _vonage_text(product: Told, *, sender: str, to: str, body: str, **more: Any) -> Answer:
    message = {
        "from": _bare(sender),
        "to": _bare(to),
        "channel": "sms",
        "message_type": "text",
        "text": body,
        "message_uuid": _id(),
        "timestamp": product.iso,
        **more,
    }
    return vonage_message(product, message)


def _vonage_status(product: Told, *, sender: str, to: str, code: str, **more: Any) -> Answer:
    status = {
        "from": _bare(sender),
        "to": _bare(to),
        "channel": "sms",
        "status": "rejected",
        "error": {"title": code},
        "message_uuid": _id(),
        "timestamp": product.iso,
        **more,
    }
    return vonage_message(product, status, path="status")


def vonage_sms(
    product: Told, parameters: Mapping[str, str], *, path: str = "inbound", form: bool = False
) -> Answer:
    """A text or a receipt of the SMS API, as JSON or as a form."""
    given = {**parameters, "timestamp": str(product.seconds), "nonce": _id()}
    text = "".join(
        f"&{name}={value.replace('&', '_').replace('=', '_')}"
        for name, value in sorted(given.items())
    )
    digest = hmac.digest(_VONAGE.encode(), text.encode("utf-8", "replace"), "sha256")
    given["sig"] = digest.hex()
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    body = urlencode(given) if form else json.dumps(given)
    return product.tell(f"/webhooks/vonage/sms/{path}", body.encode(), {"Content-Type": kind})


def _vonage_sms_text(
    product: Told, *, sender: str, to: str, body: str, form: bool = False
) -> Answer:
    parameters = {
        "msisdn": _bare(sender),
        "to": _bare(to),
        "text": body,
        "messageId": _id(),
        "message-timestamp": f"{product.clock():%Y-%m-%d %H:%M:%S}",
    }
    return vonage_sms(product, parameters, form=form)


def _vonage_receipt(
    product: Told, *, sender: str, to: str, code: str, status: str = "rejected", **more: str
) -> Answer:
    parameters = {
        "msisdn": _bare(to),
        "to": _bare(sender),
        "status": status,
        "err-code": code,
        "messageId": _id(),
        "message-timestamp": f"{product.clock():%Y-%m-%d %H:%M:%S}",
        **more,
    }
    return vonage_sms(product, parameters, path="dlr")


def _bare(number: str) -> str:
    """As Vonage writes a number."""
    return number.removeprefix("+")


#: By route, each with the provider's own names for the parts of a message.
TEXTS: Mapping[str, Callable[..., Answer]] = {
    "twilio": _twilio_text,
    "twilio streams": _streamed_text,
    "telnyx": _telnyx_text,
    "vonage": _vonage_text,
    "vonage sms": _vonage_sms_text,
}
FAILURES: Mapping[str, Callable[..., Answer]] = {
    "twilio": _twilio_status,
    "twilio streams": _streamed_status,
    "telnyx": _telnyx_status,
    "vonage": _vonage_status,
    "vonage sms": _vonage_receipt,
}
#: What each calls an opt-out, and a number that does not exist.
OPTED_OUT = {
    "twilio": "21610",
    "twilio streams": "21610",
    "telnyx": "40300",
    "vonage": "1240",
    "vonage sms": "9",
}
NO_SUCH_NUMBER = {
    "twilio": "30005",
    "twilio streams": "30005",
    "telnyx": "40012",
    "vonage": "1260",
    "vonage sms": "3",
}
#: Those that keep a block under a service of several numbers, and what they call ours.
SERVICES = {"twilio": SERVICE, "twilio streams": SERVICE, "telnyx": PROFILE}


# E-mail

#: What can be told of a mailbox, by every provider.
MAIL_EVENTS = ("unsubscribe", "complaint", "bounce")


def sendgrid(product: Told, *events: Mapping[str, Any]) -> Answer:
    """A batch."""
    body = json.dumps(
        [{"timestamp": product.seconds, "sg_event_id": _id(), **event} for event in events]
    ).encode()
    stamp = str(product.seconds)
    signature = _SENDGRID.sign(stamp.encode() + body, ec.ECDSA(SHA256()))
    headers = {
        "Content-Type": "application/json",
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
    }
    return product.tell("/webhooks/sendgrid/events", body, headers)


def _sendgrid_mail(product: Told, what: str, mailbox: str, **more: Any) -> Answer:
    told: Mapping[str, Mapping[str, str]] = {
        "unsubscribe": {"event": "unsubscribe"},
        "complaint": {"event": "spamreport"},
        "bounce": {"event": "bounce", "type": "bounce", "status": "5.1.1", "reason": "550 5.1.1"},
        "dropped": {"event": "dropped", "reason": "Bounced Address"},
        "delivered": {"event": "delivered"},
        "resubscribe": {"event": "group_resubscribe"},
    }
    return sendgrid(product, {"email": mailbox, **told[what], **more})


def mailgun(product: Told, event: Mapping[str, Any]) -> Answer:
    stamp, token = str(product.seconds), f"{random.getrandbits(200):050x}"
    signature = hmac.digest(_MAILGUN.encode(), f"{stamp}{token}".encode(), "sha256").hex()
    signed = {"timestamp": stamp, "token": token, "signature": signature}
    data = {"id": _id(), "timestamp": product.clock().timestamp(), **event}
    body = json.dumps({"signature": signed, "event-data": data}).encode()
    return product.tell("/webhooks/mailgun", body, {"Content-Type": "application/json"})


def _mailgun_mail(product: Told, what: str, mailbox: str, **more: Any) -> Answer:
    told: Mapping[str, Mapping[str, Any]] = {
        "unsubscribe": {"event": "unsubscribed"},
        "complaint": {"event": "complained"},
        "bounce": {
            "event": "failed",
            "severity": "permanent",
            "reason": "bounce",
            "delivery-status": {"code": 550, "enhanced-code": "5.1.1", "message": "no such user"},
        },
        "dropped": {
            "event": "failed",
            "severity": "permanent",
            "reason": "suppress-bounce",
            "delivery-status": {"code": 605, "message": "Not delivering to bounced address"},
        },
        "delivered": {"event": "delivered"},
    }
    return mailgun(product, {"recipient": mailbox, **told[what], **more})


def postmark(product: Told, event: Mapping[str, Any]) -> Answer:
    credentials = base64.b64encode(":".join(_POSTMARK).encode()).decode()
    headers = {"Content-Type": "application/json", "Authorization": f"Basic {credentials}"}
    common = {"MessageID": _id(), "ServerID": 23, "MessageStream": "broadcast"}
    body = json.dumps({**common, **event}).encode()
    return product.tell("/webhooks/postmark", body, headers)


def _postmark_mail(product: Told, what: str, mailbox: str, **more: Any) -> Answer:
    bounce = {"Email": mailbox, "ID": next(_ids), "BouncedAt": product.iso}
    change = {
        "RecordType": "SubscriptionChange",
        "Recipient": mailbox,
        "ChangedAt": product.iso,
        "Origin": "Recipient",
    }
    told: Mapping[str, Mapping[str, Any]] = {
        "unsubscribe": {
            **change,
            "SuppressSending": True,
            "SuppressionReason": "ManualSuppression",
        },
        "resubscribe": {**change, "SuppressSending": False, "SuppressionReason": None},
        "complaint": {"RecordType": "SpamComplaint", "Type": "SpamComplaint", **bounce},
        "bounce": {"RecordType": "Bounce", "Type": "HardBounce", **bounce},
        "dropped": {**change, "SuppressSending": True, "SuppressionReason": "HardBounce"},
        "delivered": {
            "RecordType": "Delivery",
            "Recipient": mailbox,
            "DeliveredAt": product.iso,
        },
    }
    return postmark(product, {**told[what], **more})


def resend(product: Told, kind: str, data: Mapping[str, Any]) -> Answer:
    body = json.dumps({"type": kind, "created_at": product.iso, "data": data}).encode()
    id_, stamp = f"msg_{_id()}", str(product.seconds)
    key = base64.b64decode(_RESEND)
    digest = hmac.digest(key, f"{id_}.{stamp}.".encode() + body, "sha256")
    headers = {
        "Content-Type": "application/json",
        "svix-id": id_,
        "svix-timestamp": stamp,
        "svix-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
    return product.tell("/webhooks/resend", body, headers)


def _resend_mail(product: Told, what: str, mailbox: str, **more: Any) -> Answer:
    mail = {"email_id": _id(), "to": [mailbox], "created_at": product.iso}
    contact = {"email": mailbox, "audience_id": "78261eea", "unsubscribed": what == "unsubscribe"}
    told: Mapping[str, tuple[str, Mapping[str, Any]]] = {
        "unsubscribe": ("contact.updated", contact),
        "resubscribe": ("contact.updated", contact),
        "complaint": ("email.complained", mail),
        "bounce": (
            "email.bounced",
            {**mail, "bounce": {"type": "Permanent", "diagnosticCode": "smtp; 550 5.1.1 unknown"}},
        ),
        "dropped": ("email.suppressed", mail),
        "delivered": ("email.delivered", mail),
    }
    kind, data = told[what]
    return resend(product, kind, {**data, **more})


def ses(product: Told, message: Mapping[str, Any]) -> Answer:
    """What SES publishes, in a signed message of SNS."""
    envelope = {
        "Type": "Notification",
        "MessageId": _id(),
        "TopicArn": _TOPIC,
        "Message": json.dumps(message),
        "Timestamp": f"{product.clock():%Y-%m-%dT%H:%M:%S.000Z}",
        "SignatureVersion": "2",
        "SigningCertURL": f"https://sns.us-east-1.amazonaws.com/{_CERTIFICATE}",
    }
    names = ("Message", "MessageId", "Timestamp", "TopicArn", "Type")
    text = "".join(f"{name}\n{envelope[name]}\n" for name in names)
    signature = _AMAZON.sign(text.encode(), padding.PKCS1v15(), SHA256())
    envelope["Signature"] = base64.b64encode(signature).decode()
    headers = {
        "Content-Type": "text/plain; charset=UTF-8",
        "x-amz-sns-message-type": "Notification",
    }
    return product.tell("/webhooks/ses", json.dumps(envelope).encode(), headers)


def ses_bounce(
    product: Told,
    kind: str,
    sub: str,
    recipients: Sequence[Mapping[str, str]],
    *,
    destination: Sequence[str],
) -> Answer:
    """A bounce notification, in AWS's names."""
    mail = {"destination": list(destination), "messageId": _id(), "timestamp": product.iso}
    bounce = {
        "feedbackId": _id(),
        "bounceType": kind,
        "bounceSubType": sub,
        "bouncedRecipients": [dict(one) for one in recipients],
        "timestamp": product.iso,
    }
    return ses(product, {"eventType": "Bounce", "bounce": bounce, "mail": mail})


def _ses_mail(product: Told, what: str, mailbox: str, **more: Any) -> Answer:
    mail = {"destination": [mailbox], "messageId": _id(), "timestamp": product.iso}
    who = {"emailAddress": mailbox}
    match what:
        case "bounce":
            who |= {"status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
            return ses_bounce(product, "Permanent", "General", [who], destination=[mailbox])
        case "dropped":
            return ses_bounce(product, "Permanent", "Suppressed", [who], destination=[mailbox])
        case "complaint":
            complaint = {
                "complainedRecipients": [who],
                "feedbackId": _id(),
                "timestamp": product.iso,
                "complaintFeedbackType": "abuse",
            }
            return ses(product, {"eventType": "Complaint", "complaint": complaint, "mail": mail})
        case "delivered":
            delivery = {"recipients": [mailbox], "timestamp": product.iso}
            return ses(product, {"eventType": "Delivery", "delivery": delivery, "mail": mail})
    preferences = {
        "unsubscribeAll": what == "unsubscribe",
        "topicSubscriptionStatus": [],
        "topicDefaultSubscriptionStatus": [],
    }
    subscription = {
        "contactList": "news",
        "timestamp": product.iso,
        "source": "UnsubscribeHeader",
        "newTopicPreferences": preferences,
        "oldTopicPreferences": {
            "unsubscribeAll": what != "unsubscribe",
            "topicSubscriptionStatus": [],
        },
    }
    return ses(
        product, {"eventType": "Subscription", "mail": mail, "subscription": subscription | more}
    )


MAILS: Mapping[str, Callable[..., Answer]] = {
    "sendgrid": _sendgrid_mail,
    "mailgun": _mailgun_mail,
    "postmark": _postmark_mail,
    "resend": _resend_mail,
    "ses": _ses_mail,
}


# The product


@dataclass(kw_only=True)
class Starter:
    """Starts products; each goes on until its test ends."""

    folder: Path
    kind: str
    cli: Cli
    monkeypatch: pytest.MonkeyPatch
    stack: ExitStack

    def __call__(self, *, senders: str = "", **settings: str) -> Product:
        """`senders` is the text of the file that `OPTIN_SENDERS` names."""
        for name in ("OPTIN_ALERT_CHANNEL", "OPTIN_SELF_APPROVE", "OPTIN_LANGUAGES"):
            self.monkeypatch.delenv(name, raising=False)
        if senders:
            path = self.folder / "senders.toml"
            path.write_text(senders, "utf-8")
            settings["OPTIN_SENDERS"] = str(path)
        settings["OPTIN_HASH_KEY"] = "a key of the tests' own, of some length"
        for name, value in settings.items():
            self.monkeypatch.setenv(name, value)
        url = url_of(with_tables(path_in(self.folder / "storage", self.kind)))
        self.monkeypatch.setenv("OPTIN_STORAGE", url)
        self.monkeypatch.setenv("LOGNAME", "an-agent")
        time = self.stack.enter_context(clock.stopped(NOW))
        secrets = secrets_of_all(self.folder)
        env = secrets | settings
        bot = self.stack.enter_context(receiver(self.folder, env, kind=self.kind))
        return Product(bot=bot, cli=self.cli, clock=time, monkeypatch=self.monkeypatch)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    by_turns(metafunc, "launch")


@pytest.fixture
def launch(
    request: pytest.FixtureRequest, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Starter]:
    """Starts a product over a storage of one kind, with settings of the test's own: see
    `storages.by_turns`."""
    kind = request.param
    with ExitStack() as stack:
        yield Starter(folder=tmp_path, kind=kind, cli=cli, monkeypatch=monkeypatch, stack=stack)
    forget(path_in(tmp_path / "storage", kind))


@pytest.fixture
def product(launch: Starter) -> Product:
    """A product that knows nothing of our senders."""
    return launch()


def secrets_of_all(folder: Path) -> dict[str, str]:
    """The settings that switch every provider on. Amazon's certificate is written to `folder`."""
    certificates = folder / "certificates"
    certificates.mkdir()
    (certificates / _CERTIFICATE).write_bytes(_certificate())
    return _secrets() | {"OPTIN_SES_CERTIFICATES": str(certificates)}


@cache
def _secrets() -> dict[str, str]:
    public = _SENDGRID.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    telnyx = _TELNYX.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {
        "OPTIN_TWILIO_AUTH_TOKEN": _TOKEN,
        "OPTIN_TELNYX_PUBLIC_KEY": base64.b64encode(telnyx).decode(),
        "OPTIN_VONAGE_SIGNATURE_SECRET": _VONAGE,
        "OPTIN_SENDGRID_PUBLIC_KEY": base64.b64encode(public).decode(),
        "OPTIN_MAILGUN_SIGNING_KEY": _MAILGUN,
        "OPTIN_RESEND_SIGNING_SECRET": f"whsec_{_RESEND}",
        "OPTIN_POSTMARK_USER": _POSTMARK[0],
        "OPTIN_POSTMARK_PASSWORD": _POSTMARK[1],
        "OPTIN_SES_TOPIC_ARNS": _TOPIC,
        "OPTIN_UNSUBSCRIBE_KEY": UNSUBSCRIBE_KEY,
    }


@cache
def _certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    builder = builder.public_key(_AMAZON.public_key()).serial_number(1)
    builder = builder.not_valid_before(NOW - timedelta(days=365))
    builder = builder.not_valid_after(NOW + timedelta(days=3650))
    return builder.sign(_AMAZON, SHA256()).public_bytes(Encoding.PEM)
