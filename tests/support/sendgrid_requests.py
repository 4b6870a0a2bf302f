"""Requests as SendGrid posts them, signed."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from handlers.webhooks.providers.sendgrid import Sendgrid

KEYS = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
PATH = Sendgrid.routes[0].path
EVENT = {"event": "bounce", "sg_event_id": "e1", "email": "Dana.Fields@Example.net", "timestamp": 1}


def public(key: ec.EllipticCurvePrivateKey) -> str:
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def provider() -> Sendgrid:
    return Sendgrid(public_keys=[public(key) for key in KEYS])
