"""The world outside the demo's workspace: the same contacts with their phones and mailboxes, and
secrets that the providers share with the bot, made anew for each demo."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from bot.consent.addresses import key_of
from bot.consent.model import BlockState, Channel
from bot.consent.senders import NumberKind
from bot.consent.store import Records
from bot.consent.use_cases import Service
from bot.demo.tour import IN_THE_TOUR

PUBLIC_URL = "https://optin.example"
#: Twilio tries again after any failure, as the README has one set it up.
_OVERRIDES = "#rc=5&rp=all"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoWorld:
    """What the providers know, and the bot has to be told."""

    auth_token: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    sendgrid_key: str = field(default_factory=lambda: f"SG.{secrets.token_urlsafe(16)}", repr=False)
    unsubscribe_key: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    private_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False
    )

    def settings(self) -> dict[str, str]:
        """The bot's half of the secrets."""
        der = self.private_key.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        return {
            "OPTIN_PUBLIC_URL": PUBLIC_URL,
            "OPTIN_TWILIO_AUTH_TOKEN": self.auth_token,
            "OPTIN_SENDGRID_PUBLIC_KEY": b64encode(der).decode(),
            "OPTIN_UNSUBSCRIBE_KEY": self.unsubscribe_key,
        }

    def settle(self, page: str, webhooks: str, service: Service) -> None:
        """Puts everybody beside the workspace at `page`. Raises OSError where it is gone."""
        pem = self.private_key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ).decode()
        with service.store.reading() as records:
            people = list(_people(records))
        given = {
            "webhooks": f"{webhooks}{_OVERRIDES}",
            "public_url": PUBLIC_URL,
            "twilio": {"auth_token": self.auth_token},
            "sendgrid": {"private_key": pem},
            "unsubscribe": {"key": self.unsubscribe_key},
            "senders": [
                {
                    "id": number.number,
                    "name": one.name,
                    "toll_free": number.kind is NumberKind.TOLL_FREE,
                }
                for one in service.senders
                for number in one.numbers
            ],
            "people": people,
        }
        post(page, "/sandbox/outside", given)


def post(page: str, path: str, body: Mapping[str, Any]) -> None:
    """Hands it to the sandbox at `page`. Raises OSError where it is gone, or refuses."""
    with closing(HTTPConnection(urlsplit(page).netloc, timeout=10)) as connection:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise OSError(answer.read().decode())


def _people(records: Records) -> Iterator[dict[str, Any]]:
    """The contacts, with what the carrier holds against them by now."""
    for contact in records.contacts.all():
        phone, mailbox = contact.address(Channel.SMS), contact.address(Channel.EMAIL)
        blocks = records.addresses.get(key_of(phone)).blocks if phone else {}
        yield {
            "id": contact.id,
            "name": contact.name,
            "phone": phone,
            "email": mailbox,
            "blocked": [
                sender for sender, block in blocks.items() if block.state is BlockState.BLOCKED
            ],
            "floods": contact.name not in IN_THE_TOUR,
        }
