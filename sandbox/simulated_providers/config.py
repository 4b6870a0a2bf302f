"""Who is outside, where the app listens, and the secrets that the providers share with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sandbox.sandbox_errors import Impossible

#: A try fails because of one of these, as Twilio's connection overrides call them.
FAILURES: Final = frozenset({"ct", "rt", "4xx", "5xx"})
_MOST_RETRIES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedSender:
    """One of the company's numbers; or a messaging service, `id` MG…, that sends from `number`."""

    id: str
    name: str
    number: str
    toll_free: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedContact:
    """Somebody whom the company texts and e-mails. `id` is the one that unsubscribe links have."""

    id: str
    name: str
    phone: str = ""
    email: str = ""
    #: Senders that the carrier blocks already.
    blocked: frozenset[str] = frozenset()
    #: Why SendGrid sends this mailbox nothing, in its own words; mostly empty. That list holds the
    #: mailbox from the beginning.
    suppressed: str = ""
    #: Whether a flood of STOPs may have one of theirs in it.
    floods: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """`count` more tries, each after one of these failures, all within so many seconds."""

    count: int = 1
    after: frozenset[str] = frozenset({"ct"})
    within: float = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What POST /sandbox/outside says. Times are in seconds."""

    webhooks: str = ""
    #: What signatures are made over, and links begin with.
    public_url: str = ""
    auth_token: str = field(default="", repr=False)
    private_key: ec.EllipticCurvePrivateKey | None = field(default=None, repr=False)
    unsubscribe_key: str = field(default="", repr=False)
    senders: tuple[SimulatedSender, ...] = ()
    people: tuple[SimulatedContact, ...] = ()
    #: Where the sender is in a messaging service that marks keywords (Twilio's OptOutType).
    advanced_opt_out: bool = False
    twilio: Retries = Retries()
    #: SendGrid goes on for a day; here for as long as somebody would look.
    sendgrid_within: float = 120.0
    #: How soon the company tries to confirm a STOP, which the carrier then refuses.
    confirms_after: float = 1.0

    def sender(self, name: str) -> SimulatedSender:
        """By id, number or name; the first one for an empty `name`. Raises Impossible."""
        for sender in self.senders:
            if name in ("", sender.id, sender.number, sender.name):
                return sender
        raise Impossible(f"There is no sender {name}." if name else "There are no senders.")

    def contact(self, name: str) -> SimulatedContact:
        """By id, phone, mailbox, name or how it begins. Raises Impossible."""
        wanted = name.casefold()
        for contact in self.people if name else ():
            if name in (contact.id, contact.phone) or wanted == contact.email.casefold():
                return contact
        for fits in (str.__eq__, str.startswith):
            for contact in self.people if name else ():
                if fits(contact.name.casefold(), wanted):
                    return contact
        raise Impossible(f"There is no contact {name}.")


def read_given(body: Any) -> Given:
    """Raises Impossible where it can't be understood, or the app is not on this machine."""
    try:
        webhooks, retries = _webhooks(body["webhooks"], float(body.get("twilio_within", 15.0)))
        return Given(
            webhooks=webhooks,
            public_url=(body.get("public_url") or webhooks).rstrip("/"),
            auth_token=body.get("twilio", {}).get("auth_token", ""),
            private_key=_private_key(body.get("sendgrid", {}).get("private_key", "")),
            unsubscribe_key=body.get("unsubscribe", {}).get("key", ""),
            senders=tuple(_sender(one) for one in body.get("senders", ())),
            people=tuple(_contact(one) for one in body.get("people", ())),
            advanced_opt_out=bool(body.get("advanced_opt_out", False)),
            twilio=retries,
            sendgrid_within=float(body.get("sendgrid_within", 120.0)),
            confirms_after=float(body.get("confirms_after", 1.0)),
        )
    except KeyError as missing:
        raise Impossible(f"What is outside needs {missing}.") from None
    except (AttributeError, TypeError, ValueError) as wrong:
        raise Impossible(f"What is outside can't be read: {wrong}.") from None


def on_this_machine(url: str, name: str) -> SplitResult:
    """The parts of the address. Raises ValueError where it leads elsewhere."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "http" or not (host == "localhost" or ip_address(host).is_loopback):
        raise ValueError(f"{name} must be an http:// address of this machine")
    return parts


def _webhooks(url: str, within: float) -> tuple[str, Retries]:
    """The address, and what its fragment says of retries: `#rc=5&rp=all`.

    https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
    """
    parts = on_this_machine(url, "webhooks")
    overrides = dict(parse_qsl(parts.fragment))
    policy = frozenset(overrides.get("rp", "ct").split(","))
    retries = Retries(
        count=min(int(overrides.get("rc", 1)), _MOST_RETRIES),
        after=FAILURES if "all" in policy else policy & FAILURES,
        within=within,
    )
    return f"http://{parts.netloc}{parts.path.rstrip('/')}", retries


def _private_key(pem: str) -> ec.EllipticCurvePrivateKey | None:
    if not pem:
        return None
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise ValueError("SendGrid's key is none of the curve P-256")
    return key


def _sender(body: Mapping[str, Any]) -> SimulatedSender:
    return SimulatedSender(
        id=str(body["id"]),
        name=body.get("name") or str(body["id"]),
        number=body.get("number") or str(body["id"]),
        toll_free=bool(body.get("toll_free", False)),
    )


def _contact(body: Mapping[str, Any]) -> SimulatedContact:
    return SimulatedContact(
        id=str(body["id"]),
        name=body["name"],
        phone=body.get("phone") or "",
        email=body.get("email") or "",
        blocked=frozenset(body.get("blocked", ())),
        suppressed=body.get("suppressed") or "",
        floods=bool(body.get("floods", True)),
    )
