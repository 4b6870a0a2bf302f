"""Requests as SES posts them by SNS, signed."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from handlers.webhooks.provider import Request
from handlers.webhooks.providers.ses import Ses
from handlers.webhooks.providers.ses.certificates import Certificates
from tests.support.webhooks_fixtures import posted

NOW = datetime(2026, 3, 10, 15, 4, 7, tzinfo=UTC)
PATH = Ses.routes[0].path
TOPIC = "arn:aws:sns:us-east-1:123456789012:optin"
HOST = "sns.us-east-1.amazonaws.com"
CERTIFICATE_URL = f"https://{HOST}/SimpleNotificationService-1.pem"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(*, until: datetime = NOW + timedelta(days=1)) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    builder = builder.public_key(KEY.public_key()).serial_number(1)
    builder = builder.not_valid_before(until - timedelta(days=365)).not_valid_after(until)
    return builder.sign(KEY, SHA256()).public_bytes(Encoding.PEM)


class Amazon:
    """Answers with one certificate, and remembers who asked for what."""

    def __init__(self, answer: bytes | Exception = b"") -> None:
        self.answer = answer or certificate()
        self.asked: list[str] = []

    def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def ses(amazon: Amazon | None = None, folder: Path | None = None) -> Ses:
    return Ses(topic_arns=[TOPIC], certificates=Certificates(folder, fetch=amazon or Amazon()))


def signed(version: str = "2", **changes: Any) -> Request:
    envelope = {
        "Type": "Notification",
        "MessageId": "m1",
        "TopicArn": TOPIC,
        "Message": "{}",
        "Timestamp": "2026-03-10T15:04:05.000Z",
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
    } | changes
    names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn"]
    text = "".join(f"{n}\n{envelope[n]}\n" for n in [*names, "Type"] if n in envelope)
    algorithm = SHA256() if version == "2" else SHA1()
    signature = KEY.sign(text.encode(), padding.PKCS1v15(), algorithm)
    envelope["Signature"] = base64.b64encode(signature).decode()
    return posted(
        PATH, json.dumps(envelope), kind="text/plain", x_amz_sns_message_type=envelope["Type"]
    )


def told(**message: Any) -> Request:
    mail = {"destination": ["Dana@example.net"], "sendingAccountId": "123456789012"}
    return signed(Message=json.dumps({"mail": mail} | message))
