"""The settings: read once from the environment and `.env`, checked before anything connects.

A new setting is one field of `Settings` and one row of `_ROWS`. Each messaging provider declares
its own settings, which are passed to `Settings.read`.
"""

from __future__ import annotations

import difflib
import hmac
import logging
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

import phonenumbers
from dotenv import dotenv_values

from bot.config import hash_key, head_file, senders_file
from bot.config.head_file import HeadFile, storage_key
from bot.config.provider_settings import ProviderSettings
from bot.config.setting_values import (
    Network,
    ProviderSetting,
    Rows,
    crm_link,
    matching,
    networks,
    secrets,
    several,
    url,
)
from bot.config.witness_address import WitnessAddress, WitnessKind, witnesses
from bot.consent.crm_link import CrmLink
from bot.consent.errors import OptinError
from bot.consent.replies.keywords import LANGUAGES
from bot.consent.senders import Sender
from bot.consent.store import Store

logger = logging.getLogger(__name__)

#: Settings that only the tests read.
_FOR_TESTS = {
    "OPTIN_BENCH_CONTACTS",
    "OPTIN_BROWSER",
    "OPTIN_CRASH_RUNS",
    "OPTIN_FUZZ_MINUTES",
    "OPTIN_SCREENSHOTS",
    "OPTIN_TEST_POSTGRES",
    "OPTIN_TEST_STORAGE",
}


class SettingsError(OptinError):
    """A setting is missing or can't be understood."""


