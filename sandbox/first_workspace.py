"""Who and what is in the workspace at the start. The ids are fixed: settings may name them."""

from dataclasses import dataclass
from typing import Final

TEAM: Final = "T0ACMESUP"
TEAM_NAME: Final = "Acme Support"
TEAM_DOMAIN: Final = "acme-support"
OTHER_TEAM: Final = "T0ELSEWHR"

APP: Final = "A0OPTINAPP"
APP_NAME: Final = "Optin"
BOT: Final = "B0OPTINBOT"
BOT_USER: Final = "U0OPTINBOT"

ANA: Final = "U0ANARUIZ1"
BEN: Final = "U0BENOKAF1"
LEE: Final = "U0LEECHEN1"
MIA: Final = "U0MIANOVAK"
GUS: Final = "U0GUSGUEST"

SUPPORT: Final = "C0SUPPORT1"
ALERTS: Final = "C0ALERTS01"
APPROVALS: Final = "C0APPROVAL"
RANDOM: Final = "C0RANDOM01"

MANAGERS: Final = "S0MANAGERS"

BOT_TOKEN: Final = "xoxb-sandbox-bot"
APP_TOKEN: Final = "xapp-sandbox-app"
SIGNING_SECRET: Final = "sandbox-signing-secret"
VERIFICATION_TOKEN: Final = "sandbox-verification-token"

COMMAND: Final = "/optin"


@dataclass(slots=True, kw_only=True)
class SlackPerson:
    """Somebody who uses the workspace; the flags may change while it runs."""

    id: str
    handle: str
    name: str
    title: str
    zone: str
    team: str = TEAM
    is_bot: bool = False
    is_guest: bool = False
    is_admin: bool = False
    deleted: bool = False

    @property
    def email(self) -> str:
        return f"{self.handle}@acme-support.example"

    @property
    def is_stranger(self) -> bool:
        """True for people of another organisation, met through a shared channel."""
        return self.team != TEAM


@dataclass(slots=True, kw_only=True)
class SlackChannel:
    """A public channel, or (with `person`) the direct messages of the app and one person."""

    id: str
    name: str
    members: set[str]
    person: str | None = None
    topic: str = ""
    archived: bool = False
    #: Another organisation reads it (Slack Connect), or was invited to.
    shared: bool = False
    pending: bool = False


@dataclass(slots=True, kw_only=True)
class Group:
    """A user group: `@handle` in messages."""

    id: str
    handle: str
    name: str
    people: list[str]
    #: Switched off by an admin.
    disabled: bool = False


def people() -> list[SlackPerson]:
    return [
        SlackPerson(id=ANA, handle="ana", name="Ana Ruiz", title="Agent", zone="America/New_York"),
        SlackPerson(id=BEN, handle="ben", name="Ben Okafor", title="Agent", zone="Europe/London"),
        SlackPerson(
            id=LEE, handle="lee", name="Lee Chen", title="Manager", zone="America/Los_Angeles"
        ),
        SlackPerson(
            id=MIA,
            handle="mia",
            name="Mia Novak",
            title="Manager",
            zone="Europe/Prague",
            is_admin=True,
        ),
        SlackPerson(
            id=GUS,
            handle="gus",
            name="Gus Guest",
            title="Guest",
            zone="Asia/Kolkata",
            is_guest=True,
        ),
        SlackPerson(
            id=BOT_USER, handle="optin", name=APP_NAME, title="", zone="Etc/UTC", is_bot=True
        ),
    ]


def channels() -> list[SlackChannel]:
    staff = {ANA, BEN, LEE, MIA}
    return [
        SlackChannel(
            id=SUPPORT,
            name="support",
            members={*staff, GUS, BOT_USER},
            topic="Questions from customers",
        ),
        SlackChannel(
            id=ALERTS,
            name="optin-alerts",
            members={*staff, BOT_USER},
            topic="Opt-outs and bounces, as they happen",
        ),
        SlackChannel(
            id=APPROVALS,
            name="optin-approvals",
            members={LEE, MIA, ANA, BEN, BOT_USER},
            topic="Requests to opt somebody in again",
        ),
        SlackChannel(id=RANDOM, name="random", members=set(staff), topic="Anything else"),
    ]


def groups() -> list[Group]:
    return [Group(id=MANAGERS, handle="optin-managers", name="Optin managers", people=[LEE, MIA])]
