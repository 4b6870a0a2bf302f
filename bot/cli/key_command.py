"""`optin key`: keys for the company's other systems, which ask and tell Optin by its API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Annotated

import typer

from bot.cli.command_session import open_service, operator
from bot.cli.terminal import say, when
from bot.cli.usage_errors import WrongUsage
from bot.consent.api_key import SCOPES, ApiKey, Scope
from bot.consent.use_cases.api_keys import add_key, last_uses, list_keys, revoke_key
from bot.consent.use_cases.webhooks import webhooks
from bot.runtime import clock

_WHAT = "\n".join(f"  {scope:<9} {does}" for scope, does in SCOPES.items())

app = typer.Typer(
    help="Keys for programs that use the API.", no_args_is_help=True, rich_markup_mode=None
)


@app.command(
    "add",
    help="Makes a key and shows it once. Only its hash is stored.\n\n\b\nScopes:\n"
    + _WHAT
    + '\n\n\b\n  optin key add Newsletter --scope check\n  optin key add "Web shop" --scope check '
    "--scope write --expires 90d",
)
def add(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="The program that uses it.", show_default=False),
    ],
    scope: Annotated[
        list[Scope] | None,
        typer.Option("--scope", help="What it may do. Give it once for each.", show_default=False),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN",
            help="After a number of days (90d), or at the end of a day (2027-03-31, UTC). "
            "Without it, the key does not expire.",
            show_default=False,
        ),
    ] = None,
) -> None:
    until = _until(expires) if expires else None
    with open_service() as service:
        key, text = add_key(service, name, scope or (), operator(), expires_at=until)
    say(text)
    say(f"This is the key of {key.name}. Store it now: it is not shown again.")


@app.command("list")
def list_() -> None:
    """Lists the keys: what each may do, and when it was last used."""
    with open_service() as service:
        keys = list_keys(service)
        used = last_uses(service, keys)
    if not keys:
        say("There are no keys, so the API is off. `optin key add` makes one.")
    for key in keys:
        say("  ".join((key.id, key.name, ", ".join(key.scopes), _state(key), _use(used, key))))


@app.command("revoke")
def revoke(
    name: Annotated[
        str, typer.Argument(metavar="KEY", help="The key's name or id.", show_default=False)
    ],
) -> None:
    """Revokes a key. Every replica refuses it within a second. Optin pauses the webhooks that it
    made; `optin webhook list` names them.

    \b
      optin key revoke Newsletter
    """
    with open_service() as service:
        key = revoke_key(service, name, operator())
        made = [one for one in webhooks(service) if one.created_by == f"api:{key.id}"]
    say(f"Revoked: {key.name}.")
    for webhook in made:
        say(
            f"Paused: the webhook to {webhook.host} that it made. `optin webhook resume "
            f"{webhook.id}` delivers again, `optin webhook remove {webhook.id}` ends it."
        )


def _until(text: str) -> datetime:
    if days := re.fullmatch(r"([1-9][0-9]{0,3})d", text):
        return clock.now() + timedelta(days=int(days[1]))
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise WrongUsage(
            f"--expires: {text} is neither a number of days (90d) nor a day."
        ) from None
    return datetime.combine(day, time.max, UTC)


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return f"revoked {when(key.revoked_at)}"
    if key.expires_at is None:
        return "does not expire"
    word = "expires" if key.holds(clock.now()) else "expired"
    return f"{word} {when(key.expires_at)}"


def _use(used: Mapping[str, datetime], key: ApiKey) -> str:
    return f"used {when(used[key.id])}" if key.id in used else "not used yet"