class Mode(StrEnum):
    """How Slack reaches us."""

    SOCKET = "socket"
    HTTP = "http"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredPeople:
    """The users and user groups that a setting names, by their ids in Slack."""

    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator decided: see docs/configuration.md. Secrets stay out of the repr."""

    bot_token: str = field(default="", repr=False)
    app_token: str = field(default="", repr=False)
    #: Several while the operator rotates the secret.
    signing_secrets: tuple[str, ...] = field(default=(), repr=False)
    slack_api_url: str = "https://slack.com/api/"
    #: May hold a database's password.
    storage: str = field(default="tinydb:///data/optin.json", repr=False)
    command: str = "/optin"
    alert_channel: str | None = None
    #: Defaults to `alert_channel`.
    approval_channel: str | None = None
    managers: ConfiguredPeople = ConfiguredPeople()
    #: If this is empty, every full member of the workspace is an agent.
    agents: ConfiguredPeople = ConfiguredPeople()
    #: A manager may approve their own request for a re-opt-in: for teams with one manager.
    self_approve: bool = False
    #: The contact's own confirmed link completes a re-opt-in for e-mail.
    confirmed_opt_in: bool = False
    region: str = "US"
    #: Packs of opt-out words besides English.
    languages: frozenset[str] = frozenset()
    #: The first is the default one.
    senders: tuple[Sender, ...] = ()
    #: Without a slash at its end.
    public_url: str | None = None
    #: Where a contact's page in the CRM is.
    crm: CrmLink | None = None
    #: Private networks in which an outbound webhook may be, and by plain HTTP, too.
    webhook_allow: tuple[Network, ...] = ()
    #: Where the head of the log is published.
    witnesses: tuple[WitnessAddress, ...] = ()
    #: A PEM file of the time-stamp authorities that are trusted; else those of this machine are.
    timestamp_certificates: Path | None = None
    #: Optin may write to the providers' suppression lists.
    write_back: bool = False
    #: Remembers the end of the storage's log, so that an older copy is noticed.
    head_file: Path | None = None
    given_hash_key: bytes | None = field(default=None, repr=False)
    backup_passphrase: str | None = field(default=None, repr=False)
    providers: ProviderSettings = field(default_factory=ProviderSettings)

    @classmethod
    def read(
        cls,
        env: Mapping[str, str],
        provider_settings: Collection[ProviderSetting[Any]] = (),
        *,
        need_slack: bool = False,
    ) -> Self:
        """Read the settings from these variables. An empty variable counts as not set. Without
        `provider_settings`, no provider can be on: `bot.runtime.read_settings` passes them all.

        Raises `SettingsError`: one sentence, which names the setting and never shows a secret.
        """
        theirs: Rows = {one.name: (one.name, one.read) for one in provider_settings}
        _warn_of_unknown(env, [*_ROWS, *theirs])
        values = _values(env, _ROWS)
        values.setdefault("approval_channel", values.get("alert_channel"))
        providers = ProviderSettings(values=_values(env, theirs))
        settings = cls(**values, providers=providers)
        if need_slack and not settings.bot_token:
            raise SettingsError(
                "SLACK_BOT_TOKEN is missing: it is the token that begins with xoxb-, under "
                "OAuth & Permissions in your Slack app's settings."
            )
        if need_slack:
            settings.mode()
        return settings

    def mode(self, asked: Mode | None = None) -> Mode:
        """The mode that was asked for. If none was, Socket Mode if it has a token, else HTTP.

        Raises `SettingsError` if the secret of that mode is missing: Optin never serves requests
        that it can't verify.
        """
        if (asked or Mode.SOCKET) is Mode.SOCKET and self.app_token:
            return Mode.SOCKET
        if (asked or Mode.HTTP) is Mode.HTTP and self.signing_secrets:
            return Mode.HTTP
        if asked is Mode.SOCKET:
            raise SettingsError("SLACK_APP_TOKEN is missing: Socket Mode needs it.")
        if asked is Mode.HTTP:
            raise SettingsError("SLACK_SIGNING_SECRET is missing: HTTP mode needs it.")
        raise SettingsError(
            "SLACK_APP_TOKEN is missing: set it for Socket Mode, or SLACK_SIGNING_SECRET for HTTP."
        )

    def beside(self, folder: Path) -> Self:
        """The same settings with the head file in this folder, unless they name another place.
        Raises `SettingsError` where a witness is the head file."""
        heads = self.head_file or folder / head_file.NAME
        for one in self.witnesses:
            if one.kind is WitnessKind.FILE and Path(one.place).resolve() == heads.resolve():
                raise SettingsError(
                    f"OPTIN_WITNESSES names {one.place}, which is the head file: name another file."
                )
        return replace(self, head_file=heads)

    def heads(self) -> HeadFile | None:
        """The head file's record of this storage, where there is a head file."""
        if self.head_file is None:
            return None
        return HeadFile(self.head_file, storage_key(self.storage, self.head_file.parent))

    def moved(self, storage: str) -> Self:
        """The same settings with another storage."""
        return replace(self, storage=storage)

    @property
    def hash_key_path(self) -> Path | None:
        """The file of the hash key, beside the storage. None if the storage is not a file."""
        scheme, _, path = self.storage.partition(":///")
        return Path(path).with_suffix(".hash-key") if scheme in ("tinydb", "sqlite") else None

    def hash_key(self, store: Store) -> bytes:
        """The key that Optin hashes erased addresses with. It is made on first use.

        The key is stored in a file beside the storage. With a database server, it is stored in the
        database, so that all replicas use the same key. `store` is the open storage; on first use,
        it gets a check value of the key. Raises `SettingsError` if the key can't be made or read,
        if it is missing, or if it is not the key that the storage was used with.
        """
        beside = self._key_beside(store)
        key, wanted = self.given_hash_key or beside, hash_key.checked(store)
        if key is None:
            if wanted is not None or hash_key.has_hashes(store):
                raise SettingsError(self._missing_key())
            key = self._new_key(store)
        if wanted is None:
            if beside not in (None, key) and hash_key.has_hashes(store):
                raise SettingsError(
                    f"OPTIN_HASH_KEY is another key than the one in {self._place}. If the storage "
                    f"was used with OPTIN_HASH_KEY, remove {self._place}. If not, remove "
                    "OPTIN_HASH_KEY."
                )
            # Write nothing to a storage that has to be migrated first.
            value = hash_key.check_value(key)
            wanted = value if store.outdated else hash_key.keep_check(store, key)
        if not hmac.compare_digest(wanted, hash_key.check_value(key)):
            raise SettingsError(self._wrong_key())
        return key

    def accept_hash_key(self, store: Store) -> None:
        """Continue with the present key, or a new one, whatever key the storage was used with.
        Raises `SettingsError` if the key can't be made or read."""
        key = self.given_hash_key or self._key_beside(store) or self._new_key(store)
        hash_key.replace_check(store, key)

    def _key_beside(self, store: Store) -> bytes | None:
        """The key in its file, or in the database. None if there is none yet."""
        if self.hash_key_path is None:
            return hash_key.kept(store)
        try:
            return hash_key.read(self.hash_key_path)
        except (OSError, ValueError) as error:
            if self.given_hash_key:
                return None
            raise _unusable(error) from None

    def _new_key(self, store: Store) -> bytes:
        if self.hash_key_path is None:
            return hash_key.read_or_keep(store)
        try:
            return hash_key.read_or_make(self.hash_key_path)
        except (OSError, ValueError) as error:
            raise _unusable(error) from None

    @property
    def _place(self) -> str:
        return str(self.hash_key_path or f"the mark {hash_key.MARK} of the database")

    def _missing_key(self) -> str:
        if self.hash_key_path is None:
            remedy = "Set it to the key that this storage was used with."
        else:
            remedy = (
                f"Put {self.hash_key_path} back from a backup, or set OPTIN_HASH_KEY to the key "
                "that this storage was used with."
            )
        return f"OPTIN_HASH_KEY is not set, and {self._place} is missing. {remedy} {_WHY}"

    def _wrong_key(self) -> str:
        if not self.given_hash_key:
            return (
                f"OPTIN_HASH_KEY is not set, and {self._place} is not the key that this storage "
                "was used with. Put the right one back from a backup, or set OPTIN_HASH_KEY to "
                f"it. {_WHY}"
            )
        return (
            "OPTIN_HASH_KEY is not the key that this storage was used with. Set it to that key, or "
            f"remove it if the key is in {self._place}. {_WHY}"
        )


