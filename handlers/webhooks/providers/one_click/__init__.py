"""One-click unsubscribe by signed links.

https://www.rfc-editor.org/rfc/rfc8058
A link is `/u/one-click?c=<contact>&l=<list>&t=<token>`. Only a POST with the marker in its body
unsubscribes: scanners follow links, and do not post. A GET shows a page with one button.
"""

from __future__ import annotations

from bot.config.setting_values import ProviderSetting, secrets
from bot.consent.model import Channel
from handlers.webhooks.provider import Route
from handlers.webhooks.provider_spec import ProviderContext, ProviderSpec
from handlers.webhooks.providers.one_click.page import done_page
from handlers.webhooks.providers.one_click.webhook import OneClick


def _read_keys(text: str) -> tuple[str, ...]:
    keys = secrets(text)
    if any(len(key) < 16 for key in keys):
        raise ValueError("must have at least 16 characters, as `openssl rand -hex 32` prints them")
    return keys


_KEYS = ProviderSetting[tuple[str, ...]]("OPTIN_UNSUBSCRIBE_KEY", _read_keys, ())


def _make(context: ProviderContext) -> OneClick | None:
    keys = context.settings[_KEYS]
    return OneClick(keys=keys, mailboxes_of=context.mailboxes_of) if keys else None


SPEC = ProviderSpec(
    name=OneClick.name,
    label="the unsubscribe link",
    title="One-click unsubscribe",
    ours=True,
    channel=Channel.EMAIL,
    settings=(_KEYS,),
    routes=(Route(path="/u/one-click", answer=done_page, page=OneClick.page),),
    make=_make,
)
