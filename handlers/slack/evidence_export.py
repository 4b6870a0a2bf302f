"""The evidence pack of a contact, for the manager who asks."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from slack_sdk import WebClient

from bot.consent.model import Actor
from bot.consent.use_cases import Service
from bot.consent.use_cases.migrate import VERSION
from handlers.evidence_pack.make_pack import make_pack
from handlers.evidence_pack.pack_reader import PackReader
from handlers.evidence_pack.pack_witnesses import publish_head
from handlers.slack import ids
from handlers.slack.alerts.slack_errors import CALL_FAILED, slack_failure
from handlers.slack.file_export import ExportedFile, ExportKind
from handlers.witnesses.witness import Witness

logger = logging.getLogger(__name__)

#: People whose names are asked for at most: a pack has to be there in a second.
_MOST_NAMES = 20
_COMMENT = (
    "The evidence pack that you asked for. It holds personal data. README.txt in it says how "
    "others check it."
)


def evidence_kind(witnesses: Sequence[Witness]) -> ExportKind:
    """The evidence pack as a file about a contact. The witnesses get its head."""

    def make(client: WebClient, consent: Service, id: str, actor: Actor) -> ExportedFile:
        reader = PackReader(
            providers=consent.providers,
            version=VERSION,
            actor=actor.id,
            zone_of=consent.times.zone,
            name_of=_Names(client).of,
        )
        pack = make_pack(consent, id, actor, reader, witnesses)
        publish_head(witnesses, pack.head)
        return ExportedFile(
            name=pack.name, content=pack.content, title="Evidence pack", comment=_COMMENT
        )

    return ExportKind(
        title="Evidence pack",
        file="The evidence pack",
        again="make the pack again",
        again_id=ids.EVIDENCE_AGAIN,
        key="evidence",
        make=make,
    )


class _Names:
    """What people are called, asked of Slack once for each. A name is not worth a failure."""

    def __init__(self, client: WebClient) -> None:
        self._client = client
        self._known: dict[str, str | None] = {}

    def of(self, id: str) -> str | None:
        """By the id that the log has."""
        if id not in self._known and len(self._known) < _MOST_NAMES:
            self._known[id] = self._asked(id.removeprefix("slack:"))
        return self._known.get(id)

    def _asked(self, user: str) -> str | None:
        try:
            found = self._client.users_info(user=user)["user"]
        except CALL_FAILED as error:
            logger.info("a name for an evidence pack is missing: %s", slack_failure(error).word)
            return None
        profile = found.get("profile") or {}
        name = profile.get("real_name") or found.get("real_name") or found.get("name")
        return str(name) if name else None