#: Why Optin refuses to start without the right key.
_WHY = (
    "With another key, Optin would forget that erased people opted out. If the key is lost for "
    "good, `optin verify --accept-new-key` goes on without it."
)


def _unusable(error: OSError | ValueError) -> SettingsError:
    if isinstance(error, OSError):
        return SettingsError(
            f"OPTIN_HASH_KEY is not set, and its file can't be used: {error.strerror}."
        )
    return SettingsError(f"OPTIN_HASH_KEY is not set, and {error}.")


def environment(folder: Path) -> dict[str, str]:
    """The variables of the folder's `.env`. Those of this process win."""
    path = folder / ".env"
    try:
        # A secret may contain dollar signs, which must not be expanded.
        given = dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError):
        raise SettingsError(".env can't be read: it must be a UTF-8 text file.") from None
    if given and os.name == "posix" and path.stat().st_mode & 0o004:
        logger.warning(".env can be read by everyone on this machine; run chmod 600 .env")
    return {name: value for name, value in given.items() if value is not None} | dict(os.environ)


def _values(env: Mapping[str, str], rows: Rows) -> dict[str, Any]:
    values = {}
    for name, (attribute, read) in rows.items():
        if text := env.get(name, "").strip():
            try:
                values[attribute] = read(text)
            except ValueError as error:
                raise SettingsError(f"{name} {error}.") from None
    return values


def _warn_of_unknown(env: Mapping[str, str], known: Collection[str]) -> None:
    for name in sorted(env):
        if name.startswith("OPTIN_") and name not in known and name not in _FOR_TESTS:
            near = difflib.get_close_matches(name, known, n=1)
            logger.warning(
                "%s is no setting of Optin%s", name, f"; did you mean {near[0]}?" if near else ""
            )


def _region(text: str) -> str:
    region = text.upper()
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"must be the ISO code of a country, such as US or DE, not {text!r}")
    return region


