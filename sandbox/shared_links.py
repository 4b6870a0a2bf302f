"""Links whose domains the app has registered: it hears of them, and may add what stands below.

https://docs.slack.dev/messaging/unfurling-links-in-messages
"""

import re
import secrets
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from sandbox import mrkdwn
from sandbox.block_kit.fill import filled
from sandbox.first_workspace import APP, BOT, BOT_USER, SlackChannel, SlackPerson
from sandbox.workspace_state import Message, World

COMPOSER: Final = "composer"
POSTED: Final = "conversations_history"
URL: Final = re.compile(r"(https?://[^\s<>|]*[^\s<>|.,;:!?)\"'])", re.IGNORECASE)

Unfurls = dict[str, dict[str, Any]]
"""By URL, what the app wants below it."""


@dataclass(slots=True, kw_only=True)
class Typed:
    """Links that somebody types, and has not sent."""

    unfurl_id: str
    links: list[str]
    unfurls: Unfurls = field(default_factory=dict)


class SharedLinks:
    """What was told to the app, by its `unfurl_id`, until it answers."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._posted: dict[str, tuple[str, str]] = {}
        #: By person and channel.
        self._typed: dict[tuple[str, str], Typed] = {}

    def typed(
        self, person: SlackPerson, channel: SlackChannel, text: str, domains: frozenset[str]
    ) -> dict[str, Any] | None:
        """The event for what stands in the composer; None where the app knows of these links."""
        links = registered(mrkdwn.escape(text), domains)
        before = self._typed.get((person.id, channel.id))
        if links == (before.links if before else []):
            return None
        self._typed.pop((person.id, channel.id), None)
        if not links:
            self.world.changed("composer", person=person.id)
            return None
        id_ = f"{person.id}-{secrets.token_hex(16)}"
        self._typed[person.id, channel.id] = Typed(unfurl_id=id_, links=links)
        return _event(person, channel, links, id_, COMPOSER) | {
            "channel": "COMPOSER",
            "message_ts": id_,
        }

    def posted(
        self,
        person: SlackPerson,
        channel: SlackChannel,
        message: Message,
        domains: frozenset[str],
    ) -> dict[str, Any] | None:
        """The event for a message. What the app gave for the composer goes along with it."""
        links = registered(message.text, domains)
        typed = self._typed.pop((person.id, channel.id), None)
        if not links:
            return None
        if typed:
            self._attach(
                message, {url: typed.unfurls[url] for url in links if url in typed.unfurls}
            )
        id_ = f"{channel.id}.{message.ts}.{secrets.token_hex(16)}"
        self._posted[id_] = (channel.id, message.ts)
        event = _event(person, channel, links, id_, POSTED)
        event |= {"channel": channel.id, "message_ts": message.ts}
        return event | ({"thread_ts": message.thread_ts} if message.thread_ts else {})

    def previews(self, person: str) -> list[dict[str, Any]]:
        """What the person sees below the composer."""
        return [
            {"channel": channel, "url": url, "title": _title(unfurl)}
            for (who, channel), typed in self._typed.items()
            for url, unfurl in typed.unfurls.items()
            if who == person
        ]

    def find(
        self, unfurl_id: str | None, at: tuple[str | None, str | None]
    ) -> Typed | Message | None:
        """The links that the app means, by the id of the event or by the place it named."""
        wanted = unfurl_id or at[1]
        for typed in self._typed.values():
            if typed.unfurl_id == wanted:
                return typed
        channel, ts = self._posted.get(unfurl_id or "", at)
        return self.world.messages.get(channel or "", {}).get(ts or "")

    def unfurl(self, place: Typed | Message, unfurls: Unfurls) -> None:
        """Puts these below their links, in place of what stood there."""
        if isinstance(place, Message):
            self._attach(place, unfurls)
        else:
            place.unfurls |= unfurls
            self.world.changed("composer", person=None)

    def _attach(self, message: Message, unfurls: Unfurls) -> None:
        for url, unfurl in unfurls.items():
            known = {one.get("app_unfurl_url"): one for one in message.attachments}
            id_ = known[url]["id"] if url in known else len(message.attachments) + 1
            kept = {name: value for name, value in unfurl.items() if name != "preview"}
            attachment = {
                "id": id_,
                "fallback": "[no preview available]",
                **kept,
                "blocks": filled(unfurl.get("blocks") or []),
                "bot_id": BOT,
                "app_unfurl_url": url,
                "is_app_unfurl": True,
                "app_id": APP,
            }
            message.attachments = [one for one in message.attachments if one is not known.get(url)]
            message.attachments.append(attachment)
        if unfurls:
            self.world.changed("message", channel=message.channel, ts=message.ts, person=None)


def links_in(text: str) -> list[str]:
    """The addresses in a text that is escaped as Slack escapes it."""
    return [mrkdwn.unescape(found[0]) for found in URL.finditer(text)]


def registered(text: str, domains: frozenset[str]) -> list[str]:
    """Those of them whose host is one of the domains, or below one."""
    found = []
    for url in links_in(text):
        try:
            host = urlsplit(url).hostname or ""
        except ValueError:
            continue
        if any(host == domain or host.endswith(f".{domain}") for domain in domains):
            found.append(url)
    return list(dict.fromkeys(found))


def _event(
    person: SlackPerson, channel: SlackChannel, links: list[str], id_: str, source: str
) -> dict[str, Any]:
    return {
        "type": "link_shared",
        "user": person.id,
        "is_bot_user_member": BOT_USER in channel.members,
        "unfurl_id": id_,
        "source": source,
        "links": [{"domain": urlsplit(url).hostname, "url": url} for url in links],
        "user_locale": "en-US",
    }


def _title(unfurl: dict[str, Any]) -> str:
    title = (unfurl.get("preview") or {}).get("title") or {}
    return str(title.get("text") or "")
