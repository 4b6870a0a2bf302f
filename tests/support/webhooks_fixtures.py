"""Recorded provider requests, and the providers that they are for.

A request is one file, `tests/fixtures/<provider>/<case>.json`: what was sent, what the receiver has
configured, and what is expected of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bot.runtime.read_settings import read_settings
from handlers.webhooks.provider import (
    InvalidPayload,
    MailboxesOf,
    Provider,
    Request,
    UnsubscribeMailboxes,
)
from handlers.webhooks.providers import SPECS
from handlers.webhooks.registry import make_providers

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
#: The collection that the fixtures were taken from, where it lies beside the checkout: what is new
#: in it is tried, too.
COLLECTION = ROOT.parent / "shared" / "data" / "provider-samples"
#: Where a folder of the collection is not called as we call the provider.
_NAMES = {"rfc8058_one_click": "one_click"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One recorded request."""

    provider: str
    path: Path
    told: Mapping[str, Any] = field(repr=False)

    @property
    def case(self) -> str:
        return self.path.stem

    def __str__(self) -> str:
        where = "" if FIXTURES in self.path.parents else "collection/"
        return f"{where}{self.provider}/{self.case}"

    @property
    def accepted(self) -> bool:
        return bool(self.told["expected_result"] == "accept")

    @property
    def received_at(self) -> datetime:
        return datetime.fromisoformat(self.told["received_at"])

    @property
    def expected(self) -> list[dict[str, Any]]:
        return self.told["expected_events"] or []

    @property
    def public_url(self) -> str:
        parts = urlsplit(self.told["url"])
        return f"{parts.scheme}://{parts.netloc}"

    def request(self, **changes: Any) -> Request:
        """As it came, or with these parts of it changed."""
        parts = urlsplit(self.told["url"])
        given = {
            "method": self.told["method"],
            "path": parts.path,
            "query": parts.query,
            "headers": list(self.told["headers"].items()),
            "body": self.told["body"].encode(),
            "public_url": self.public_url,
        }
        return Request.of(**(given | changes))

    def before(self) -> list[Sample]:
        """What has to come first: the original of a duplicate, or of a replayed token."""
        return [
            other
            for other in read_samples(self.path.parent, self.provider)
            if other.case == self.told.get("duplicate_of")
            or (other.accepted and not self.accepted and _token(other) == _token(self) is not None)
        ]

    def environment(self, folder: Path) -> dict[str, str]:
        """The settings of its receiver. `folder` is for files that settings name."""
        return _environment(self, folder)

    def mailboxes(self) -> dict[str, str]:
        """Of the contacts that one-click links are about, by their ids."""
        return _mailboxes(self)

    def provider_with(self, folder: Path) -> Provider:
        """The provider as its settings make it. `folder` is for files that settings name."""
        env = _environment(self, folder)
        settings = read_settings(env)
        (made,) = make_providers(
            settings.providers,
            public_url=self.public_url,
            mailboxes_of=mailboxes_of(_mailboxes(self)),
        )
        return made


def all_samples() -> list[Sample]:
    """The fixtures, and the collection beside the checkout."""
    found = []
    for place in (FIXTURES, COLLECTION):
        for folder in sorted(place.glob("*/")):
            name = _NAMES.get(folder.name, folder.name)
            if name in SPECS:
                found += read_samples(folder, name)
    return found


def read_samples(folder: Path, provider: str) -> Iterator[Sample]:
    """Those of one folder, by name."""
    for path in sorted(folder.glob("*.json")):
        yield Sample(provider=provider, path=path, told=json.loads(path.read_text("utf-8")))


def sample(name: str) -> Sample:
    """One of the fixtures, such as `twilio/status_read`."""
    provider, _, case = name.partition("/")
    (found,) = (one for one in read_samples(FIXTURES / provider, provider) if one.case == case)
    return found