def _languages(text: str) -> frozenset[str]:
    found = frozenset(several(text.lower())) - {"en"}
    if strangers := sorted(found - LANGUAGES.keys()):
        known = ", ".join(sorted(LANGUAGES))
        raise ValueError(f"must be some of {known}, separated by commas, not {strangers[0]!r}")
    return found


def _people(text: str) -> ConfiguredPeople:
    ids = frozenset(filter(None, (part.strip() for part in text.split(","))))
    for id_ in sorted(ids):
        if not re.fullmatch("[UWS][A-Z0-9]+", id_):
            raise ValueError(
                "must be ids of Slack users (U…) and user groups (S…), separated by commas, "
                f"and {id_!r} is not one: copy it from the profile's menu"
            )
    groups = frozenset(id_ for id_ in ids if id_.startswith("S"))
    return ConfiguredPeople(users=ids - groups, groups=groups)


def _senders(text: str) -> tuple[Sender, ...]:
    try:
        return senders_file.read_senders(Path(text))
    except ValueError as error:
        raise ValueError(f"names {text}, which {error}") from None


def _hash_key(text: str) -> bytes:
    if len(text) < 32:
        raise ValueError("must have at least 32 characters, as `openssl rand -hex 32` prints them")
    return text.encode()


def _yes_no(text: str) -> bool:
    known = {"yes": True, "no": False}
    if text.lower() not in known:
        raise ValueError("must be yes or no")
    return known[text.lower()]


def _complete(text: str) -> bool:
    if text.lower() != "complete":
        raise ValueError("must be complete, or not be set")
    return True


_bot_token = matching(r"(xoxe\.)?xoxb-\S+", "must be a token that begins with xoxb-")
_app_token = matching(r"xapp-\S+", "must be an app-level token, which begins with xapp-")
_storage = matching("[a-z][a-z0-9+]*://.+", "must be like tinydb:///data/optin.json")
_command = matching(
    "/[a-z0-9_-]{1,31}", "must be like /optin, in lower case, 32 characters at most"
)
_channel = matching("[CGD][A-Z0-9]+", "must be a channel's id (C…), not its name")

#: The name, the field of `Settings`, and what reads it. A reader raises ValueError with the
#: rest of a sentence that begins with the name.
_ROWS: Rows = {
    "SLACK_BOT_TOKEN": ("bot_token", _bot_token),
    "SLACK_APP_TOKEN": ("app_token", _app_token),
    "SLACK_SIGNING_SECRET": ("signing_secrets", secrets),
    "SLACK_API_URL": ("slack_api_url", lambda text: url(text) + "/"),
    "OPTIN_STORAGE": ("storage", _storage),
    "OPTIN_COMMAND": ("command", _command),
    "OPTIN_ALERT_CHANNEL": ("alert_channel", _channel),
    "OPTIN_APPROVAL_CHANNEL": ("approval_channel", _channel),
    "OPTIN_MANAGERS": ("managers", _people),
    "OPTIN_AGENTS": ("agents", _people),
    "OPTIN_SELF_APPROVE": ("self_approve", _yes_no),
    "OPTIN_CONFIRMED_OPT_IN": ("confirmed_opt_in", _complete),
    "OPTIN_REGION": ("region", _region),
    "OPTIN_LANGUAGES": ("languages", _languages),
    "OPTIN_SENDERS": ("senders", _senders),
    "OPTIN_PUBLIC_URL": ("public_url", url),
    "OPTIN_CRM_URL": ("crm", crm_link),
    "OPTIN_WEBHOOK_ALLOW": ("webhook_allow", networks),
    "OPTIN_WITNESSES": ("witnesses", witnesses),
    "OPTIN_TIMESTAMP_CERTIFICATES": ("timestamp_certificates", Path),
    "OPTIN_WRITE_BACK": ("write_back", _yes_no),
    "OPTIN_HEAD_FILE": ("head_file", Path),
    "OPTIN_HASH_KEY": ("given_hash_key", _hash_key),
    "OPTIN_BACKUP_PASSPHRASE": ("backup_passphrase", str),
}