def posted(
    path: str,
    body: str | bytes | object,
    *,
    kind: str = "application/json",
    query: str = "",
    method: str = "POST",
    **headers: str,
) -> Request:
    """A request to this server; `x_header="…"` is the header x-header. What is neither text nor
    bytes is sent as JSON."""
    if not isinstance(body, str | bytes):
        body = json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request.of(
        method=method,
        path=path,
        query=query,
        headers=[("Content-Type", kind), *named.items()],
        body=body if isinstance(body, bytes) else body.encode(),
        public_url="https://optin.example.com",
    )


def assert_not_understood(provider: Provider, request: Request, now: datetime) -> None:
    """It is counted, as a whole or in part, and nothing is taken out of it."""
    try:
        parsed = provider.parse(request, now)
    except InvalidPayload:
        return
    assert parsed.skipped
    assert not parsed.events


def _token(sample: Sample) -> str | None:
    """Mailgun's, which may stand for one content only."""
    try:
        return json.loads(sample.told["body"])["signature"]["token"]
    except (ValueError, KeyError, TypeError):
        return None


def mailboxes_of(known: Mapping[str, str]) -> MailboxesOf:
    """For contacts who have had one mailbox each, by their ids."""

    def found(id: str) -> UnsubscribeMailboxes | None:
        return UnsubscribeMailboxes(written={known[id]: [known[id]]}) if id in known else None

    return found


def _mailboxes(sample: Sample) -> dict[str, str]:
    """The contacts that one-click links are about."""
    ids = parse_qs(urlsplit(sample.told["url"]).query).get("c", [])
    contact = next((event["contact"] for event in sample.expected), "dana.fields@example.net")
    return dict.fromkeys(ids, contact)


def _environment(sample: Sample, folder: Path) -> dict[str, str]:  # noqa: C901 - a table of providers
    """The settings of a receiver with this secret: as the sample says, or translated from how the
    collection has it."""
    if settings := sample.told.get("settings"):
        return dict(settings)
    secret = sample.told["secret"]
    env: dict[str, str | None]
    match sample.provider:
        case "twilio":
            keys = secret.get("shared_keys", {})
            env = {
                "OPTIN_TWILIO_AUTH_TOKEN": secret["auth_token"],
                "OPTIN_TWILIO_SHARED_KEYS": ",".join(f"{id_}={key}" for id_, key in keys.items()),
            }
        case "telnyx":
            env = {"OPTIN_TELNYX_PUBLIC_KEY": secret["public_key"]}
        case "sendgrid":
            env = {"OPTIN_SENDGRID_PUBLIC_KEY": secret["public_key"]}
        case "mailgun":
            env = {"OPTIN_MAILGUN_SIGNING_KEY": secret["webhook_signing_key"]}
        case "resend":
            env = {"OPTIN_RESEND_SIGNING_SECRET": secret["signing_secret"]}
        case "postmark":
            env = {
                "OPTIN_POSTMARK_USER": secret["basic_auth_user"],
                "OPTIN_POSTMARK_PASSWORD": secret["basic_auth_password"],
            }
        case "vonage":
            env = {
                "OPTIN_VONAGE_SIGNATURE_SECRET": secret["signature_secret"],
                "OPTIN_VONAGE_SIGNATURE_METHOD": secret.get("signature_method", "").partition(" ")[
                    0
                ],
                "OPTIN_VONAGE_API_KEY": secret["api_key"],
                "OPTIN_VONAGE_APPLICATION_ID": secret.get("application_id"),
            }
        case "ses":
            for url, pem in secret["signing_certificates"].items():
                (folder / (url.rpartition("/")[2] or "none")).write_text(pem)
            env = {
                "OPTIN_SES_TOPIC_ARNS": ",".join(secret["topic_arns"]),
                "OPTIN_SES_CERTIFICATES": str(folder),
            }
        case "one_click":
            env = {"OPTIN_UNSUBSCRIBE_KEY": secret["token_key"]}
        case _:
            raise AssertionError(f'{sample} needs the "settings" that its receiver has, by name')
    return {name: value for name, value in env.items() if value}
